/**
 * Event keys in clear: new ones, and those that are revealed (EV-18). Owns that a value is sealed before it is stored, and sealed anew when it
 * was opened with a former root secret (SE-14).
 */
import { newUlid } from "../ids.ts";
import type { Settings } from "../settings.ts";
import { createStatement, type EventKey, findEventKey, resealStatement } from "./event-keys.ts";
import { seal, unseal } from "./sealed.ts";
import { type KeyPurpose, keyHash, newKey } from "./value.ts";

/** What a new key is to be. */
interface Wanted {
  /** The environment that holds it. */
  readonly holderId: string;
  readonly name: string;
  readonly filters: EventKey["filters"];
  /** Default: for sending events. */
  readonly purpose?: Exclude<KeyPurpose, "api">;
}

/** Makes a key, which is stored by its statement. `now` in ms. Throws `not_configured` without `MILLRACE_SECRET`. */
export async function makeEventKey(
  db: D1Database,
  settings: Pick<Settings, "secrets">,
  { holderId, name, filters, purpose = "event" }: Wanted,
  now: number,
): Promise<{
  readonly key: EventKey;
  readonly value: string;
  readonly sealed: string;
  readonly statement: D1PreparedStatement;
}> {
  const value = newKey(purpose);
  const [hash, sealed] = await Promise.all([keyHash(value), seal(settings.secrets, holderId, value)]);
  const base = { id: newUlid(now), environmentId: holderId, name, filters, createdAt: now };
  const statement = createStatement(db, base, { hash, sealed });
  return { key: { ...base, hash, disabledAt: null, usedAt: null }, value, sealed, statement };
}

/**
 * The value of a key; null when the environment has none with this id. Throws `not_configured` when it cannot be opened: the key is valid
 * all the same, because it is found by its hash.
 */
export async function revealEventKey(
  db: D1Database,
  settings: Pick<Settings, "secrets">,
  holderId: string,
  id: string,
): Promise<string | null> {
  const found = await findEventKey(db, holderId, id);
  if (found === null) return null;
  const { text, stale } = await unseal(settings.secrets, holderId, found.sealed);
  if (stale) await resealStatement(db, found.key, await seal(settings.secrets, holderId, text)).run();
  return text;
}
