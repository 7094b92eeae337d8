/**
 * The order in which a run gets units of its lines: one line after the other, the next one only for jobs that hold a unit of all before,
 * so that two runs can never wait for each other. Pure: what the run holds and what it has said are arguments.
 * Guarantees that no job is delivered without a unit of every line, and that what no job needs is given back (FC-1, FC-2).
 */
import type { Claim, LineRef } from "../capacity/line.ts";
import type { Work } from "./lines.ts";

/** Units of a line. */
export type Units = Pick<Claim, "busy" | "wants">;

/** How a run stands with one of its lines, as far as this instance knows. */
export interface Standing {
  readonly line: LineRef;
  /** Units held, those in use included, as of the line's newest word. */
  readonly held: number;
  /** Units the line was last told of, in use and wanted; null: this instance has told it nothing. */
  readonly told: number | null;
  /** It has to be told again, whatever it was told; until then only what executes is certain. */
  readonly doubtful: boolean;
  /** A claim is on its way; until it is answered only what executes is certain. */
  readonly asking: boolean;
  /** Units that have done a step go back to the line before they do another (FC-8, FC-9). */
  readonly yields: boolean;
  /** The function has no such limit any more (FC-11). */
  readonly gone: boolean;
}

/** What a run needs of one line, and whether the line is to be told now. */
export interface Need extends Units {
  readonly tell: boolean;
}

/** For each line, how many of the due jobs have got past it. So many as the last one lets past may be delivered. */
export function passing(standings: readonly Standing[], work: Work): number[] {
  let past = work.due;
  return standings.map((standing) => {
    past = passed(standing, work, past);
    return past;
  });
}

/** For each line, what the run needs of it. Asked when nothing can be delivered. */
export function needs(standings: readonly Standing[], work: Work): Need[] {
  let wants = work.due;
  let settled = true;
  return standings.map((standing) => {
    // Behind a line that has not answered nothing grows, and nothing that may still be needed is given back.
    const units = unitsOf(standing, work, settled ? wants : Math.min(wants, spare(standing, work)));
    const news = settled ? isNews(standing, units, work) : standing.held > total(units);
    const tell = news && !standing.asking && !standing.gone;
    // With no job due nothing can grow: all lines are told at once.
    if (work.due > 0 && (tell || standing.asking || isBlind(standing, work))) settled = false;
    if (settled) wants = passed(standing, work, wants);
    return { ...units, tell };
  });
}

/** How many of `wants` jobs, beside those in hand, the line lets past. */
function passed(standing: Standing, work: Work, wants: number): number {
  if (standing.gone) return wants;
  switch (standing.line.counts) {
    case "starts":
      return work.admitted || standing.held > 0 ? wants : 0;
    case "runs":
      return work.started || standing.held > 0 ? wants : 0;
    case "steps": {
      const certain = !(standing.asking || standing.doubtful || standing.yields || isBlind(standing, work));
      return certain ? Math.min(wants, spare(standing, work)) : 0;
    }
  }
}

function unitsOf({ line, held, gone }: Standing, work: Work, wants: number): Units {
  if (gone) return { busy: 0, wants: 0 };
  switch (line.counts) {
    case "starts":
      // A start is never given back, so that holding it is the end of wanting it.
      return { busy: 0, wants: work.ended || work.admitted || held > 0 ? 0 : Math.min(1, wants) };
    case "runs": {
      if (work.ended) return { busy: 0, wants: 0 };
      return work.started ? { busy: 1, wants: 0 } : { busy: 0, wants: Math.min(1, wants) };
    }
    case "steps":
      return { busy: work.executing, wants };
  }
}

function isNews({ line, held, told, doubtful, yields }: Standing, units: Units, work: Work): boolean {
  if (line.counts === "starts" && (work.admitted || held > 0)) return false;
  // A run that has started holds its unit, whichever of its instances was given it.
  if (line.counts === "runs" && work.started && !work.ended) return false;
  if (line.counts === "steps" && work.lost > 0) return false;
  if (doubtful) return true;
  if (told === null) return work.ended || (work.released && line.counts === "runs") || total(units) + held > 0;
  return told !== total(units) || held > total(units) || (yields && units.wants > 0 && held > units.busy);
}

/** While lost calls may be executing, an instance that was not told what they hold must not say what it holds (FC-10). */
function isBlind({ line, gone }: Standing, { lost }: Work): boolean {
  return line.counts === "steps" && !gone && lost > 0;
}

function spare({ line, held }: Standing, { executing }: Work): number {
  return line.counts === "steps" ? Math.max(0, held - executing) : held;
}

function total({ busy, wants }: Units): number {
  return busy + wants;
}
