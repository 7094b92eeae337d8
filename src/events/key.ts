/**
 * Event keys: who sends to `/e/:key` (EV-18 … EV-22): whether the key may, and the environment it sends into. Owns what each kind of key means; the keys of
 * production are the deployment's secrets, all others are stored.
 * Guarantees that comparing tells nothing about the keys, that no key appears in an error, and that a text which cannot be a key costs nothing.
 */
import type { Bindings } from "../bindings.ts";
import { BRANCHES, type EnvironmentRef, LOCAL, PRODUCTION } from "../environments/environment.ts";
import { branchNamed, knownBranch, knownEnvironment } from "../environments/known.ts";
import { MillraceError } from "../errors.ts";
import type { EventKey } from "../keys/event-keys.ts";
import { NO_FILTERS } from "../keys/filter.ts";
import { hasEventKeys, knownEventKey } from "../keys/known.ts";
import { mayBeKey } from "../keys/value.ts";
import { ENVIRONMENT } from "../limits.ts";
import { equal } from "../protocol/signature.ts";
import type { Settings } from "../settings.ts";

/** A stored key, and whether it is in the URL of a webhook. */
export type StoredKey = EventKey & { readonly webhook: boolean };

/** What a request says of the branch it is for, null for nothing: in the header `x-inngest-env`, in the parameter of that name. */
export interface NamedBranch {
  readonly branch: string | null;
  /** Only webhooks heed it (EV-34). */
  readonly parameter?: string | null;
}

/** A send's key, judged. */
export interface KeySender {
  readonly environment: EnvironmentRef;
  /** The stored key; null for the deployment's own, and for any text in dev mode. */
  readonly key: StoredKey | null;
  /** Why the event will start nothing: it names no branch (EV-25). */
  readonly parked: boolean;
}

/**
 * Judges the key of a path. Only keys of branches heed the branch that the request names. `now` in ms.
 * Throws `not_configured`, `event_key_missing` or `event_key_not_found`.
 */
export async function keySender(
  bindings: Pick<Bindings, "DB">,
  settings: Settings,
  { key, ...named }: NamedBranch & { readonly key: string },
  now: number,
): Promise<KeySender> {
  const stored = await knownEventKey(bindings.DB, key, now);
  if (settings.mode === "dev") {
    // Any text is a key then; but what providers post to a webhook that is gone is no event.
    if (stored === null && mayBeKey(key, "webhook")) throw unknownKey();
    return { environment: LOCAL, key: stored, parked: false };
  }
  if (await isOneOf(settings.eventKeys, key)) return { environment: PRODUCTION, key: null, parked: false };
  if (stored === null) throw await refusal(bindings, settings, key, now);
  return await storedSender(bindings, settings, { stored, ...named }, now);
}

/** Judges a stored key. `now` in ms. Throws `event_key_not_found`. */
export async function storedSender(
  bindings: Pick<Bindings, "DB">,
  settings: Settings,
  { stored, ...named }: NamedBranch & { readonly stored: StoredKey },
  now: number,
): Promise<KeySender> {
  if (stored.disabledAt !== null) throw unknownKey();
  if (stored.environmentId === BRANCHES.id) return await branchSender(bindings, { stored, ...named }, now);
  const environment = await knownEnvironment(bindings, settings, stored.environmentId, now);
  if (environment === null || environment.archivedAt !== null) throw unknownKey();
  return { environment, key: stored, parked: false };
}

/** The name of a branch creates it when an app uses a key (EV-23), and parks the event when somebody calls a webhook's URL (EV-25). */
async function branchSender(
  bindings: Pick<Bindings, "DB">,
  { stored, branch, parameter = null }: NamedBranch & { readonly stored: StoredKey },
  now: number,
): Promise<KeySender> {
  const parked = { environment: BRANCHES, key: stored, parked: true };
  const name = stored.webhook ? parameter || branch : branch;
  if (name === null || name === "") return parked;
  // A provider's mistake parks the event as well; what can be no name is not looked up, and not remembered.
  if (stored.webhook && name.length > ENVIRONMENT.nameLength) return parked;
  const environment = await (stored.webhook ? knownBranch : branchNamed)(bindings, name, now);
  if (environment === null) return parked;
  if (environment.archivedAt !== null) throw unknownKey();
  return { environment, key: stored, parked: false };
}

/** Whether a text is one of these keys; takes the same time whichever of them it is. */
export async function isOneOf(keys: readonly string[], text: string): Promise<boolean> {
  return (await Promise.all(keys.map((key) => equal(key, text)))).includes(true);
}

/** What the key lets through. */
export function filtersOf({ key }: KeySender): EventKey["filters"] {
  return key?.filters ?? NO_FILTERS;
}

async function refusal(
  bindings: Pick<Bindings, "DB">,
  settings: Settings,
  key: string,
  now: number,
): Promise<MillraceError> {
  const configured = settings.eventKeys.length > 0 || (await hasEventKeys(bindings.DB, now));
  if (!configured) return new MillraceError("not_configured", "No event key is configured");
  return key === "" ? new MillraceError("event_key_missing", "Event key is required") : unknownKey();
}

function unknownKey(): MillraceError {
  return new MillraceError("event_key_not_found", "Event key not found");
}
