/**
 * A whole registration against every rule of AP-14 and AP-15. Owns the rules about the app and its ids, and the order of the checks.
 * Guarantees that all violations are found, not only the first, and that functions are returned only to be stored when there are none.
 */
import type { TargetPolicy } from "../../calls/address.ts";
import { REGISTRATION } from "../../limits.ts";
import type { Registration } from "../../protocol/registration.ts";
import type { Violation } from "../../protocol/registration-function.ts";
import { type NormalisedFunction, normaliseFunction } from "../normalise.ts";
import { checkServeUrl } from "../url.ts";
import type { Warning } from "../violation.ts";
import { checkCombinations } from "./combinations.ts";
import { checkExpressions } from "./expressions.ts";
import { checkOptions } from "./options.ts";
import type { Report } from "./rules.ts";
import { checkTriggers } from "./triggers.ts";
import { warningsOf } from "./warnings.ts";

/** The outcome: what would be stored, and what speaks against it. */
export interface CheckedRegistration {
  /** The serve URL in its stored form. */
  readonly url: string;
  readonly functions: readonly NormalisedFunction[];
  /** Nothing may be stored unless this is empty. */
  readonly violations: readonly Violation[];
  readonly warnings: readonly Warning[];
}

/** Checks a registration. `requestedUrl` stands in when the app reports no URL of its own. */
export function checkRegistration(
  registration: Registration,
  requestedUrl: string | null,
  policy: TargetPolicy,
): CheckedRegistration {
  const violations: Violation[] = [...registration.violations];
  const reporter = (functionId: string | null): Report => {
    return (option, rule, code = "config_invalid") => violations.push({ code, functionId, option, rule });
  };

  checkLengthOfId("id", registration.appName, reporter(null));
  const url = serveUrl(registration.url ?? requestedUrl, policy, reporter(null));
  const ids = new Set<string>();
  const functions = registration.functions.map((wire) => {
    const report = reporter(wire.id);
    checkLengthOfId("id", withoutPrefix(wire.id, registration.appName), report);
    if (ids.has(wire.id)) report("id", "is used by more than one function");
    ids.add(wire.id);
    const normalised = normaliseFunction(wire, { sdk: registration.sdk, url, policy });
    violations.push(...normalised.violations);
    const { configuration } = normalised.function;
    checkTriggers(configuration.triggers, report);
    checkOptions(configuration, report);
    checkCombinations(configuration, report);
    checkExpressions(configuration, report);
    return normalised.function;
  });
  return { url, functions, violations, warnings: warningsOf(functions, registration.unknown) };
}

/** SDKs send `<app id>-<function id>`; the limit is about what the user wrote. */
function withoutPrefix(slug: string, appName: string): string {
  return slug.startsWith(`${appName}-`) ? slug.slice(appName.length + 1) : slug;
}

function checkLengthOfId(option: string, id: string, report: Report): void {
  if (id.length >= 1 && id.length <= REGISTRATION.idLength) return;
  report(
    option,
    `must have 1 to ${REGISTRATION.idLength} characters${id === "" ? "; it is missing" : `, not ${id.length}`}`,
  );
}

function serveUrl(text: string | null, policy: TargetPolicy, report: Report): string {
  if (text === null) {
    report("url", "is missing");
    return "";
  }
  const checked = checkServeUrl(text, policy);
  if (checked.ok) return checked.url;
  report("url", checked.message.replace(/\.$/, ""), checked.code);
  return "";
}
