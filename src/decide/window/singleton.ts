/**
 * Singletons of one function and key (FC-37, FC-38): which run is the only one. Pure: the state of one `Window` object and what follows.
 * Guarantees that at most one run holds the key and is not told to make way, that a run gets the same answer whenever it asks again, and
 * that a run which was let in but never came to exist holds nothing.
 */
import { EVENT } from "../../limits.ts";

/** A run that claimed the key. */
export interface Claimant {
  readonly runId: string;
  /**
   * `holds`: it is the one. `replaced`: another took its place, and it has not said that it has ended. `ended`, `skipped`: no more.
   * `void`: it was let in, but it does not exist; should it be tried again, it comes too late.
   */
  readonly standing: "holds" | "replaced" | "ended" | "skipped" | "void";
  /** Since when, ms since 1970. */
  readonly since: number;
}

/** What is known when a run claims the key. */
export interface SingletonView {
  /** What the run was told before; null when it asks for the first time. */
  readonly own: Claimant | null;
  /** Those that hold or are replaced, in any order. */
  readonly open: readonly Claimant[];
  /** Whether the run's object was asked within `WINDOW.trust` and goes on, as far as it could know. */
  readonly isAlive: (runId: string) => boolean;
}

/** `skip`, `cancel`: the function's mode. `wait`: the run was asked for explicitly and must neither be skipped nor cancel another (FC-43). */
export type SingletonMode = "skip" | "cancel" | "wait";

/** What a run is told. */
export type SingletonAnswer =
  /** It is the one; those of `replaced` are to be cancelled before it starts. */
  | { readonly verdict: "go"; readonly replaced: readonly Replaced[] }
  | { readonly verdict: "skip" }
  /** Another has the key; nothing is remembered of this question. */
  | { readonly verdict: "busy" };

/** A run to cancel. It may not exist yet, as long as it was let in less than `EVENT.claimGrace` ago. */
export type Replaced = Pick<Claimant, "runId" | "since">;

/** The answer and what to remember of it; or, before there can be one, the run to ask whether it exists and has not ended. */
export type SingletonDecision =
  | { readonly answer: SingletonAnswer; readonly changed: readonly Claimant[] }
  | { readonly ask: string };

/** The claim of a run at `now` (ms since 1970). */
export function claimSingleton(
  { own, open, isAlive }: SingletonView,
  runId: string,
  mode: SingletonMode,
  now: number,
): SingletonDecision {
  if (own !== null) return { answer: again(own, open), changed: [] };
  const holds: Claimant = { runId, standing: "holds", since: now };
  if (mode === "cancel") {
    const changed = open
      .filter(({ standing }) => standing === "holds")
      .map((other): Claimant => ({ ...other, standing: "replaced" }));
    // Whoever replaced the others cancels them, unless it died meanwhile.
    const older = open.filter((other) => other.standing === "replaced" && isOld(other, now));
    return { answer: go([...changed, ...older]), changed: [...changed, holds] };
  }
  // One that was replaced holds it too: that the function no longer cancels does not mean that it has ended.
  const asked = open.find((other) => !isAlive(other.runId));
  if (asked !== undefined) return { ask: asked.runId };
  if (open.length === 0) return { answer: go([]), changed: [holds] };
  if (mode === "wait") return { answer: { verdict: "busy" }, changed: [] };
  return { answer: { verdict: "skip" }, changed: [{ runId, standing: "skipped", since: now }] };
}

/** What the object of a run says when it is asked. */
export type Heard = "alive" | "ended" | "unknown";

/** What a claimant becomes when its run's object has said that at `now`. The same when nothing follows from it. */
export function heard(claimant: Claimant, said: Heard, now: number): Claimant {
  if (!isOpen(claimant) || said === "alive") return claimant;
  if (said === "ended") return { ...claimant, standing: "ended", since: now };
  return isOld(claimant, now) ? { ...claimant, standing: "void", since: now } : claimant;
}

/** True for those that hold or are replaced. */
export function isOpen({ standing }: Pick<Claimant, "standing">): boolean {
  return standing === "holds" || standing === "replaced";
}

/** Whether enough time has passed for a run that was let in to exist, or else never to exist. */
function isOld({ since }: Pick<Claimant, "since">, now: number): boolean {
  // A clock that went back must not keep anybody waiting.
  return now < since || now - since >= EVENT.claimGrace;
}

function again(own: Claimant, open: readonly Claimant[]): SingletonAnswer {
  switch (own.standing) {
    case "holds":
      return go(open.filter(({ standing }) => standing === "replaced"));
    case "replaced":
    case "ended":
      // Its run exists, or whoever replaced it waits until it does.
      return go([]);
    case "skipped":
    case "void":
      return { verdict: "skip" };
  }
}

function go(replaced: readonly Claimant[]): SingletonAnswer {
  return { verdict: "go", replaced: replaced.map(({ runId, since }) => ({ runId, since })) };
}
