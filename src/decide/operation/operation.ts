/**
 * Something done to many runs of a function, page by page (CR-9): what it is to do, how far it is, when it goes on, when it is over. Pure.
 *
 * Which runs exist is known from history, which lags: a young run shows itself a second or two after its creation. Therefore all runs are
 * passed over again until a pass that began late enough found nothing new. A run that was acted on before counts in every pass, so that
 * each pass counts from zero, and a page that a crash repeats counts once.
 */
import { OPERATION } from "../../limits.ts";

/** What is asked for. Times are ms since 1970. */
export interface OperationRequest {
  /** ULID. */
  readonly id: string;
  readonly environmentId: string;
  readonly kind: OperationKind;
  readonly app: { readonly id: string; readonly name: string };
  readonly function: { readonly id: string; readonly slug: string };
  /** Runs created from here on; null: from the beginning of history. */
  readonly after: number | null;
  /** Runs created before this, as asked for. Runs created later than the operation are never meant (CR-11). */
  readonly before: number;
  /** An expression over the trigger `event`; null: every run. */
  readonly condition: string | null;
  readonly createdAt: number;
}

/** What is done to each run. */
export type OperationKind = "cancel";

/** An operation as it stands. */
export interface OperationState {
  readonly request: OperationRequest;
  readonly status: "running" | "completed" | "stopped";
  /** Runs acted on, as far as known. Never falls. */
  readonly count: number;
  /** Runs that could not be reached in the last pass that ended. */
  readonly failed: number;
  readonly endedAt: number | null;
  readonly pass: Pass;
  /** When it goes on, ms since 1970. */
  readonly due: number;
  /** Pages that failed in a row. */
  readonly failures: number;
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
}

/** What came of a page. `cursor` null: it was the last one of its pass. */
export interface PageOutcome {
  readonly cursor: string | null;
  /** Runs of the page that were acted on, now or before. */
  readonly count: number;
  /** Runs that were asked, and of these those that could not be reached. */
  readonly asked: number;
  readonly failed: number;
}

/** A new operation, which goes on at once. */
export function begin(request: OperationRequest): OperationState {
  const { createdAt } = request;
  const pass = { number: 1, begunAt: createdAt, known: 0, cursor: null, count: 0, failed: 0 };
  return { request, status: "running", count: 0, failed: 0, endedAt: null, pass, due: createdAt, failures: 0 };
}

/** A page was done. Of an operation that was stopped meanwhile only the count changes. */
export function paged(state: OperationState, page: PageOutcome, now: number): OperationState {
  const { request } = state;
  const pass = { ...state.pass, count: state.pass.count + page.count, failed: state.pass.failed + page.failed };
  const known = { ...state, count: Math.max(state.count, pass.count), failures: 0 };
  if (state.status !== "running") return known;
  const rested = now + page.asked * OPERATION.pace;
  if (page.cursor !== null) return { ...known, pass: { ...pass, cursor: page.cursor }, due: rested };
  const settledAt = request.createdAt + OPERATION.settle;
  const complete = pass.begunAt >= settledAt && pass.count <= pass.known && pass.failed === 0;
  if (complete || pass.number >= OPERATION.passes) {
    return { ...known, status: "completed", failed: pass.failed, endedAt: now };
  }
  // Whoever could not be reached is given time; what was found late is followed up soon.
  const delay = pass.failed > 0 || now < settledAt ? doubled(OPERATION.pause, pass.number - 1) : OPERATION.pause.first;
  const due = now < settledAt ? Math.min(now + delay, settledAt) : now + delay;
  const next = { number: pass.number + 1, begunAt: due, known: known.count, cursor: null, count: 0, failed: 0 };
  return { ...known, failed: pass.failed, pass: next, due };
}

/** A page failed as a whole: it is repeated after a while. */
export function hindered(state: OperationState, now: number): OperationState {
  const failures = state.failures + 1;
  return { ...state, failures, due: now + doubled(OPERATION.retry, failures - 1) };
}

/** Somebody stops it. What was done stays done; one that has ended stays as it is. */
export function stopped(state: OperationState, now: number): OperationState {
  return state.status === "running" ? { ...state, status: "stopped", endedAt: now } : state;
}

function doubled({ first, max }: { readonly first: number; readonly max: number }, times: number): number {
  return Math.min(first * 2 ** times, max);
}
