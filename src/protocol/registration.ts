/**
 * The body of `POST /fn/register` and of an in-band sync reply (protocol/02 §2.1, §2.2): two envelopes around the same functions.
 * Owns reading both into one form. Guarantees that bad input of any kind becomes violations, never an exception.
 */
import * as z from "zod";
import type { Json, JsonObject } from "../json.ts";
import { REGISTRATION } from "../limits.ts";
import { anyJson } from "./any-json.ts";
import { parseFunction, type Violation, type WireFunction } from "./registration-function.ts";

/** A registration whose shape is known; its rules are not checked yet. */
export interface Registration {
  /** The app's id; empty when it was missing. */
  readonly appName: string;
  /** The serve URL as the app sees it; null when the body has none. */
  readonly url: string | null;
  /** `js:v4.24.0`; empty when unknown. */
  readonly sdk: string;
  readonly framework: string | null;
  readonly platform: string | null;
  readonly appVersion: string | null;
  readonly capabilities: JsonObject;
  readonly functions: readonly WireFunction[];
  /** Fields nobody knows, per function (AP-16). */
  readonly unknown: readonly { readonly functionId: string; readonly field: string }[];
  /** Shapes that could not be read; a registration with any of them is refused. */
  readonly violations: readonly Violation[];
}

const { textLength, capabilityBytes } = REGISTRATION.described;
const text = z
  .string()
  .transform((value) => value.slice(0, textLength))
  .nullish()
  .catch(null);
/** Identifies the app, or where it is: judged as it is. */
const identifier = z.string().nullish().catch(null);

const object = z.custom<JsonObject>((value) => typeof value === "object" && value !== null && !Array.isArray(value));

const envelope = z.looseObject({
  appName: z.string().nullish(),
  app_id: z.string().nullish(),
  url: z.string().nullish(),
  // Null is how Go writes an empty list; a list that is missing altogether must not archive everything.
  functions: z.array(anyJson).nullable(),
  // What follows only describes the app: a strange value is as good as none.
  sdk: text,
  sdk_language: text,
  sdk_version: text,
  framework: text,
  platform: text,
  appVersion: text,
  capabilities: object
    .refine((value) => JSON.stringify(value).length <= capabilityBytes)
    .nullish()
    .catch(null),
  headers: z.object({ platform: text }).nullish().catch(null),
});

/** Reads either body. The result may have violations and is complete otherwise. */
export function parseRegistration(body: Json): Registration {
  const parsed = envelope.safeParse(body);
  if (!parsed.success) return unreadable(body, parsed.error);
  const value = parsed.data;
  const functions = (value.functions ?? []).map(parseFunction);
  const read = functions.filter((entry) => entry.ok);
  return {
    appName: value.appName ?? value.app_id ?? "",
    url: value.url ?? null,
    sdk: value.sdk || (value.sdk_language ? `${value.sdk_language}:v${value.sdk_version ?? ""}` : ""),
    framework: value.framework ?? null,
    platform: value.platform ?? value.headers?.platform ?? null,
    appVersion: value.appVersion ?? null,
    capabilities: value.capabilities ?? {},
    functions: read.map((entry) => entry.function),
    unknown: read.flatMap((entry) => entry.unknown.map((field) => ({ functionId: entry.function.id, field }))),
    violations: functions.flatMap((entry) => (entry.ok ? [] : entry.violations)),
  };
}

const identity = z.object({ appName: identifier, app_id: identifier, url: identifier }).catch({});

/** What is left of a body whose outer fields are wrong: enough to tie the refusal to an app. */
function unreadable(body: Json, error: z.ZodError): Registration {
  const violations = error.issues.map((issue): Violation => {
    const option = issue.path.join(".") || "body";
    return { code: "config_invalid", functionId: null, option, rule: issue.message.replace(/^Invalid input: /, "") };
  });
  const { appName, app_id, url = null } = identity.parse(body);
  const nothing = { sdk: "", framework: null, platform: null, appVersion: null, capabilities: {} };
  return { ...nothing, appName: appName ?? app_id ?? "", url, functions: [], unknown: [], violations };
}
