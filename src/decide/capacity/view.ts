/**
 * What a line looks like from outside (BY-10, BY-11, BY-12). Pure reading; bounded, however many stand in it.
 * Guarantees that runs of other environments, which may share an account's line, are counted but not shown (SE-8).
 */
import { CAPACITY } from "../../limits.ts";
import type { LineDecision } from "./journal.ts";
import type { LineLimit } from "./line.ts";
import type { Entry, Member } from "./member.ts";
import { byPlace } from "./order.ts";
import type { WaitingLine } from "./waiting-line.ts";

/** A run in a line. */
export interface RunInLine {
  readonly runId: string;
  readonly functionId: string;
  readonly units: number;
  /** ms since 1970. */
  readonly since: number;
}

/** How much goes on in a line. */
export interface LineLoad {
  /** Units in use; 0 for starts. */
  readonly inUse: number;
  /** Runs that hold units; 0 for starts. */
  readonly holding: number;
  /** Runs that wait. */
  readonly waiting: number;
  /** The limits of the functions that are here. */
  readonly limits: readonly { readonly functionId: string; readonly limit: LineLimit }[];
  /** For starts: how many may start at once (null: any number), and when the next may, ms. Null when the limit is not known. */
  readonly starts: { readonly available: number | null; readonly nextAt: number } | null;
}

/** A line as a whole. */
export interface LineView extends LineLoad {
  /** The first of them: those that have held longest, and those that are served next. */
  readonly holders: readonly RunInLine[];
  readonly waiters: readonly RunInLine[];
  /** Newest first; what this instance remembers. */
  readonly decisions: readonly LineDecision[];
}

/** Where one run stands. */
export interface PlaceInLine {
  readonly held: number;
  readonly wants: number;
  /** Since when it waits, or else holds; ms since 1970. */
  readonly since: number;
  /** Runs of its function that go before it, and runs of other functions that wait for the same units. */
  readonly ahead: number;
  readonly rivals: number;
  /** Units in use, runs that hold them, and those that have done so longest. */
  readonly inUse: number;
  readonly holding: number;
  readonly holders: readonly RunInLine[];
  readonly limit: LineLimit;
  /** For starts: when it may start if nobody goes before it, ms; null otherwise. */
  readonly startsAt: number | null;
}

/** The load of a line at `now` (ms). */
export function loadOf({ roster, starts }: WaitingLine, now: number): LineLoad {
  const groups = [...roster.groups.values()];
  const limit = groups[0]?.limit;
  let holding = 0;
  for (const { held } of roster.members()) if (held > 0) holding++;
  return {
    inUse: starts === null ? roster.inUse : 0,
    holding: starts === null ? holding : 0,
    waiting: [...roster.waiting].reduce((sum, { waiting }) => sum + waiting.size, 0),
    limits: groups.map((group) => ({ functionId: group.functionId, limit: group.limit })),
    starts:
      starts === null || limit === undefined
        ? null
        : { available: starts.available(limit, now), nextAt: starts.nextAt(limit, now) },
  };
}

/** The whole line at `now` (ms), as the environment may see it. */
export function viewOf(line: WaitingLine, environmentId: string, now: number): LineView {
  const { runs } = CAPACITY.shown;
  const own = (member: Member) => member.environmentId === environmentId;
  const waiters = [...line.roster.waiting].flatMap(({ waiting }) => waiting.head(runs)).filter(own);
  waiters.sort((a, b) => a.place.rank - b.place.rank || byPlace(a, b));
  return {
    ...loadOf(line, now),
    holders: holdersOf(line, environmentId, runs),
    waiters: waiters.slice(0, runs).map((member) => shown(member, member.wants, member.waitsSince)),
    decisions: line.journal.last(environmentId),
  };
}

/** One run at `now` (ms); null when it is not in the line. */
export function placeInLine(
  line: WaitingLine,
  run: Pick<Entry, "environmentId" | "runId">,
  now: number,
): PlaceInLine | null {
  const { roster, starts } = line;
  const member = roster.find(run);
  if (member === undefined) return null;
  const group = roster.groupOf(member);
  const ahead = member.wants > 0 ? group.waiting.before(member) : 0;
  const { inUse, holding, waiting } = loadOf(line, now);
  return {
    held: member.held,
    wants: member.wants,
    since: member.wants > 0 ? member.waitsSince : member.heldSince,
    ahead,
    rivals: waiting - group.waiting.size,
    inUse,
    holding,
    holders: holdersOf(line, run.environmentId, CAPACITY.shown.holders),
    limit: group.limit,
    startsAt: starts?.estimate(group.limit, ahead, now) ?? null,
  };
}

function holdersOf({ roster, starts }: WaitingLine, environmentId: string, count: number): RunInLine[] {
  if (starts !== null) return [];
  const holders = [...roster.members()].filter((member) => member.held > 0 && member.environmentId === environmentId);
  holders.sort((a, b) => a.heldSince - b.heldSince);
  return holders.slice(0, count).map((member) => shown(member, member.held, member.heldSince));
}

function shown({ runId, functionId }: Member, units: number, since: number): RunInLine {
  return { runId, functionId, units, since };
}
