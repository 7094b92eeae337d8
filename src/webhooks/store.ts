/**
 * Webhooks in D1 (EV-29): an event key, which is in the URL, and beside it a transform and what providers are answered. Owns their statements;
 * callers have run `ensureSchema`, and forget what is known of keys when they change one. Every statement names the environment that holds the
 * webhook (SE-8), but for the one that starts from a key which was judged before.
 */
import type { StoredKey } from "../events/key.ts";
import { parseJson } from "../json.ts";
import { makeEventKey } from "../keys/event-key-values.ts";
import {
  changeStatement,
  deleteStatement,
  EVENT_KEY_COLUMNS,
  type EventKeyRow,
  toEventKey,
} from "../keys/event-keys.ts";
import type { KeyFilters } from "../keys/filter.ts";
import type { Settings } from "../settings.ts";
import { type WebhookResponse, webhookResponse } from "./response.ts";

/** A webhook without the value of its key. Its id is the key's. */
export interface Webhook {
  readonly key: StoredKey;
  /** The key, sealed for the environment that holds it. */
  readonly sealed: string;
  /** JavaScript. */
  readonly transform: string;
  /** What providers are answered; null: as EV-1 says. */
  readonly response: WebhookResponse | null;
}

type Row = EventKeyRow & { readonly sealed: string; readonly transform: string; readonly response: string | null };

const SELECT = `SELECT ${EVENT_KEY_COLUMNS}, k.sealed, w.transform, w.response
  FROM event_keys k JOIN webhooks w ON w.key_id = k.id`;

function toWebhook({ sealed, transform, response, ...key }: Row): Webhook {
  const parsed = response === null ? null : parseJson(response);
  return {
    key: { ...toEventKey(key), webhook: true },
    sealed,
    transform,
    response: parsed === null ? null : webhookResponse.parse(parsed.ok ? parsed.value : null),
  };
}

/** The webhooks that an environment holds, oldest first. */
export async function listWebhooks(db: D1Database, holderId: string): Promise<Webhook[]> {
  const statement = db.prepare(`${SELECT} WHERE k.environment_id = ?1 ORDER BY k.id`).bind(holderId);
  return (await statement.all<Row>()).results.map(toWebhook);
}

/** One webhook of an environment; null when there is none with this id. */
export async function findWebhook(db: D1Database, holderId: string, id: string): Promise<Webhook | null> {
  const row = await db.prepare(`${SELECT} WHERE k.environment_id = ?1 AND k.id = ?2`).bind(holderId, id).first<Row>();
  return row === null ? null : toWebhook(row);
}

/** What a new webhook is. */
export type NewWebhook = Pick<Webhook, "transform" | "response"> & {
  readonly name: string;
  readonly filters: KeyFilters;
};

/** Makes a webhook, and answers it with the value of its key. `now` in ms. Throws `not_configured` without `MILLRACE_SECRET`. */
export async function createWebhook(
  db: D1Database,
  settings: Pick<Settings, "secrets">,
  holderId: string,
  { name, filters, transform, response }: NewWebhook,
  now: number,
): Promise<{ readonly webhook: Webhook; readonly value: string }> {
  const wanted = { holderId, name, filters, purpose: "webhook" } as const;
  const { key, value, sealed, statement } = await makeEventKey(db, settings, wanted, now);
  const row = db
    .prepare("INSERT INTO webhooks (key_id, transform, response) VALUES (?1, ?2, ?3)")
    .bind(key.id, transform, textOf(response));
  await db.batch([statement, row]);
  return { webhook: { key: { ...key, webhook: true }, sealed, transform, response }, value };
}

/** What of a webhook is to be changed; null leaves it as it is, and so does an undefined response. */
export interface WebhookChange {
  readonly name: string | null;
  readonly filters: KeyFilters | null;
  readonly transform: string | null;
  readonly response: WebhookResponse | null | undefined;
}

/** Changes a webhook, all of it or nothing. `now` in ms. */
export async function changeWebhook(
  db: D1Database,
  { key }: Webhook,
  { name, filters, transform, response }: WebhookChange,
  now: number,
): Promise<void> {
  const row = db
    .prepare(`UPDATE webhooks SET transform = COALESCE(?2, transform), response = CASE ?3 WHEN 1 THEN ?4 ELSE response END
      WHERE key_id = ?1`)
    .bind(key.id, transform, response === undefined ? 0 : 1, textOf(response ?? null));
  await db.batch([changeStatement(db, key, { name, filters, disabled: null }, now), row]);
}

/** Deletes a webhook with the log of its deliveries. */
export async function deleteWebhook(db: D1Database, { key }: Webhook): Promise<void> {
  await db.batch([
    db.prepare("DELETE FROM webhook_deliveries WHERE key_id = ?1").bind(key.id),
    db.prepare("DELETE FROM webhooks WHERE key_id = ?1").bind(key.id),
    deleteStatement(db, key),
  ]);
}

function textOf(response: WebhookResponse | null): string | null {
  return response === null ? null : JSON.stringify(response);
}
