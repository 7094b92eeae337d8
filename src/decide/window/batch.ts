/**
 * Batches of one function and key (FC-32 … FC-36): which events go together. Pure: the state of one `Window` object and what follows.
 * Guarantees that every event is in exactly one batch, however often it joins.
 */
import type { AcceptedEvent } from "../../events/event.ts";
import { WINDOW } from "../../limits.ts";
import { arrivalOf } from "./arrival.ts";

/** The function's option as one version of its registration has it; of two the higher version counts. */
export interface BatchOptions {
  readonly version: number;
  /** Events. */
  readonly maxSize: number;
  /** ms from the first event. */
  readonly timeout: number;
}

/** A batch that takes events. */
export interface Batch {
  /** Internal id of the event that opened it; its run's id derives from it. */
  readonly opener: string;
  /** ms since 1970. */
  readonly openedAt: number;
  readonly options: BatchOptions;
  readonly count: number;
  /** Of its events' payloads as JSON. */
  readonly bytes: number;
}

/** An event that joins. */
export interface BatchCandidate {
  /** Internal id. */
  readonly id: string;
  /** ms since 1970. */
  readonly receivedAt: number;
  /** Of its payload as JSON. */
  readonly bytes: number;
}

/** A batch that a call changed. */
export interface ChangedBatch {
  readonly batch: Batch;
  /** It did not exist before. */
  readonly opened: boolean;
  /** It takes no more events and is to be started. */
  readonly closed: boolean;
  /** The candidates that it took, by their index. */
  readonly added: readonly number[];
}

/** What a call comes to. */
export interface BatchJoin {
  /** Earliest first. At most the last one is open. */
  readonly changed: readonly ChangedBatch[];
  /** The opener of each candidate's batch. */
  readonly places: readonly string[];
}

/** Puts the events of one batch in order of receipt; those of one send reach it together or in portions, and have rising ids. */
export function inOrderOfReceipt<Event extends Pick<AcceptedEvent, "internalId" | "receivedAt">>(
  events: readonly Event[],
): Event[] {
  return events.toSorted(
    (a, b) => a.receivedAt - b.receivedAt || (a.internalId < b.internalId ? -1 : a.internalId > b.internalId ? 1 : 0),
  );
}

/** When the batch closes at the latest, ms since 1970. */
export function batchClosesAt({ openedAt, options }: Batch): number {
  return openedAt + options.timeout;
}

/**
 * Lets the events of one call join at `now`. `open` is the batch that takes events, or null; `placeOf` gives the opener of the batch an
 * event is in already, or null.
 */
export function joinBatch(
  open: Batch | null,
  candidates: readonly BatchCandidate[],
  { options, placeOf, now }: { options: BatchOptions; placeOf: (id: string) => string | null; now: number },
): BatchJoin {
  const changed: ChangedBatch[] = [];
  const places = new Map<string, string>();
  let current: ChangedBatch | null = open === null ? null : unchanged(open, options, now);
  for (const [index, { id, receivedAt, bytes }] of candidates.entries()) {
    const place = places.get(id) ?? placeOf(id);
    if (place !== null) {
      places.set(id, place);
      continue;
    }
    if (current !== null && !hasRoom(current.batch, bytes, now)) {
      changed.push({ ...current, closed: true });
      current = null;
    }
    current ??= opening(id, arrivalOf(receivedAt, now, options.timeout), options);
    const { batch } = current;
    const grown = { ...batch, count: batch.count + 1, bytes: batch.bytes + bytes };
    current = { ...current, batch: grown, added: [...current.added, index] };
    places.set(id, batch.opener);
    if (grown.count < grown.options.maxSize) continue;
    changed.push({ ...current, closed: true });
    current = null;
  }
  if (current !== null && (current.added.length > 0 || current.batch.options !== open?.options)) changed.push(current);
  return { changed, places: candidates.map(({ id }) => places.get(id) ?? id) };
}

function unchanged(batch: Batch, options: BatchOptions, now: number): ChangedBatch {
  const newest = options.version > batch.options.version ? options : batch.options;
  // A clock that went back must not keep it open for longer.
  const openedAt = Math.min(batch.openedAt, now);
  return { batch: { ...batch, options: newest, openedAt }, opened: false, closed: false, added: [] };
}

function opening(opener: string, openedAt: number, options: BatchOptions): ChangedBatch {
  return { batch: { opener, openedAt, options, count: 0, bytes: 0 }, opened: true, closed: false, added: [] };
}

/** The event that would take it over its size opens the next one (FC-33). */
function hasRoom(batch: Batch, bytes: number, now: number): boolean {
  return now < batchClosesAt(batch) && batch.count < batch.options.maxSize && batch.bytes + bytes <= WINDOW.batchBytes;
}
