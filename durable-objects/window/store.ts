/**
 * What the two kinds of gathering window have in common on disk. Types only; a batch and a debounce window each have a file.
 */
import type { Span } from "../../src/decide/window/repeats.ts";
import type { ClosedWindow, JoinCall, OpenWindow } from "../../src/events/gathering.ts";

/** Where an event is already, by its internal id: the opener of that window, or null. */
export type PlaceOf = (id: string) => string | null;

/** The open window and those whose runs are still to be started. Whoever writes has the transaction. */
export interface GatherStore<Options> {
  /** Lets events join at `now`, and answers the opener of each event's window. `remembered` knows the windows that are over. */
  join(call: JoinCall<Options>, remembered: PlaceOf, now: number): readonly string[];
  /** The window that takes events, without its run's id; null when there is none. */
  open(): (Omit<OpenWindow, "runId"> & { readonly opener: string }) | null;
  /** Closes the open window at `now`: its run is to be started. */
  close(now: number): void;
  /** Openers of the closed windows whose runs are to be started, in the order in which they closed. */
  closed(): readonly string[];
  /** A closed window with its events. */
  load(opener: string): ClosedWindow;
  /** Removes a closed window, and gives the events it had. */
  remove(opener: string): readonly Span[];
}
