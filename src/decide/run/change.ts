/**
 * The facts a run's log is made of. One row of the log is one decision: an array of these, committed together.
 * Rows are kept for the life of the run and read by later versions of the engine: kinds and fields are only ever added.
 */
import type { Json } from "../../json.ts";
import type { MetadataChange } from "../../protocol/metadata.ts";
import type { StepLabel } from "../../protocol/opcodes.ts";
import type { ModelCall } from "./ai-activity.ts";
import type { CallFacts } from "./call-facts.ts";
import type { CancelCause } from "./flow.ts";
import type { RunIdentity } from "./identity.ts";
import type { Defer, Outcome, ResponseHead, WaitTarget } from "./state.ts";

/** One fact. Times are ms since 1970. */
export type Change =
  | { readonly is: "created"; readonly identity: RunIdentity; readonly bytes: number }
  | { readonly is: "begun"; readonly at: number }
  | { readonly is: "negotiated"; readonly version: number }
  | {
      readonly is: "queued";
      readonly stepId: string | null;
      readonly due: number;
      /** Absent: a call of the app. */
      readonly request?: true;
      /** Absent: 0. */
      readonly attempt?: number;
    }
  /** A lost call is to be made again; not before `due`, when the lost one may still be executing under a limit (FC-10). */
  | { readonly is: "delivered"; readonly job: number; readonly due?: number }
  /** The singleton it waited for is its own (FC-43). */
  | { readonly is: "entered" }
  /** The throttle let the run start (FC-15). */
  | { readonly is: "admitted" }
  /** The job stands in a line and nothing of it is in flight: no watchdog is needed, the line will call (FC-12). */
  | { readonly is: "lined"; readonly job: number }
  /** The line has called. */
  | { readonly is: "granted"; readonly job: number }
  /** Its function's pause that began at `since` holds it back; `at` is when it met that pause (CR-15). */
  | { readonly is: "suspended"; readonly since: number; readonly at: number }
  /** The pause that began at `since` is over, and so is every earlier one; the finish time-out comes `length` ms later. */
  | { readonly is: "resumed"; readonly since: number; readonly length: number }
  /** After it was held, its lines let it take its place among the whole runs again (FC-13, CR-18). */
  | { readonly is: "rejoined" }
  /** The run is to be cancelled when what executes has ended (CR-1). */
  | { readonly is: "cancelling"; readonly cause: CancelCause }
  | {
      readonly is: "retried";
      readonly job: number;
      readonly attempt: number;
      readonly due: number;
      readonly error: Json;
      /** Absent in logs of earlier versions: unknown. */
      readonly at?: number;
      /** The step that failed; absent when it was code between steps, and in logs of earlier versions. */
      readonly step?: { readonly id: string; readonly label: StepLabel };
    }
  /** How the exchange was that this decision follows from. For traces; absent in logs of earlier versions. */
  | ({ readonly is: "called"; readonly job: number } & CallFacts)
  | { readonly is: "done"; readonly job: number }
  /** A checkpoint arrived: what fails from here on fails for the first time. */
  | { readonly is: "progressed"; readonly job: number }
  /** The handler that began the run is alive: its job is not due before `due`. */
  | { readonly is: "held"; readonly job: number; readonly due: number }
  /** Status and headers of an endpoint's response. */
  | { readonly is: "responded"; readonly head: ResponseHead }
  | { readonly is: "branched" }
  | { readonly is: "rediscover"; readonly owed: boolean }
  | { readonly is: "idle"; readonly calls: number }
  | ({ readonly is: "planned" } & Announcement)
  | ({ readonly is: "sleeping"; readonly until: number } & Announcement)
  | ({ readonly is: "waiting"; readonly on: WaitTarget; readonly until: number } & Announcement)
  | ({ readonly is: "requesting"; readonly via: "gateway" | "ai"; readonly attempt: number } & Announcement)
  | { readonly is: "deferred"; readonly id: string; readonly defer: Defer; readonly bytes: number }
  | { readonly is: "annotated"; readonly change: MetadataChange; readonly bytes: number }
  | { readonly is: "undeferred"; readonly id: string }
  | ({ readonly is: "finished"; readonly memo: Json; readonly bytes: number } & FinishDetails & Announcement)
  /** `outlasting`: calls that go on after it, as `RunState.outlasting`; absent without any, and in logs of earlier versions. */
  | ({ readonly is: "ended"; readonly outlasting?: readonly (number | null)[] } & Outcome);

/** What traces tell of a finished step besides its result; absent in logs of earlier versions. */
export interface FinishDetails {
  /** It was never announced, because its time had passed already. */
  readonly as?: "sleep" | "event" | "signal";
  /** What ended its wait: the internal id of an event, or the run that was invoked. */
  readonly by?: { readonly eventId: string } | { readonly runId: string };
  /** The arguments it was executed with, credentials masked. */
  readonly input?: Json;
  /** The call of a model that it wrapped; for metrics alone. */
  readonly ai?: ModelCall;
}

/** A step as it entered the run. */
interface Announcement {
  readonly id: string;
  readonly label: StepLabel;
  readonly group: number;
  readonly race: boolean;
  readonly at: number;
}

/** One row of the log. */
export interface Decision {
  readonly at: number;
  readonly changes: readonly Change[];
}
