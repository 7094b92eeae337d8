/**
 * The runs of one function in a line. Pure records, changed by `roster.ts` alone.
 */
import type { LineLimit } from "./line.ts";
import type { Member } from "./member.ts";
import { PlaceList } from "./order.ts";

export interface Group {
  readonly functionId: string;
  /** Of its environment (FC-14): that of the run that came last. */
  rank: number;
  /** The newest limit anybody named (FC-11). */
  limit: LineLimit;
  /** The limit has a row of its own, because the rows of its runs may name an older one. */
  stored: boolean;
  /** Runs in the line, holding or waiting. */
  size: number;
  /** Those that wait. */
  readonly waiting: PlaceList;
  /** Units they wait for. */
  backlog: number;
  /** Since when it has been passed over, ms: since its last grant, or since somebody waits. */
  passedSince: number;
  /** Those that hold units and have not been warned that they must yield. */
  readonly keepers: PlaceList;
}

/** A function that comes to a line, with nobody yet. */
export function newGroup(
  functionId: string,
  { place, limit }: Pick<Member, "place" | "limit">,
  waiting: Member[] = [],
  keepers: Member[] = [],
): Group {
  const lists = { waiting: new PlaceList(waiting), keepers: new PlaceList(keepers) };
  return { functionId, rank: place.rank, limit, stored: false, size: 0, backlog: 0, passedSince: 0, ...lists };
}
