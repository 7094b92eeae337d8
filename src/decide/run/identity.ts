/**
 * What a run is born with and keeps for its life (AP-30): whose it is, what triggered it, and the configuration pinned at its start.
 * Pure types; values come from routing and are never changed afterwards.
 */
import type { RoutedEvent } from "../../events/event.ts";
import type { Json } from "../../json.ts";
import type { RunFlow } from "./flow.ts";

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
  /** The step that invoked this run and waits for its end (EX-50). */
  readonly parent: { readonly runId: string; readonly stepId: string } | null;
  /** Further steps that wait for its end, when several invocations gathered in one window. */
  readonly otherParents?: readonly { readonly runId: string; readonly stepId: string }[];
  /** The run that was rerun, when this one is its copy. */
  readonly originalRunId: string | null;
  /** The replay that started it (CR-22); absent for all others. */
  readonly replayId?: string;
  /** Present when it goes on from results of the original (CR-26). */
  readonly fork?: Fork;
  /** Present when something limits the run or may end it early (spec/05, spec/06). */
  readonly flow?: RunFlow;
  /** Its events were stored when they joined a batch or a debounce window: the run does not report them. */
  readonly gathered?: true;
  /** Present when the run began in the app's own HTTP handler (EX-68); its request is the trigger event. */
  readonly endpoint?: EndpointOrigin;
}

/** Where a run begins that goes on from results of another one. */
export interface Fork {
  /** The hashed id of the step it begins with. */
  readonly stepId: string;
  /** Results it takes over: so many of the original's, in the order they came. */
  readonly results: number;
  /** What the step is executed with instead of what the function gives it (CR-27); absent when that is not changed. */
  readonly edit?: Edit;
}

/** Another input for a step. `arguments`: the app executes it; `request`: the engine makes its request. */
export interface Edit {
  readonly of: "arguments" | "request";
  /** The list of arguments. */
  readonly input: readonly Json[];
}

/** How the engine enters an endpoint again (protocol/09 §9.4), with the body that the trigger event holds. */
export interface EndpointOrigin {
  readonly method: string;
  /** Absolute, with the query. */
  readonly url: string;
  /** Empty when the request had none. */
  readonly contentType: string;
  /** Protocol version the SDK speaks. */
  readonly version: number;
  /** The SDK as it names itself: `inngest-js:v4.24.0`. */
  readonly sdk: string;
  /** ms; how long the handler may be silent before the engine takes the run over. */
  readonly lease: number;
}
