/**
 * What a run's log says about its jobs and steps, gathered for its trace. Types only; `fold.ts` fills them.
 */
import type { CallFacts } from "../decide/run/call-facts.ts";
import type { FinishDetails } from "../decide/run/change.ts";
import type { RunIdentity } from "../decide/run/identity.ts";
import type { Outcome, WaitTarget } from "../decide/run/state.ts";
import type { Json } from "../json.ts";
import type { MetadataChange } from "../protocol/metadata.ts";
import type { StepLabel } from "../protocol/opcodes.ts";
import type { Delivery } from "./context.ts";

/** Something of the log that may be large. `value` is absent where it was not kept: a log may hold more than fits beside the run's state. */
export interface Kept {
  /** As JSON. */
  readonly bytes: number;
  readonly value?: Json;
}

/** Whether a value of so many bytes is kept; `owner` is the step it belongs to, or null for what is none's. */
export type Keeps = (owner: string | null, bytes: number) => boolean;

/** One execution of a step, or of code between steps. Times are ms since 1970. */
export interface AttemptRecord {
  readonly delivery: Delivery;
  readonly queuedAt: number;
  /** Null when the log does not say when its call began, as while that goes on. */
  startedAt: number | null;
  readonly endedAt: number;
  /** Null when it succeeded. */
  readonly error: Kept | null;
  /** When it was to be tried again; null for the last one. */
  readonly nextAt: number | null;
  readonly call: CallFacts | null;
}

/** A piece of work that needs a call. */
export interface JobRecord {
  readonly id: number;
  readonly stepId: string | null;
  readonly request: boolean;
  /** When it is due. */
  due: number;
  generation: number;
  /** Since when its delivery has been open; null while its next attempt lies ahead. */
  openedAt: number | null;
  /** The call that the newest decision follows from. */
  call: CallFacts | null;
  /** Where the last step ended that its present call executed. */
  cursor: number | null;
  /** Failures of code between steps. */
  readonly failures: AttemptRecord[];
  /** Attempts of its present call that wait to learn when that began. */
  unstarted: AttemptRecord[];
  done: boolean;
}

/** How a step was announced, when it was. */
export type Announced =
  | { readonly is: "planned" }
  | { readonly is: "sleeping"; readonly at: number; readonly until: number }
  | { readonly is: "waiting"; readonly at: number; readonly on: Awaited; readonly until: number }
  | { readonly is: "requesting"; readonly via: "gateway" | "ai" };

/** What a step waits for; what an invocation sends may be large. */
export type Awaited =
  | Exclude<WaitTarget, { readonly kind: "invoke" }>
  | { readonly kind: "invoke"; readonly functionId: string; readonly data: Kept };

/** A step. */
export interface StepRecord {
  readonly id: string;
  readonly label: StepLabel;
  readonly group: number;
  readonly at: number;
  announced: Announced | null;
  readonly attempts: AttemptRecord[];
  finished: FinishedRecord | null;
  /** When its newest call began, also of one whose result was not kept; null while none has been answered. */
  calledAt: number | null;
  /** A call of it was made again, so that it may have executed twice. */
  repeated: boolean;
}

/** How a step ended. */
export interface FinishedRecord extends Omit<FinishDetails, "input"> {
  readonly at: number;
  readonly ok: boolean;
  /** What it waited for did not come in time. */
  readonly timedOut: boolean;
  /** Its result or its error, out of its envelope. */
  readonly result: Kept;
  readonly input: Kept | null;
}

/** Everything the log says. */
export interface RunRecord {
  readonly identity: RunIdentity;
  startedAt: number | null;
  keptOut: boolean;
  suspended: boolean;
  readonly jobs: Map<number, JobRecord>;
  /** The newest job of each step that has one of its own. */
  readonly ownJobs: Map<string, JobRecord>;
  readonly steps: Map<string, StepRecord>;
  /** Metadata in order, with the time of each change. */
  readonly metadata: { readonly change: MetadataChange; readonly at: number }[];
  outcome: EndRecord | null;
}

/** How the run ended. */
export interface EndRecord extends Outcome {
  /** The job whose call brought it; null when none did. */
  readonly job: JobRecord | null;
  /** When the code after the last step began; null when nobody knows. */
  readonly startedAt: number | null;
  readonly call: CallFacts | null;
}
