/**
 * Events that gather before they run: what is said to the window of a function and key, and what the window says. Owns the types that
 * routing, the window's object and its readers share; holds no behaviour.
 */
import type { RunIdentity } from "../decide/run/identity.ts";
import type { BatchOptions } from "../decide/window/batch.ts";
import type { DebounceOptions } from "../decide/window/debounce.ts";
import type { AcceptedEvent } from "./event.ts";

/** A step of another run that waits for the run an event starts (EX-50). */
export type Parent = NonNullable<RunIdentity["parent"]>;

/** What gathers: many events for one run, or the last one of many. */
export type GatherKind = "batch" | "debounce";

/** An event on its way into a window. */
export interface Gathering {
  readonly event: AcceptedEvent;
  readonly parent: Parent | null;
}

/** The events of one request for one function and key, in the order of the request. */
export interface JoinCall<Options> {
  readonly events: readonly Gathering[];
  /** The key's value, which the object's name may only hold as a digest. */
  readonly key: string;
  readonly options: Options;
  /** How many runs led to these events (SE-18). */
  readonly depth: number;
}

/** A call by kind of window. */
export type Join =
  | ({ readonly kind: "batch" } & JoinCall<BatchOptions>)
  | ({ readonly kind: "debounce" } & JoinCall<DebounceOptions>);

/** An open window as others see it (FC-28). Times are ms since 1970. */
export interface OpenWindow {
  readonly key: string;
  /** The run it will start. */
  readonly runId: string;
  /** Events that joined. */
  readonly events: number;
  readonly openedAt: number;
  /** When it closes unless another event comes. */
  readonly closesAt: number;
  /** Of the payloads its run gets, as JSON. */
  readonly bytes: number;
}

/** A window that is closed, with everything its run needs. */
export interface ClosedWindow {
  /** Internal id of the event that opened it; the run's id derives from it. */
  readonly opener: string;
  readonly key: string;
  /** ms since 1970. */
  readonly closedAt: number;
  /** The members of a batch in order of receipt, or the winner of a debounce window. */
  readonly events: readonly [AcceptedEvent, ...AcceptedEvent[]];
  /** Steps that wait for the run, also those whose events did not win. */
  readonly parents: readonly Parent[];
  readonly depth: number;
}
