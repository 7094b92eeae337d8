/**
 * Steps that a reply announces and something other than the app will finish: sleeps, waits, invocations, requests. Pure.
 * Owns how their times are read and limited (EX-38) and when an announcement is already past. A repeated announcement is a no-op.
 */
import { parseDuration, parseMoment } from "../../duration.ts";
import { compileCached } from "../../expressions/cache.ts";
import { EVENT, RUN, WAITS } from "../../limits.ts";
import type { Op } from "../../protocol/opcodes.ts";
import type { WaitTarget } from "./state.ts";
import { admit, fail, finish, queue, record, type StepRef, type Turn } from "./turn.ts";

type OpOf<K extends Op["op"]> = Extract<Op, { op: K }>;

/** Plans a step for a call of its own. */
export function plan(turn: Turn, op: OpOf<"planned">, group: number): void {
  if (!admit(turn, op)) return;
  record(turn, { is: "planned", ...stepRef(op), group, at: turn.moment.now });
  queue(turn, op.id);
}

/** Begins a sleep (EX-37). True when its moment has already passed, so that the step is finished at once. */
export function sleep(turn: Turn, op: OpOf<"sleep">, group: number): boolean {
  const place = enter(turn, op, group);
  const until = place === null ? null : untilOf(turn, op, op.until);
  if (place === null || until === null) return false;
  if (until <= turn.moment.now) return finish(turn, op, place, null, { as: "sleep" });
  record(turn, { is: "sleeping", ...stepRef(op), group: place, at: turn.moment.now, until });
  return false;
}

/** Begins a wait for an event (EX-41). True when its time-out has already passed. */
export function waitForEvent(turn: Turn, op: OpOf<"wait">, group: number): boolean {
  const compiled = op.condition === null ? null : compileCached(op.condition, "wait");
  if (compiled !== null && !compiled.ok) {
    const { message, line, column } = compiled.error;
    // A wait that can never match looks like a hang: the run fails at once instead (EX-44).
    fail(turn, {
      name: "expression_invalid",
      code: "expression_invalid",
      message: `Step "${op.label.name}" waits with an invalid expression: ${message} (line ${line}, column ${column} of ${op.condition})`,
    });
    return false;
  }
  if (!isNamed(turn, op, "event", op.event)) return false;
  return wait(turn, op, { kind: "event", event: op.event, condition: op.condition }, op.until, group);
}

/** Begins a wait for a signal (EX-48). True when its time-out has already passed. */
export function waitForSignal(turn: Turn, op: OpOf<"signal">, group: number): boolean {
  if (!isNamed(turn, op, "signal", op.signal)) return false;
  return wait(turn, op, { kind: "signal", signal: op.signal, conflict: op.conflict }, op.until, group);
}

/** Begins an invocation (EX-50); it waits for a year unless told otherwise (EX-52). */
export function invoke(turn: Turn, op: OpOf<"invoke">, group: number): void {
  const target: WaitTarget = { kind: "invoke", functionId: op.functionId, payload: op.payload };
  const place = enter(turn, op, group);
  const until = place === null ? null : untilOf(turn, op, op.until ?? `${RUN.timeout}ms`);
  if (place === null || until === null) return;
  record(turn, { is: "waiting", ...stepRef(op), group: place, at: turn.moment.now, on: target, until });
}

/**
 * Begins a request the engine makes (EX-57). The request itself is never stored, because it may hold credentials: when an instance
 * forgets it, the app is asked again, and the repeated announcement goes on with the attempt that was due.
 */
export function request(turn: Turn, op: OpOf<"request">, group: number): void {
  const known = turn.state.steps.get(op.id);
  if (known?.status === "requesting") {
    for (const job of turn.state.jobs.values()) if (job.stepId === op.id) return;
    record(turn, { is: "queued", stepId: op.id, due: turn.moment.now, request: true, attempt: known.attempt });
    return;
  }
  const place = enter(turn, op, group);
  if (place === null) return;
  record(turn, { is: "requesting", ...stepRef(op), group: place, at: turn.moment.now, via: op.via, attempt: 0 });
  record(turn, { is: "queued", stepId: op.id, due: turn.moment.now, request: true });
}

// A name no event or signal can have would be waited for in vain.
function isNamed(turn: Turn, step: StepRef, kind: "event" | "signal", name: string): boolean {
  const limit = kind === "event" ? EVENT.nameLength : WAITS.signal.length;
  if (name.length > 0 && name.length <= limit) return true;
  const message = `Step "${step.label.name}" waits for the ${kind} "${name.slice(0, 100)}" of ${name.length} characters; the name must have 1 to ${limit}.`;
  fail(turn, { name: "bad_reply", code: "bad_reply", message });
  return false;
}

function wait(
  turn: Turn,
  op: StepRef,
  on: Exclude<WaitTarget, { kind: "invoke" }>,
  text: string,
  group: number,
): boolean {
  const place = enter(turn, op, group);
  const until = place === null ? null : untilOf(turn, op, text);
  if (place === null || until === null) return false;
  if (until <= turn.moment.now) return finish(turn, op, place, null, { as: on.kind });
  record(turn, { is: "waiting", ...stepRef(op), group: place, at: turn.moment.now, on, until });
  return false;
}

/** The group of a step that may be announced now: its own when it was planned before. Null when the announcement is a repetition. */
function enter(turn: Turn, step: StepRef, group: number): number | null {
  const known = turn.state.steps.get(step.id);
  if (known === undefined) return admit(turn, step) ? group : null;
  return known.status === "planned" ? known.group : null;
}

/** The last moment that has a date, ms since 1970; durations may reach beyond. */
const LAST_DATE = 8.64e15;

/** The moment a text names, as a duration from now or as a date. Null when it names none within the limit; the run has failed then. */
function untilOf(turn: Turn, step: StepRef, text: string): number | null {
  const { now } = turn.moment;
  const length = parseDuration(text);
  const until = length === null ? parseMoment(text) : now + length;
  if (until === null) {
    const message = `Step "${step.label.name}" names "${text.slice(0, 100)}", which is neither a duration nor a date.`;
    fail(turn, { name: "bad_reply", code: "bad_reply", message });
    return null;
  }
  if (until > now + RUN.timeout) {
    const named = new Date(Math.min(until, LAST_DATE)).toISOString();
    const message = `Step "${step.label.name}" lasts until ${named}; the limit is 366 days.`;
    fail(turn, { name: "InngestErrTimeoutTooLong", code: "timeout_too_long", message });
    return null;
  }
  return until;
}

function stepRef({ id, label, race }: StepRef): StepRef {
  return { id, label, race };
}
