/**
 * A pass over a table that never ends: row by row in the order of the ids, a page at a time, and from the beginning again now and then, for
 * what could not go when it was passed. Pure.
 */
import { RETENTION } from "../../limits.ts";

/** How far a pass has come. */
export interface Walk {
  /** The id of the last row that was looked at; empty before the first. */
  readonly cursor: string;
  /** When it began, ms since 1970. */
  readonly beganAt: number;
  /** It has come to the end: what it finds from now on is new. */
  readonly atEnd: boolean;
}

/** The walk as it goes on at `now`: a pass that has come to its end begins anew after a while. */
export function resumed(walk: Walk | null, now: number): Walk {
  // A clock that was set back must not make the next pass wait.
  const rests = walk !== null && now >= walk.beganAt && now < walk.beganAt + RETENTION.pass;
  return walk === null || (walk.atEnd && !rests) ? { cursor: "", beganAt: now, atEnd: false } : walk;
}

/** The walk after a page with these ids, which is full unless the table ended. Gives `walk` itself when nothing has changed. */
export function walked(walk: Walk, ids: readonly string[]): Walk {
  const atEnd = ids.length < RETENTION.rows;
  const cursor = ids.at(-1) ?? walk.cursor;
  return atEnd === walk.atEnd && cursor === walk.cursor ? walk : { ...walk, cursor, atEnd };
}
