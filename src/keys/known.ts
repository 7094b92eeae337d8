/**
 * Whose a key is, as every request asks it. Owns what an isolate remembers of stored keys (at most `KEY.age` old), and the notes that one was
 * used. Guarantees that a text which cannot be a stored key costs no read of the database, and that made-up keys cost a bounded number.
 */
import { messageOf } from "../errors.ts";
import { KEY } from "../limits.ts";
import { type ApiKey, apiKeyByHash } from "./api-keys.ts";
import { anyEventKey, type EventKey, eventKeyByHash } from "./event-keys.ts";
import { type Remembered, rememberedRows } from "./remembered.ts";
import { type SigningKey, signingKeyByHash } from "./signing-keys.ts";
import { Strangers } from "./strangers.ts";
import { keyHash, mayBeKey, signingHashes } from "./value.ts";

const strangers = new Strangers();

/** Keys by hash, as `find` reads one from the database. */
function keysBy<Key>(find: (db: D1Database, hash: string) => Promise<Key | null>): Remembered<Key | null> {
  return rememberedRows(async (db, hash) => {
    strangers.check(Date.now());
    const key = await find(db, hash);
    if (key === null) strangers.note(Date.now());
    return key;
  });
}

const eventKeys = keysBy(eventKeyByHash);
const signingKeys = keysBy((db, hashes) => signingKeyByHash(db, hashes.split(" ")));
const apiKeys = keysBy(apiKeyByHash);

const anyKeys = rememberedRows(anyEventKey);

/** The stored event key or webhook key with this value; null for none. `now` in ms since 1970. */
export async function knownEventKey(
  db: D1Database,
  value: string,
  now: number,
): Promise<(EventKey & { readonly webhook: boolean }) | null> {
  if (!mayBeKey(value, "event") && !mayBeKey(value, "webhook")) return null;
  return await eventKeys.get(db, await keyHash(value), now);
}

/** Whether any event key is stored, in any environment: whoever sends with a wrong one makes nobody look twice. `now` in ms. */
export async function hasEventKeys(db: D1Database, now: number): Promise<boolean> {
  return await anyKeys.get(db, "", now);
}

/** The stored signing key that a bearer token is, in whichever form; null for none. */
export async function knownSigningKey(db: D1Database, token: string, now: number): Promise<SigningKey | null> {
  const hashes = await signingHashes(token);
  return hashes.length === 0 ? null : await signingKeys.get(db, hashes.join(" "), now);
}

/** The API key that a bearer token is, unless it has come to its end; null for none. */
export async function knownApiKey(db: D1Database, token: string, now: number): Promise<ApiKey | null> {
  const key = mayBeKey(token, "api") ? await apiKeys.get(db, await keyHash(token), now) : null;
  return key === null || (key.expiresAt !== null && key.expiresAt <= now) ? null : key;
}

/** Makes this isolate read keys anew, for whoever changed one. */
export function forgetKeys(db: D1Database): void {
  for (const known of [eventKeys, anyKeys, signingKeys, apiKeys]) known.forget(db);
}

const noted = new Map<string, number>();

/** Notes that a key was used at `now` (ms), at most once in `KEY.noted` and isolate; the request does not wait for it. */
export function noteUse(
  { db, context }: { readonly db: D1Database; readonly context: Pick<ExecutionContext, "waitUntil"> },
  table: "event_keys" | "api_keys",
  key: { readonly id: string; readonly usedAt: number | null },
  now: number,
): void {
  const since = now - KEY.noted;
  if ((key.usedAt ?? 0) > since || (noted.get(key.id) ?? 0) > since) return;
  if (noted.size >= KEY.remembered) noted.clear();
  noted.set(key.id, now);
  const note = db.prepare(`UPDATE ${table} SET used_at = ?2 WHERE id = ?1`).bind(key.id, now).run();
  context.waitUntil(note.catch((error: unknown) => console.error("A key's use was not noted:", messageOf(error))));
}
