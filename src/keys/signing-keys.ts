/**
 * The signing keys of environments (SE-3, SE-7): those of production are secrets of the deployment, those of custom environments and of all
 * branches are stored. Owns which keys an environment has and in which order they are tried, and the steps of a rotation.
 * Guarantees that there is at most one key being introduced and one going out of use, and that no key is in a row in clear.
 */
import type { Bindings } from "../bindings.ts";
import { PRODUCTION } from "../environments/environment.ts";
import { MillraceError } from "../errors.ts";
import { newUlid } from "../ids.ts";
import { bareKey } from "../protocol/signature.ts";
import type { Settings } from "../settings.ts";
import { rememberedRows } from "./remembered.ts";
import { seal, unseal } from "./sealed.ts";
import { newSigningKey, signingHash } from "./value.ts";

/** `next`: accepted, and not used yet. `previous`: accepted, and not used any more. */
export type SigningKeyState = "current" | "next" | "previous";

/** A stored signing key without its value. */
export interface SigningKey {
  readonly id: string;
  readonly environmentId: string;
  readonly state: SigningKeyState;
  /** Of the hashed form, hex. */
  readonly hash: string;
  /** ms since 1970. */
  readonly createdAt: number;
}

type Row = SigningKey & { readonly sealed: string };

const COLUMNS = "id, environment_id AS environmentId, state, hash, sealed, created_at AS createdAt";

const byEnvironment = rememberedRows(rowsOf);

async function rowsOf(db: D1Database, environmentId: string): Promise<Row[]> {
  // "current" comes first: it signs, and the others are tried after it.
  const statement = `SELECT ${COLUMNS} FROM signing_keys WHERE environment_id = ?1 ORDER BY state <> 'current', state`;
  return (await db.prepare(statement).bind(environmentId).all<Row>()).results;
}

/** Keys that this isolate has opened, by their sealed form: opening costs, and a log line must not quote one. */
const opened = new Map<string, string>();

/** The stored keys that this isolate has in clear, without prefix. */
export function openedKeys(): readonly string[] {
  return [...opened.values()].map(bareKey);
}

/**
 * The signing keys that apps of an environment may have, the one that signs first. `holderId`: the environment that holds them, `keyHolder`.
 * Empty in dev mode. `now` in ms. Throws `not_configured` when a stored key cannot be opened.
 */
export async function signingKeysOf(
  bindings: Pick<Bindings, "DB">,
  settings: Settings,
  holderId: string,
  now: number,
): Promise<readonly string[]> {
  if (settings.mode === "dev" || holderId === PRODUCTION.id) return settings.signingKeys;
  const rows = await byEnvironment.get(bindings.DB, holderId, now);
  return await Promise.all(rows.map((row) => open(bindings.DB, settings, row)));
}

async function open(db: D1Database, settings: Settings, { id, environmentId, sealed }: Row): Promise<string> {
  const known = opened.get(sealed);
  if (known !== undefined) return known;
  const { text, stale } = await unseal(settings.secrets, environmentId, sealed);
  opened.set(sealed, text);
  if (stale) {
    const anew = await seal(settings.secrets, environmentId, text);
    await db.prepare("UPDATE signing_keys SET sealed = ?2 WHERE id = ?1").bind(id, anew).run();
  }
  return text;
}

/** Whose stored signing key has one of these hashes; null for none. */
export async function signingKeyByHash(db: D1Database, hashes: readonly string[]): Promise<SigningKey | null> {
  const statement = `SELECT ${COLUMNS} FROM signing_keys WHERE hash IN (SELECT value FROM json_each(?1))`;
  return await db.prepare(statement).bind(JSON.stringify(hashes)).first<Row>();
}

/** The stored keys of an environment, without their values. */
export async function listSigningKeys(db: D1Database, holderId: string): Promise<SigningKey[]> {
  return (await rowsOf(db, holderId)).map(({ sealed: _, ...key }) => key);
}

/** The value of a stored key; null when the environment has none with this id. */
export async function revealSigningKey(
  db: D1Database,
  settings: Settings,
  holderId: string,
  id: string,
): Promise<string | null> {
  const row = (await rowsOf(db, holderId)).find((each) => each.id === id);
  return row === undefined ? null : await open(db, settings, row);
}

/**
 * Makes an environment's first key (`current`), or the one it changes to (`next`), and answers its value. Throws `conflict` while another one
 * comes or goes.
 */
export async function addSigningKey(
  db: D1Database,
  settings: Settings,
  environment: { readonly id: string; readonly kind: "custom" | "branch" },
  state: "current" | "next",
  now: number,
): Promise<{ readonly id: string; readonly value: string }> {
  const value = newSigningKey(environment.kind);
  const id = newUlid(now);
  const sealed = await seal(settings.secrets, environment.id, value);
  // Of two that add one at the same time, the second finds the state taken; an old key has to be gone before a new one comes.
  const { meta } = await db
    .prepare(`INSERT INTO signing_keys (id, environment_id, state, hash, sealed, created_at)
      SELECT ?1, ?2, ?3, ?4, ?5, ?6
      WHERE NOT EXISTS (SELECT 1 FROM signing_keys WHERE environment_id = ?2 AND (state = ?3 OR state <> 'current'))`)
    .bind(id, environment.id, state, await signingHash(value), sealed, now)
    .run();
  byEnvironment.forget(db);
  if (meta.changes === 0) {
    throw new MillraceError("conflict", "A rotation is under way: activate the new key, or finish it, first.");
  }
  return { id, value };
}

/** The new key signs from now on, the old one is still accepted. Throws `conflict` without a new one. */
export async function activateSigningKey(db: D1Database, holderId: string): Promise<void> {
  const next = "EXISTS (SELECT 1 FROM signing_keys WHERE environment_id = ?1 AND state = 'next')";
  const [, activated] = await db.batch([
    db
      .prepare(`UPDATE signing_keys SET state = 'previous' WHERE environment_id = ?1 AND state = 'current' AND ${next}`)
      .bind(holderId),
    db.prepare("UPDATE signing_keys SET state = 'current' WHERE environment_id = ?1 AND state = 'next'").bind(holderId),
  ]);
  byEnvironment.forget(db);
  if ((activated?.meta.changes ?? 0) === 0)
    throw new MillraceError("conflict", "There is no new key to activate: create one.");
}

/** The old key is accepted no more. Throws `conflict` without one. */
export async function finishSigningKey(db: D1Database, holderId: string): Promise<void> {
  const removal = db
    .prepare("DELETE FROM signing_keys WHERE environment_id = ?1 AND state = 'previous'")
    .bind(holderId);
  const { meta } = await removal.run();
  byEnvironment.forget(db);
  if (meta.changes === 0) throw new MillraceError("conflict", "There is no old key to remove: activate a new one.");
}
