/**
 * The log of deliveries that became no event (EV-32). Owns what is kept of one and for how long: sealed, because a provider's headers are among
 * it (SE-14); of each webhook the newest, as many as `WEBHOOK.log` says, for `WEBHOOK.log.kept`. Callers have run `ensureSchema`, and found the webhook in
 * its environment (SE-8).
 */
import * as z from "zod";
import { MillraceError } from "../errors.ts";
import { utf8Length } from "../history/bulk.ts";
import { encodeUlid, newUlid } from "../ids.ts";
import { parseJson } from "../json.ts";
import { seal, unseal } from "../keys/sealed.ts";
import { WEBHOOK } from "../limits.ts";
import type { Settings } from "../settings.ts";
import type { Delivery } from "./delivery.ts";
import type { TransformFailure } from "./failure.ts";
import type { Webhook } from "./store.ts";

/** A failed delivery without its request. */
export interface FailedDelivery {
  /** ULID; its time is when the delivery came. */
  readonly id: string;
  /** Why it failed, the last time; null when it cannot be opened with the deployment's secret any more. */
  readonly failure: TransformFailure | null;
  /** Of the request as JSON. */
  readonly bytes: number;
  /** Whether the request is kept with its body: otherwise it cannot be run again. */
  readonly whole: boolean;
  /** When it was run again and accepted, ms since 1970. */
  readonly replayedAt: number | null;
}

/** Where the log keeps secrets, and whose. */
type Holder = Pick<Webhook, "key">;
type Secrets = Pick<Settings, "secrets">;

type Row = Omit<FailedDelivery, "failure" | "whole"> & { readonly error: string; readonly whole: 0 | 1 };

const COLUMNS = "id, error, bytes, whole, replayed_at AS replayedAt";
const failureSchema = z.object({ name: z.string(), message: z.string(), stack: z.string() });
const deliverySchema = z.object({ headers: z.record(z.string(), z.string()), query: z.string(), body: z.string() });

/** Logs a delivery that failed at `now` (ms). Throws `not_configured` without `MILLRACE_SECRET`. */
export async function logDelivery(
  db: D1Database,
  { secrets }: Secrets,
  { key }: Holder,
  { delivery, failure }: { readonly delivery: Delivery; readonly failure: TransformFailure },
  now: number,
): Promise<void> {
  const text = JSON.stringify(delivery);
  const bytes = utf8Length(text);
  const whole = bytes <= WEBHOOK.log.bytes;
  const [request, error] = await Promise.all([
    seal(secrets, key.environmentId, whole ? text : JSON.stringify(withoutBody(delivery))),
    seal(secrets, key.environmentId, JSON.stringify(failure)),
  ]);
  await db.batch([
    // Of a webhook that was deleted meanwhile nothing must be left.
    db
      .prepare(`INSERT INTO webhook_deliveries (key_id, id, error, bytes, whole, request) SELECT ?1, ?2, ?3, ?4, ?5, ?6
        WHERE EXISTS (SELECT 1 FROM webhooks WHERE key_id = ?1)`)
      .bind(key.id, newUlid(now), error, bytes, Number(whole), request),
    db
      .prepare(`DELETE FROM webhook_deliveries WHERE key_id = ?1 AND id IN (
        SELECT id FROM (
          SELECT id, row_number() OVER newest AS count, sum(octet_length(request)) OVER newest AS total
          FROM webhook_deliveries WHERE key_id = ?1 WINDOW newest AS (ORDER BY id DESC)
        ) WHERE count > ?2 OR total > ?3)`)
      .bind(key.id, WEBHOOK.log.most, WEBHOOK.log.total),
  ]);
}

/** What tells most about a delivery that is too large: its headers, unless it is them. */
function withoutBody({ headers, query }: Delivery): Delivery {
  const rest = { headers, query, body: "" };
  return utf8Length(JSON.stringify(rest)) <= WEBHOOK.log.bytes ? rest : { headers: {}, query: "", body: "" };
}

/** The failed deliveries of a webhook, newest first. `now` in ms. */
export async function listDeliveries(
  db: D1Database,
  settings: Secrets,
  { key }: Holder,
  now: number,
): Promise<FailedDelivery[]> {
  const { results } = await db
    .prepare(`SELECT ${COLUMNS} FROM webhook_deliveries WHERE key_id = ?1 AND id >= ?2 ORDER BY id DESC LIMIT ?3`)
    .bind(key.id, oldest(now), WEBHOOK.log.most)
    .all<Row>();
  return await Promise.all(results.map((row) => toDelivery(settings, key.environmentId, row)));
}

/** One failed delivery with its request, which is null when it cannot be opened; null when the webhook has none with this id. */
export async function findDelivery(
  db: D1Database,
  settings: Secrets,
  { key }: Holder,
  id: string,
  now: number,
): Promise<(FailedDelivery & { readonly request: Delivery | null }) | null> {
  const row = await db
    .prepare(`SELECT ${COLUMNS}, request FROM webhook_deliveries WHERE key_id = ?1 AND id = ?2 AND id >= ?3`)
    .bind(key.id, id, oldest(now))
    .first<Row & { request: string }>();
  if (row === null) return null;
  const { request, ...rest } = row;
  const opened = await openedAs(deliverySchema, settings, key.environmentId, request);
  return { ...(await toDelivery(settings, key.environmentId, rest)), request: opened };
}

async function toDelivery(settings: Secrets, holderId: string, { error, whole, ...row }: Row): Promise<FailedDelivery> {
  return { ...row, failure: await openedAs(failureSchema, settings, holderId, error), whole: whole === 1 };
}

/** What was sealed; null when it cannot be opened: one old entry must not hide the others. */
async function openedAs<Value>(
  schema: z.ZodType<Value>,
  { secrets }: Secrets,
  holderId: string,
  sealed: string,
): Promise<Value | null> {
  try {
    const parsed = parseJson((await unseal(secrets, holderId, sealed)).text);
    return schema.parse(parsed.ok ? parsed.value : null);
  } catch (error) {
    if (error instanceof MillraceError && error.code === "not_configured") return null;
    throw error;
  }
}

/**
 * Notes that a delivery is run again and accepted at `now` (ms), and answers when that was the first time: its events are the same ever after.
 * Null when the delivery is gone.
 */
export async function noteReplayed(db: D1Database, { key }: Holder, id: string, now: number): Promise<number | null> {
  return await db
    .prepare(`UPDATE webhook_deliveries SET replayed_at = COALESCE(replayed_at, ?3) WHERE key_id = ?1 AND id = ?2
      RETURNING replayed_at AS at`)
    .bind(key.id, id, now)
    .first<number>("at");
}

/** Notes why a delivery failed again. */
export async function noteFailedAgain(
  db: D1Database,
  { secrets }: Secrets,
  { key }: Holder,
  id: string,
  failure: TransformFailure,
): Promise<void> {
  const error = await seal(secrets, key.environmentId, JSON.stringify(failure));
  const statement = "UPDATE webhook_deliveries SET error = ?3 WHERE key_id = ?1 AND id = ?2";
  await db.prepare(statement).bind(key.id, id, error).run();
}

/** Removes what the log of an environment's webhooks has kept for long enough at `now` (ms). */
export function expireDeliveries(db: D1Database, holderId: string, now: number): D1PreparedStatement {
  return db
    .prepare(`DELETE FROM webhook_deliveries WHERE id < ?2 AND key_id IN (
      SELECT w.key_id FROM webhooks w JOIN event_keys k ON k.id = w.key_id WHERE k.environment_id = ?1)`)
    .bind(holderId, oldest(now));
}

/** Below every id that is still kept. */
function oldest(now: number): string {
  return encodeUlid(Math.max(now - WEBHOOK.log.kept, 0), new Uint8Array(10));
}
