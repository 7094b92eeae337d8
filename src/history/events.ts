/**
 * Events in D1: stored with full payload, source and outcomes (EV-27, EV-12), and read back.
 * Guarantees that storing is idempotent: an event is written once, and its outcomes replace a pending fan-out once.
 * Every statement names its environment (SE-8); callers have run `ensureSchema`.
 */
import { countD1 } from "../counters.ts";
import type { AcceptedEvent, EventOutcome, EventPayload, RoutedEvent } from "../events/event.ts";
import { isUlid } from "../ids.ts";
import { HISTORY } from "../limits.ts";
import { type EncodedRow, encodeRow, packRows, type Row } from "./bulk.ts";
import { notErased } from "./erased.ts";
import type { StoredEvent } from "./message.ts";
import { loadParts, partStatements } from "./payload-parts.ts";

/** One event to write. `routed` is false while its fan-out is still pending. */
export interface EventEntry {
  readonly environmentId: string;
  readonly stored: RoutedEvent;
  readonly routed: boolean;
}

/** Which events a list shows. Times are ms since 1970: `receivedAfter` ≤ received < `receivedBefore`. */
export interface EventFilter {
  readonly name: string | null;
  /** One of these names; absent or empty: any. */
  readonly names?: readonly string[];
  /** Who sent it, as the event says; absent or null: anybody. */
  readonly source?: string | null;
  readonly receivedAfter: number | null;
  readonly receivedBefore: number | null;
  /** The engine's own are among them, unasked; absent: only when they are asked for by name. */
  readonly internal?: true;
}

// The engine's own names (EV-9): kept out of the index and out of ordinary lists.
const INTERNAL = /^inngest\//i;

const INSERT = `INSERT INTO events
  (environment_id, internal_id, name, received_at, source, deduplication_id, payload, outcomes, duplicate, routed, internal, depth)
  SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5, value->>6, value->>7, value->>8, value->>9, value->>10, value->>11
  FROM json_each(?1) WHERE ${notErased("value->>0", "value->>1")}
  ON CONFLICT (environment_id, internal_id) DO UPDATE
  SET outcomes = excluded.outcomes, duplicate = excluded.duplicate, routed = 1
  WHERE events.routed = 0 AND excluded.routed = 1`;

/**
 * Statements that write events, one per `HISTORY.rowBytes` of them; to be run in one `batch()`. Of entries for the same event a
 * routed one wins, in the list as in the table.
 */
export function eventStatements(db: D1Database, entries: readonly EventEntry[]): D1PreparedStatement[] {
  const rows: EncodedRow[] = [];
  const parts: D1PreparedStatement[] = [];
  for (const entry of distinctEvents(entries)) {
    const payload = JSON.stringify(entry.stored.event.payload);
    const row = encodeRow(eventRow(entry, payload));
    if (row.bytes + 2 <= HISTORY.rowBytes) {
      rows.push(row);
    } else {
      rows.push(encodeRow(eventRow(entry, null)));
      parts.push(...partStatements(db, entry.environmentId, entry.stored.event.internalId, payload));
    }
  }
  return [...parts, ...packRows(rows, HISTORY.rowBytes).map((parameter) => db.prepare(INSERT).bind(parameter))];
}

/** One entry for each event, a routed one if there is any. */
export function distinctEvents<Entry extends EventEntry>(entries: readonly Entry[]): Entry[] {
  const distinct = new Map<string, Entry>();
  for (const entry of entries) {
    const key = `${entry.environmentId} ${entry.stored.event.internalId}`;
    if (distinct.get(key)?.routed !== true) distinct.set(key, entry);
  }
  return [...distinct.values()];
}

/** Whether an event is one of the engine's own (EV-9). */
export function isInternal(name: string): boolean {
  return INTERNAL.test(name);
}

function eventRow({ environmentId, stored, routed }: EventEntry, payload: string | null): Row {
  const { event, outcomes, duplicate } = stored;
  return [
    environmentId,
    event.internalId,
    event.payload.name,
    event.receivedAt,
    event.source,
    event.deduplicationId,
    payload,
    JSON.stringify(outcomes),
    duplicate ? 1 : 0,
    routed ? 1 : 0,
    isInternal(event.payload.name) ? 1 : 0,
    event.depth ?? null,
  ];
}

/** Stores events of one environment, all or none (EV-4). `routed: false` marks a fan-out that is still to come. */
export async function storeEvents(
  db: D1Database,
  environmentId: string,
  events: readonly RoutedEvent[],
  { routed }: { routed: boolean },
): Promise<void> {
  const statements = eventStatements(
    db,
    events.map((stored) => ({ environmentId, stored, routed })),
  );
  if (statements.length === 0) return;
  for (const { meta } of await db.batch(statements)) countD1(meta);
}

/** A row of the table. */
export interface EventRecord {
  readonly internal_id: string;
  readonly received_at: number;
  readonly source: string;
  readonly deduplication_id: string | null;
  readonly payload: string | null;
  readonly outcomes: string;
  readonly duplicate: number;
  readonly routed: number;
  readonly depth: number | null;
}

/** The columns of an {@link EventRecord}. */
export const EVENT_COLUMNS =
  "internal_id, received_at, source, deduplication_id, payload, outcomes, duplicate, routed, depth";

/** Events by internal id, in the order of the ids; ids that are not stored are left out. */
export async function loadEvents(
  db: D1Database,
  environmentId: string,
  internalIds: readonly string[],
): Promise<AcceptedEvent[]> {
  return (await loadStoredEvents(db, environmentId, internalIds)).map(({ event }) => event);
}

/** {@link loadEvents} with what is known to have become of them. */
export async function loadStoredEvents(
  db: D1Database,
  environmentId: string,
  internalIds: readonly string[],
): Promise<StoredEvent[]> {
  const { results } = await db
    .prepare(
      `SELECT ${EVENT_COLUMNS} FROM events
       WHERE environment_id = ?1 AND internal_id IN (SELECT value FROM json_each(?2))`,
    )
    .bind(environmentId, JSON.stringify(internalIds))
    .all<EventRecord>();
  const stored = await restoreEvents(db, environmentId, results);
  const byId = new Map(stored.map((one) => [one.event.internalId, one]));
  return internalIds.map((id) => byId.get(id)).filter((event) => event !== undefined);
}

/** The event with this internal id, or else the newest one its sender gave this id (EV-6, API-7); null when there is none. */
export async function findEvent(db: D1Database, environmentId: string, id: string): Promise<StoredEvent | null> {
  const byInternalId = `SELECT ${EVENT_COLUMNS} FROM events WHERE environment_id = ?1 AND internal_id = ?2`;
  const bySenderId = `SELECT ${EVENT_COLUMNS} FROM events INDEXED BY events_by_sender_id WHERE environment_id = ?1 AND deduplication_id = ?2
    ORDER BY internal_id DESC LIMIT 1`;
  for (const query of isUlid(id) ? [byInternalId, bySenderId] : [bySenderId]) {
    const { results } = await db.prepare(query).bind(environmentId, id).all<EventRecord>();
    const [event] = await restoreEvents(db, environmentId, results);
    if (event !== undefined) return event;
  }
  return null;
}

/** Events as they were stored, in the order of the records. */
export async function restoreEvents(
  db: D1Database,
  environmentId: string,
  records: readonly EventRecord[],
): Promise<StoredEvent[]> {
  const split = records.filter((record) => record.payload === null).map((record) => record.internal_id);
  const parts = await loadParts(db, environmentId, split);
  return records.map((record) => {
    const payload = record.payload ?? parts.get(record.internal_id);
    if (payload === undefined) throw new Error(`The payload of event ${record.internal_id} is missing from history.`);
    return {
      event: {
        internalId: record.internal_id,
        receivedAt: record.received_at,
        source: record.source,
        deduplicationId: record.deduplication_id,
        ...(record.depth === null ? {} : { depth: record.depth }),
        // Both texts were made by `eventRow` from values of these types.
        payload: JSON.parse(payload) as EventPayload,
      },
      outcomes: JSON.parse(record.outcomes) as EventOutcome[],
      duplicate: record.duplicate === 1,
      routed: record.routed === 1,
    };
  });
}
