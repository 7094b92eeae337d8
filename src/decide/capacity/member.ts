/**
 * A run in a line: what it holds, what it waits for, and how far it has been told. Pure. The records are changed by `roster.ts` alone,
 * in place, because a line has thousands of them and changes one at a time.
 */
import type { Claim, Fence, LineLimit, Place } from "./line.ts";

/** What is stored of a run. Times are ms since 1970. */
export interface Entry {
  readonly environmentId: string;
  readonly runId: string;
  readonly functionId: string;
  /** The newest it has said, or something older that meant the same: saying it again costs no row. */
  fence: Fence;
  /** Units held, those in use included, and those it may believe it holds. */
  held: number;
  /** Units it stands in line for. */
  wants: number;
  place: Place;
  /** The function's limit as the run knew it. */
  limit: LineLimit;
  /** Since when it holds and waits; 0 when it does not. */
  heldSince: number;
  waitsSince: number;
  /** It was called, or is to be, and has not answered: what it may have been told of stays its own until it has. */
  owed: boolean;
}

/** An entry, and what one instance knows besides. */
export interface Member extends Entry {
  /** It has a row. */
  stored: boolean;
  /** Of what it holds, units it was not told of by the newest answer, but perhaps by a call: nobody else gets them before it has answered. */
  spare: number;
  /** When it last spoke; null when that was before this instance. */
  heardAt: number | null;
  /** It may have left before what it said arrived: until it speaks again it is owed a question. */
  doubted: boolean;
  /** It knows that it has to yield; until its next claim it need not be told again. */
  warned: boolean;
  /** A call is under way. */
  calling: boolean;
  /** It was given units by neither an answer nor a call so far. */
  untold: boolean;
  /** Calls that failed, in a row. */
  failures: number;
}

/** A run that comes to a line, with nothing yet. */
export function newcomer({ environmentId, runId, functionId, fence, place, limit }: Claim): Member {
  const nothing = { held: 0, wants: 0, heldSince: 0, waitsSince: 0, owed: false };
  return { environmentId, runId, functionId, fence, place, limit, ...nothing, stored: false, ...UNKNOWN };
}

/** A run as it was stored. */
export function restored(entry: Entry): Member {
  return { ...entry, stored: true, ...UNKNOWN };
}

const UNKNOWN = {
  spare: 0,
  heardAt: null,
  doubted: false,
  warned: false,
  calling: false,
  untold: false,
  failures: 0,
};

/** Names a run among all environments. */
export function keyOf({ environmentId, runId }: Pick<Entry, "environmentId" | "runId">): string {
  return `${environmentId}:${runId}`;
}
