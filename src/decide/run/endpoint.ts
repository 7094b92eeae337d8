/**
 * Runs that begin in the app's own HTTP handler (EX-68, EX-69): what such a handler reports, made into inputs of the run. Pure.
 * Owns no state of its own. The handler is the first delivery of the run's first job; it ends by completing the run, or by reporting
 * something that only the engine can go on with, or by falling silent. From then on the run is like any other.
 */
import type { Op, StepError } from "../../protocol/opcodes.ts";
import type { Change } from "./change.ts";
import { type Decided, decide, type Input, start } from "./decide.ts";
import type { RunIdentity } from "./identity.ts";
import { HANDLER, isHeld, type RunState, timeOf } from "./state.ts";
import type { Moment } from "./turn.ts";

/** What a handler reports. Its first report brings the run's identity. */
export interface EndpointReport {
  readonly functionId: string;
  readonly ops: readonly Op[];
  readonly thrown: Thrown | null;
  readonly identity: RunIdentity | null;
}

/** What a handler threw between its steps. `retryAt` in ms, null for the back-off. */
export interface Thrown {
  readonly error: StepError;
  readonly noRetry: boolean;
  readonly retryAt: number | null;
}

/**
 * What became of a report. `stored` is also said of what was known already, so that a report may be repeated.
 * `superseded`: the engine has taken the run over. `conflict`: the run exists and is another one.
 */
export type Reported = "stored" | "superseded" | "ended" | "unknown" | "conflict";

/** Decides on a report; `decided` is null when nothing is to be written. `state` is null when there is no run yet. */
export function receive(
  state: RunState | null,
  report: EndpointReport,
  moment: Moment,
): { readonly reported: Reported; readonly decided: Decided | null } {
  const { identity } = report;
  if (state === null) {
    if (identity === null) return { reported: "unknown", decided: null };
    return { reported: "stored", decided: begin(identity, inputsOf(report), moment) };
  }
  if (identity !== null && !isSameRun(state.identity, identity)) return { reported: "conflict", decided: null };
  if (state.identity.endpoint === undefined || state.identity.function.id !== report.functionId) {
    return { reported: "unknown", decided: null };
  }
  if (isHeld(state)) return { reported: "stored", decided: decideAll(state, inputsOf(report), moment) };
  return { reported: standing(state, report), decided: null };
}

/** Birth and first report are one row. */
function begin(identity: RunIdentity, inputs: readonly Input[], moment: Moment): Decided {
  const born = start(identity, moment);
  const reported = decideAll(born.state, inputs, moment);
  if (reported === null) return born;
  const changes = [...born.decision.changes, ...reported.decision.changes];
  return { state: { ...reported.state, sequence: born.state.sequence }, decision: { at: moment.now, changes } };
}

/** Several inputs as one decision. */
function decideAll(state: RunState, inputs: readonly Input[], given: Moment): Decided | null {
  const moment = { ...given, now: timeOf(state, given.now) };
  let current = state;
  const changes: Change[] = [];
  for (const input of inputs) {
    const next = decide(current, input, moment);
    if (next === null) continue;
    current = next.state;
    changes.push(...next.decision.changes);
  }
  if (changes.length === 0) return null;
  return { state: { ...current, sequence: state.sequence + 1 }, decision: { at: moment.now, changes } };
}

/** Finished steps let the handler go on. Anything else is its last word, and counts like the reply to a call. */
function inputsOf({ ops, thrown }: EndpointReport): Input[] {
  const progress: Input = { kind: "checkpoint", fence: HANDLER, ops };
  if (thrown !== null) {
    const reply = { kind: "error", ...thrown, version: null } as const;
    return [progress, { kind: "reply", fence: HANDLER, reply }];
  }
  if (ops.every(isProgress)) return [progress];
  const reply = { kind: "ops", ops, version: null, noRetry: false, retryAt: null } as const;
  return [{ kind: "reply", fence: HANDLER, reply }];
}

function isProgress({ op }: Op): boolean {
  return op === "run" || op === "defer" || op === "undefer" || op === "none";
}

/**
 * What to say to a handler that no longer carries the run. One that has nothing more to execute may go and wait for the result;
 * one that would go on executing steps beside the engine is stopped.
 */
function standing(state: RunState, { ops, thrown }: EndpointReport): Reported {
  const known = ops.every((op) => isKnown(state, op));
  if (state.outcome !== null) return known ? "stored" : "ended";
  return known || thrown !== null || !ops.every(isProgress) ? "stored" : "superseded";
}

function isKnown(state: RunState, op: Op): boolean {
  switch (op.op) {
    case "none":
      return true;
    case "defer":
    case "undefer":
      return state.defers.has(op.deferId);
    case "complete": {
      const { outcome } = state;
      return outcome?.status === "completed" && JSON.stringify(outcome.output) === JSON.stringify(op.data);
    }
    case "rediscover":
    case "unknown":
      return false;
    default:
      return state.steps.has(op.id);
  }
}

function isSameRun(known: RunIdentity, other: RunIdentity): boolean {
  const facts = ({ endpoint, events, function: { id } }: RunIdentity) =>
    JSON.stringify([id, endpoint?.method, endpoint?.url, events[0]?.event.payload.data]);
  return known.endpoint !== undefined && facts(known) === facts(other);
}
