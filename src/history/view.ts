/**
 * What a run's object shows of itself. Owns the types its readers and the object share; holds no behaviour.
 * The object is the truth about a run, D1 a projection of it (API-6).
 */
import type { LineRef } from "../decide/capacity/line.ts";
import type { RunFlow } from "../decide/run/flow.ts";
import type { JsonObject } from "../json.ts";
import type { RunRow } from "./message.ts";

/** What a queued job is about to do: begin, call the app between steps, call it for one step, or wait for a moment or an event. */
type RunJobKind = "start" | "edge" | "step" | "sleep" | "wait";

/** One thing a run has queued (API-9). */
export interface RunJob {
  /** Unique within the run, stable while the job is queued. */
  readonly id: string;
  readonly kind: RunJobKind;
  /** When it is due, ms since 1970: the wake-up time of a sleep, the time-out of a wait. */
  readonly at: number;
  /** Attempts that were already made. */
  readonly attempt: number;
  /** Id of the step as its user wrote it; null for code between steps. */
  readonly step: string | null;
  /** The limit it waits for and since when, ms since 1970 (BY-12); absent when it waits for none, or for one not known yet. */
  readonly waitingFor?: LineRef & { readonly since: number };
}

/** A run as its object sees it at this moment. */
export interface RunView {
  readonly row: RunRow;
  /** Empty once the run has ended. */
  readonly jobs: readonly RunJob[];
  /** What steps and scores noted (EX-72): one object per step or run and kind. */
  readonly metadata: readonly JsonObject[];
  /** Where flow control placed it (FC-30); absent when nothing limits the run, and when its object is gone. */
  readonly flow?: Pick<RunFlow, "priority" | "priorityError">;
}
