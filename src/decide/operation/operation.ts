/**
 * Something done to many runs of a function, or to many events (CR-9, CR-22, OB-25), page by page: what it is to do, how far it is, when it
 * goes on, when it is over. Pure.
 *
 * Which runs exist is known from history, which lags: a young run shows itself a second or two after its creation. Therefore all runs are
 * passed over again until a pass that began late enough found nothing new. A run that was acted on before counts in every pass, so that
 * each pass counts from zero, and a page that a crash repeats counts once.
 */
import type { RunStatus } from "../../history/message.ts";
import { OPERATION, REPLAY } from "../../limits.ts";
import { type DeleteRequest, searches, withoutWords } from "./deletion.ts";

/** What is asked for. Times are ms since 1970. */
interface Wish {
  /** ULID. */
  readonly id: string;
  readonly environmentId: string;
  readonly app: { readonly id: string; readonly name: string };
  readonly function: { readonly id: string; readonly slug: string };
  /** Runs created from here on; null: from the beginning of history. */
  readonly after: number | null;
  /** Runs created before this, as asked for. Runs created later than the operation are never meant (CR-11). */
  readonly before: number;
  /** An expression over the trigger `event`, and for replays the `output`; null: every run. */
  readonly condition: string | null;
  readonly createdAt: number;
}

/** Unfinished runs are cancelled. */
export interface CancelRequest extends Wish {
  readonly kind: "cancel";
}

/** Runs that have ended are run again. */
export interface ReplayRequest extends Wish {
  readonly kind: "replay";
  readonly name: string;
  readonly statuses: readonly RunStatus[];
  /** Runs that were chosen when it was asked for, as far as history knew them. */
  readonly preview: number;
}

/** An operation of any kind. */
export type OperationRequest = CancelRequest | ReplayRequest | DeleteRequest;

/** What is done to each run, or event. */
export type OperationKind = OperationRequest["kind"];

/** An operation as it stands. */
export interface OperationState {
  readonly request: OperationRequest;
  readonly status: "running" | "completed" | "stopped";
  /** Runs acted on, as far as known; of a deletion the events, or the run, that were meant and are gone. Never falls. */
  readonly count: number;
  /** Runs that could not be reached in the last pass that ended. */
  readonly failed: number;
  /** Runs of that pass for which nothing can be done: what they were made of is past its retention, or they are not to be cancelled. */
  readonly lost: number;
  readonly endedAt: number | null;
  readonly pass: Pass;
  /** When it goes on, ms since 1970. */
  readonly due: number;
  /** Pages that failed in a row. */
  readonly failures: number;
  /** Times in a row that it had to wait before it could go on. */
  readonly waits: number;
  /** Set when a replay has started all its runs and waits for their ends. */
  readonly watch: Watch | null;
}

/** What a replay knows of the runs it started. Times are ms since 1970. */
interface Watch {
  readonly since: number;
  readonly ended: number;
  /** When `ended` rose last. */
  readonly changedAt: number;
}

/** One way through all runs. */
interface Pass {
  /** From 1. */
  readonly number: number;
  /** Not before this time, ms since 1970. */
  readonly begunAt: number;
  /** The operation's count at that time. */
  readonly known: number;
  /** The id of the last run looked at; null at the beginning. */
  readonly cursor: string | null;
  readonly count: number;
  readonly failed: number;
  readonly lost: number;
}

/** What came of a page. `cursor` null: it was the last one of its pass. */
export interface PageOutcome {
  readonly cursor: string | null;
  /** Runs of the page that were acted on, now or before. */
  readonly count: number;
  /** Runs that were asked, and of these those that could not be reached. */
  readonly asked: number;
  readonly failed: number;
  /** Runs for which nothing can be done; absent: none. */
  readonly lost?: number;
  /**
   * It could not go further than `cursor`, which may still be the beginning: for now (`wait`), or for good (`stop`); or it did enough for one
   * page (`more`).
   */
  readonly hold?: "wait" | "stop" | "more";
}

/**
 * A new operation, which goes on at once. A deletion waits until history knows what exists: the way from an event to its runs and reruns is
 * gone with the event.
 */
export function begin(request: OperationRequest): OperationState {
  const due = request.createdAt + (request.kind === "delete" ? OPERATION.settle : 0);
  const pass = { number: 1, begunAt: due, known: 0, cursor: null, count: 0, failed: 0, lost: 0 };
  const nothing = { count: 0, failed: 0, lost: 0, failures: 0, waits: 0, watch: null };
  return { request, status: "running", endedAt: null, pass, due, ...nothing };
}

/** A page was done. Of an operation that was stopped meanwhile only the count changes. */
export function paged(state: OperationState, page: PageOutcome, now: number): OperationState {
  const { request } = state;
  const pass = {
    ...state.pass,
    count: state.pass.count + page.count,
    failed: state.pass.failed + page.failed,
    lost: state.pass.lost + (page.lost ?? 0),
  };
  const known = { ...state, count: countAfter(state, pass, page), failures: 0, waits: 0 };
  if (state.status !== "running") return known;
  const rested = now + restAfter(request.kind, page.asked);
  switch (page.hold) {
    case "stop":
      return stopped({ ...known, pass, failed: pass.failed, lost: pass.lost }, now);
    case "wait": {
      const due = Math.max(rested, now + doubled(REPLAY.wait, state.waits));
      return { ...known, pass: { ...pass, cursor: page.cursor }, due, waits: state.waits + 1 };
    }
    case "more":
      return { ...known, pass: { ...pass, cursor: page.cursor }, due: rested };
    case undefined:
  }
  if (page.cursor !== null) return { ...known, pass: { ...pass, cursor: page.cursor }, due: rested };
  const settledAt = request.createdAt + OPERATION.settle;
  const complete = isAll(request, pass, settledAt) && pass.failed === 0;
  if (complete || pass.number >= OPERATION.passes)
    return acted({ ...known, failed: pass.failed, lost: pass.lost }, now);
  // Whoever could not be reached is given time; what was found late is followed up soon.
  const delay = pass.failed > 0 || now < settledAt ? doubled(OPERATION.pause, pass.number - 1) : OPERATION.pause.first;
  const due = Math.max(rested, now < settledAt ? Math.min(now + delay, settledAt) : now + delay);
  const next = {
    number: pass.number + 1,
    begunAt: due,
    known: known.count,
    cursor: null,
    count: 0,
    failed: 0,
    lost: 0,
  };
  return { ...known, failed: pass.failed, lost: pass.lost, pass: next, due };
}

/** What was deleted is not found again, so that each pass adds to the others; everything else counts in every pass. */
function countAfter(state: OperationState, pass: Pass, page: PageOutcome): number {
  return state.request.kind === "delete" ? state.count + page.count : Math.max(state.count, pass.count);
}

/** Whether a pass has seen everything that is meant. */
function isAll(request: OperationRequest, pass: Pass, settledAt: number): boolean {
  if (request.kind !== "delete") return pass.begunAt >= settledAt && pass.count <= pass.known;
  return !searches(request) || (pass.begunAt >= settledAt && pass.count === 0);
}

/** Everything was done that was to be done. A replay goes on until its runs have ended (CR-24). */
function acted(state: OperationState, now: number): OperationState {
  if (state.request.kind !== "replay") return over(state, "completed", now);
  return { ...state, watch: { since: now, ended: 0, changedAt: now }, due: now };
}

/**
 * So many of the runs a replay started have ended. When none is left it is completed, or `patience` ms after it had started them all: history
 * does not tell of their ends any more.
 */
export function watched(state: OperationState, ended: number, now: number, patience: number): OperationState {
  const { status, watch, count } = state;
  if (status !== "running" || watch === null) return state;
  const changedAt = ended > watch.ended ? now : watch.changedAt;
  const known = { ...state, failures: 0, watch: { ...watch, ended: Math.max(ended, watch.ended), changedAt } };
  if (ended >= count || now >= watch.since + patience) return { ...known, status: "completed", endedAt: now };
  const { first, max } = REPLAY.watch;
  return { ...known, due: now + Math.min(Math.max(now - changedAt, first), max) };
}

/** A page failed as a whole: it is repeated after a while. */
export function hindered(state: OperationState, now: number): OperationState {
  const failures = state.failures + 1;
  return { ...state, failures, due: now + doubled(OPERATION.retry, failures - 1) };
}

/** Somebody stops it. What was done stays done; one that has ended stays as it is. */
export function stopped(state: OperationState, now: number): OperationState {
  return state.status === "running" ? over(state, "stopped", now) : state;
}

function over(state: OperationState, status: "completed" | "stopped", now: number): OperationState {
  return { ...state, request: lasting(state.request), status, endedAt: now };
}

/** The request as it may be kept and listed. */
export function lasting(request: OperationRequest): OperationRequest {
  return request.kind === "delete" ? withoutWords(request) : request;
}

/** ms between a page that asked so many runs and the next one. */
function restAfter(kind: OperationKind, asked: number): number {
  switch (kind) {
    case "cancel":
    case "delete":
      return asked * OPERATION.pace;
    case "replay":
      return asked > 0 ? REPLAY.rest : 0;
  }
}

function doubled({ first, max }: { readonly first: number; readonly max: number }, times: number): number {
  return Math.min(first * 2 ** times, max);
}
