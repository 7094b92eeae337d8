/**
 * A line: the one place where everything that competes for one limit stands (FC-4, FC-5). Owns what names a line and what a run says
 * to it. Pure types; `waiting-line.ts` and `throttle.ts` decide, `durable-objects/capacity.ts` keeps one line per object.
 */

/** What a line gives out: executing steps, whole runs from first start to end (FC-13), or starts over time (FC-15). */
export type Counted = "steps" | "runs" | "starts";

/** What names a line. Two runs with equal references stand in the same one. */
export interface LineRef {
  readonly counts: Counted;
  /** `fn`: one function; `env`: one environment; `account`: everything. */
  readonly scope: "fn" | "env" | "account";
  /** The function's UUID with scope `fn`; empty otherwise. */
  readonly functionId: string;
  /** The key's expression as registered, so that two limits of one function never share a line; null without a key. */
  readonly expression: string | null;
  /** The key's value; empty without a key, or when it could not be computed (FC-41). */
  readonly key: string;
}

/**
 * What a run says to a line. Absolute, so that saying it again is harmless: a run that needs nothing any more says `busy: 0, wants: 0`.
 * For `starts` a claim wants 1 until it was granted; starts are never given back.
 */
export interface Claim {
  readonly environmentId: string;
  readonly runId: string;
  readonly functionId: string;
  /** Rises with everything a run says to a line; what is older than the newest is ignored. */
  readonly fence: Fence;
  /** Units in use at this moment. */
  readonly busy: number;
  /** Units wanted besides. */
  readonly wants: number;
  readonly place: Place;
  /** The function's own limit as the run's isolate knows it (FC-7, FC-11). */
  readonly limit: LineLimit;
}

/** Where a run stands among the runs of its function (FC-8, FC-29). */
export interface Place {
  /** 0 production, 1 any other environment: served in this order when a line is the account's (FC-14). */
  readonly rank: number;
  /** Creation of the run, moved by its priority, ms since 1970. */
  readonly score: number;
  /** The internal id of the first event: orders what was created in the same ms. */
  readonly tie: string;
}

/** A function's own limit on a line, as of one version of its registration: of two the higher version counts. */
export interface LineLimit {
  readonly version: number;
  /** Units at once; 0 means none. For `starts`: starts per period. */
  readonly limit: number;
  /** ms; 0 where time does not count. */
  readonly period: number;
  /** Starts at once after a quiet time (FC-16); 0 where time does not count. */
  readonly burst: number;
}

/** What a run holds on a line. */
export interface Held {
  /** Units, those in use included. */
  readonly held: number;
  /** Somebody who goes first waits: at the end of its step the run gives its unit back and stands in line again (FC-8, FC-9). */
  readonly yields: boolean;
  /**
   * The newest the line had heard of the run. What does not answer the newest thing a run has said gives it nothing: it was on its way
   * while the run gave its units back, or comes from an instance of the line that was replaced.
   */
  readonly heard: Fence;
}

/** Compared by `sequence`, then by `stamp`. */
export interface Fence {
  /** Decisions the run had taken when it spoke. */
  readonly sequence: number;
  /** ms since 1970, rising within one instance of the run's object. */
  readonly stamp: number;
}

/** What a run answers when a line tells it what it holds; null when the run has ended or is unknown and needs nothing. */
export type Needs = Pick<Claim, "fence" | "busy" | "wants"> | null;
