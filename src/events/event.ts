/**
 * What an event is, once accepted. Owns the types shared by ingest, routing, runs and history; holds no behaviour.
 */
import type { JsonObject } from "../json.ts";

/** The event as functions see it (protocol/01 §1.4); an alias, not an interface, so that it counts as JSON. `id` is the sender's id or the internal one; `user` is always present. */
export type EventPayload = {
  readonly name: string;
  readonly data: JsonObject;
  readonly id: string;
  /** ms since 1970. */
  readonly ts: number;
  readonly user: JsonObject;
  readonly v?: string;
  readonly meta?: { readonly sessions: JsonObject };
};

/** An event the engine has taken responsibility for. */
export interface AcceptedEvent {
  /** ULID; its time part is the receive time, or the seed's time for a seeded send. */
  readonly internalId: string;
  /** ms since 1970. */
  readonly receivedAt: number;
  /** Who sent it: an SDK's name and version, `cron`, `rest`, or `engine` for system events (EV-28). */
  readonly source: string;
  /** The sender's deduplication id (EV-15); null when none was given. */
  readonly deduplicationId: string | null;
  /** How many runs led to it, one after the other (SE-18); absent for an event that no run is known to have sent. */
  readonly depth?: number;
  readonly payload: EventPayload;
}

/** An option whose key could not be computed, so that the empty key was used, and why (FC-41); an alias, so that it counts as JSON. */
export type KeyWarning = {
  /** As its user wrote it: `rateLimit.key`. */
  readonly option: string;
  readonly reason: string;
};

/** What one function did with an event (EV-12). */
export type EventOutcome =
  | {
      readonly functionId: string;
      readonly functionSlug: string;
      /** `batched`, `debounced`: the event joined a window, and `runId` is the run that the window will start. */
      readonly outcome: "started" | "batched" | "debounced";
      readonly runId: string;
      /** Absent when there are none. */
      readonly warnings?: readonly KeyWarning[];
    }
  | {
      readonly functionId: string;
      readonly functionSlug: string;
      readonly outcome: "skipped";
      readonly reason:
        | "duplicate_event"
        | "event_loop"
        | "function_paused"
        | "rate_limited"
        | "idempotent"
        | "singleton";
      /** The entry that shows it in lists of runs (CR-20, FC-38); absent for skips that leave none. */
      readonly runId?: string;
      readonly warnings?: readonly KeyWarning[];
    }
  | {
      readonly functionId: string;
      readonly functionSlug: string;
      readonly outcome: "expression_error";
      readonly reason: string;
    };

/** An event together with what became of it, as history keeps it. */
export interface RoutedEvent {
  readonly event: AcceptedEvent;
  readonly outcomes: readonly EventOutcome[];
  /** True when an earlier event used the same id within 24 h: it started nothing (EV-15). */
  readonly duplicate: boolean;
}
