/**
 * What a registration changes (AP-6, AP-7, AP-11). Pure. Owns the comparison of what is stored with what was sent:
 * the checksum that tells "nothing", and the differences field by field.
 */
import { hex, sha256 } from "../ids.ts";
import type { Json } from "../json.ts";
import type { NormalisedFunction } from "./normalise.ts";

/** One field of a function's configuration; null where an option is absent. */
interface FieldChange {
  /** Path inside the configuration: `retries`, `throttle.limit`. */
  readonly field: string;
  readonly before: Json;
  readonly after: Json;
}

/** What became of an app's functions, by slug. A function that comes back from the archive counts as added. */
export interface RegistrationChanges {
  readonly added: readonly string[];
  readonly changed: readonly { readonly slug: string; readonly fields: readonly FieldChange[] }[];
  readonly removed: readonly string[];
}

/** A function as it is stored. */
export interface StoredFunction {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly url: string;
  /** {@link configurationText}. */
  readonly configuration: string;
  readonly archived: boolean;
}

/** The configuration as stored: JSON without the URL, because a function that only moved is still the same version. */
export function configurationText(configured: NormalisedFunction): string {
  const { url: _url, ...rest } = configured.configuration;
  return JSON.stringify(rest);
}

/** What belongs to an app besides its functions and makes a registration differ. */
export interface AppFacts {
  readonly name: string;
  readonly url: string;
  readonly sdk: string;
  readonly framework: string | null;
  readonly appVersion: string | null;
}

/**
 * SHA-256 in hex of what was registered. In-band and out-of-band syncs of the same code agree on it, as they would not on their bodies;
 * the order of functions and what only diagnoses the SDK do not count.
 */
export async function checksumOf(app: AppFacts, functions: readonly NormalisedFunction[]): Promise<string> {
  const parts = functions.map((configured) => [
    configured.slug,
    configured.name,
    configured.configuration.url,
    configurationText(configured),
  ]);
  parts.sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
  return hex(await sha256(JSON.stringify([app.name, app.url, app.sdk, app.framework, app.appVersion, parts])));
}

/** Compares stored functions of an app with registered ones. */
export function changesBetween(
  stored: readonly StoredFunction[],
  registered: readonly NormalisedFunction[],
): RegistrationChanges {
  const active = new Map(stored.filter(({ archived }) => !archived).map((known) => [known.slug, known]));
  const slugs = new Set(registered.map(({ slug }) => slug));
  const changed = registered.flatMap((configured) => {
    const known = active.get(configured.slug);
    const fields = known === undefined ? [] : fieldChanges(known, configured);
    return fields.length === 0 ? [] : [{ slug: configured.slug, fields }];
  });
  return {
    added: [...slugs].filter((slug) => !active.has(slug)),
    changed,
    removed: [...active.keys()].filter((slug) => !slugs.has(slug)),
  };
}

function fieldChanges(known: StoredFunction, configured: NormalisedFunction): FieldChange[] {
  const { url, name } = { url: configured.configuration.url, name: configured.name };
  // Both texts were made by configurationText, so parsing them gives JSON.
  const before = { name: known.name, url: known.url, ...(JSON.parse(known.configuration) as object) } as Json;
  const after = { name, url, ...(JSON.parse(configurationText(configured)) as object) } as Json;
  return differences("", before, after);
}

function differences(path: string, before: Json, after: Json): FieldChange[] {
  if (isObject(before) && isObject(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].flatMap((name) => {
      return differences(path === "" ? name : `${path}.${name}`, before[name] ?? null, after[name] ?? null);
    });
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ field: path, before, after }];
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
