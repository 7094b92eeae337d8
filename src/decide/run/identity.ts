/**
 * What a run is born with and keeps for its life (AP-30): whose it is, what triggered it, and the configuration pinned at its start.
 * Pure types; values come from routing and are never changed afterwards.
 */
import type { RoutedEvent } from "../../events/event.ts";

/** Everything `Run.start` is told. All times are ms since 1970. */
export interface RunIdentity {
  readonly environmentId: string;
  /** ULID. */
  readonly runId: string;
  readonly app: { readonly id: string; readonly name: string };
  readonly function: {
    /** UUID. */
    readonly id: string;
    /** `<app id>-<function id>`; also the `fnId` of every call. */
    readonly slug: string;
    readonly name: string;
    readonly version: number;
  };
  /** Retries of every step and of the code between steps (EX-19). */
  readonly retries: number;
  /** The trigger event first; one element unless batched. */
  readonly events: readonly RoutedEvent[];
  readonly queuedAt: number;
  /** Not before this time (EV-10). */
  readonly startAt: number;
  /** How many events led here by runs sending events (SE-18). */
  readonly depth: number;
  /** The run that was rerun, when this one is its copy. */
  readonly originalRunId: string | null;
}
