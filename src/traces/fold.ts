/**
 * From a run's log to what its trace is drawn of: every attempt with its times, every step with its end. Pure.
 * Like the fold of the state it judges nothing. Guarantees an answer for logs of earlier versions, whose facts say less.
 */
import type { CallFacts } from "../decide/run/call-facts.ts";
import type { Change, Decision } from "../decide/run/change.ts";
import type { RunIdentity } from "../decide/run/identity.ts";
import { resultOf } from "../decide/run/life.ts";
import { jsonBytes } from "../decide/run/turn.ts";
import type { RoutedEvent } from "../events/event.ts";
import { type Json, objectOf } from "../json.ts";
import type { StepLabel } from "../protocol/opcodes.ts";
import type { Announced, AttemptRecord, Awaited, JobRecord, Keeps, Kept, RunRecord, StepRecord } from "./records.ts";

/** What the log says; null for an empty one. Of what may be large only that is in it which `keeps` lets pass. */
export function foldLog(log: Iterable<Decision>, keeps: Keeps): RunRecord | null {
  let run: RunRecord | null = null;
  for (const decision of log) {
    for (const change of decision.changes) {
      if (run !== null) apply({ run, keeps }, change, decision);
      else if (change.is === "created") run = newRun(change.identity, keeps(null, change.bytes));
    }
    // A call ends with the decision it brought.
    const called = decision.changes.find((change) => change.is === "called");
    const job = called === undefined ? undefined : run?.jobs.get(called.job);
    if (job !== undefined) endCall(job);
  }
  return run;
}

function newRun(identity: RunIdentity, whole: boolean): RunRecord {
  return {
    identity: whole ? identity : { ...identity, events: identity.events.map(withoutData) },
    startedAt: null,
    keptOut: identity.flow?.waitsForTurn === true,
    suspended: false,
    jobs: new Map(),
    ownJobs: new Map(),
    steps: new Map(),
    metadata: [],
    outcome: null,
  };
}

function withoutData(routed: RoutedEvent): RoutedEvent {
  const { event } = routed;
  return { ...routed, event: { ...event, payload: { ...event.payload, data: {}, user: {} } } };
}

/** A fold under way. */
interface Fold {
  readonly run: RunRecord;
  readonly keeps: Keeps;
}

function apply(fold: Fold, change: Change, { at, changes }: Decision): void {
  const { run } = fold;
  switch (change.is) {
    case "begun":
      run.startedAt = change.at;
      return;
    case "queued":
      queue(run, change, at);
      return;
    case "called": {
      const { is: _, job: id, ...call } = change;
      const job = run.jobs.get(id);
      if (job === undefined) return;
      job.call = withoutPrompt(call, fold.keeps(job.stepId, call.sent ?? 0));
      const own = job.stepId === null ? undefined : run.steps.get(job.stepId);
      if (own !== undefined) own.calledAt = call.began;
      for (const attempt of job.unstarted) attempt.startedAt ??= call.began;
      return;
    }
    case "delivered":
      if (change.due === undefined) deliver(run, change.job, at);
      return;
    case "entered":
      run.keptOut = false;
      reopen(run);
      return;
    case "suspended":
      run.suspended = true;
      return;
    case "resumed":
      run.suspended = false;
      reopen(run);
      return;
    case "retried":
      fail(fold, change, at);
      return;
    case "done": {
      const job = run.jobs.get(change.job);
      if (job !== undefined) job.done = true;
      return;
    }
    case "planned":
    case "sleeping":
    case "waiting":
    case "requesting":
      stepOf(run, change.id, change.label, change.group, at).announced = announcedOf(change, fold.keeps);
      return;
    case "finished":
      finish(fold, change);
      return;
    case "annotated":
      run.metadata.push({ change: change.change, at });
      return;
    case "ended": {
      const { is: _, outlasting: _calls, ...outcome } = change;
      const job = endingJob(run, changes);
      run.outcome = { ...outcome, job, startedAt: job?.cursor ?? job?.call?.began ?? null, call: job?.call ?? null };
      return;
    }
    // What else a log holds is between the engine and the app.
    default:
  }
}

function queue(run: RunRecord, { stepId, due, request }: Of<"queued">, at: number): void {
  const id = run.jobs.size + 1;
  const openedAt = due <= at && !run.keptOut && !run.suspended ? at : null;
  // The app's own handler has begun already (EX-68).
  const carried = id === 1 && run.identity.endpoint !== undefined && run.identity.originalRunId === null;
  const fresh = { generation: 1, call: null, cursor: carried ? at : null, failures: [], unstarted: [], done: false };
  const job = { id, stepId, request: request === true, due, openedAt, ...fresh };
  run.jobs.set(id, job);
  if (stepId !== null) run.ownJobs.set(stepId, job);
}

/** A delivery of a job that was open already repeats one whose reply nobody heard. */
function deliver(run: RunRecord, id: number, at: number): void {
  const job = run.jobs.get(id);
  if (job === undefined) return;
  const step = job.stepId === null ? undefined : run.steps.get(job.stepId);
  if (job.openedAt !== null && step !== undefined) step.repeated = true;
  job.generation++;
  job.openedAt = at;
  endCall(job);
}

// While a run was held back nothing of it was called: what is delivered then is no repetition.
function reopen(run: RunRecord): void {
  for (const job of run.jobs.values()) job.openedAt = null;
}

function fail({ run, keeps }: Fold, change: Of<"retried">, at: number): void {
  const job = run.jobs.get(change.job);
  if (job === undefined) return;
  const error = kept(change.error, jsonBytes(change.error), change.step?.id ?? job.stepId, keeps);
  const failed = attemptOf(job, change.at ?? at, error, change.due);
  const known = job.stepId === null ? undefined : run.steps.get(job.stepId);
  const step = change.step === undefined ? known : stepOf(run, change.step.id, change.step.label, job.id, at);
  (step?.attempts ?? job.failures).push(failed);
  job.generation++;
  job.due = change.due;
  job.openedAt = null;
  endCall(job);
}

function finish({ run, keeps }: Fold, change: Of<"finished">): void {
  const { id, at, as, by, input } = change;
  const step = stepOf(run, id, change.label, change.group, at);
  const { ok, data } = resultOf(change.memo);
  const result = kept(data, change.bytes, id, keeps);
  step.finished = {
    at,
    ok,
    timedOut: data === null || (!ok && objectOf(data)["code"] === "invoke_timeout"),
    result,
    input: input === undefined ? null : kept(input, jsonBytes(input), id, keeps),
    ...(as === undefined ? {} : { as }),
    ...(by === undefined ? {} : { by }),
  };
  const job = executing(run, step);
  if (job === null || as !== undefined) return;
  step.attempts.push(attemptOf(job, at, ok ? null : result, null));
}

function kept(value: Json, bytes: number, owner: string | null, keeps: Keeps): Kept {
  return keeps(owner, bytes) ? { bytes, value } : { bytes };
}

function withoutPrompt(call: CallFacts, whole: boolean): CallFacts {
  if (whole || call.request?.via !== "ai") return call;
  const { prompt: _, ...request } = call.request;
  return { ...call, request };
}

/** The job that executed a step which has just finished; null for what no call executes, and for results of another run. */
function executing(run: RunRecord, step: StepRecord): JobRecord | null {
  if (step.announced?.is === "sleeping" || step.announced?.is === "waiting") return null;
  return run.ownJobs.get(step.id) ?? run.jobs.get(step.group) ?? null;
}

function attemptOf(job: JobRecord, endedAt: number, error: Kept | null, nextAt: number | null): AttemptRecord {
  const attempt: AttemptRecord = {
    delivery: { job: job.id, generation: job.generation },
    // The handler of an endpoint executes a job that is due only when it falls silent.
    queuedAt: Math.min(job.due, endedAt),
    // Of several steps in one call each begins where the one before it ended.
    startedAt: job.cursor ?? job.call?.began ?? null,
    endedAt,
    error,
    nextAt,
    call: job.call,
  };
  if (attempt.startedAt === null) job.unstarted.push(attempt);
  job.cursor = endedAt;
  return attempt;
}

/** What the next call of the job says is not about this one. */
function endCall(job: JobRecord): void {
  job.call = null;
  job.cursor = null;
  job.unstarted = [];
}

function stepOf(run: RunRecord, id: string, label: StepLabel, group: number, at: number): StepRecord {
  const known = run.steps.get(id);
  if (known !== undefined) return known;
  const step: StepRecord = {
    id,
    label,
    group,
    at,
    announced: null,
    attempts: [],
    finished: null,
    calledAt: null,
    repeated: false,
  };
  run.steps.set(id, step);
  return step;
}

function announcedOf(change: Of<"planned" | "sleeping" | "waiting" | "requesting">, keeps: Keeps): Announced {
  switch (change.is) {
    case "planned":
      return { is: "planned" };
    case "sleeping":
      return { is: "sleeping", at: change.at, until: change.until };
    case "waiting":
      return { is: "waiting", at: change.at, on: awaitedOf(change, keeps), until: change.until };
    case "requesting":
      return { is: "requesting", via: change.via };
  }
}

function awaitedOf({ id, on }: Of<"waiting">, keeps: Keeps): Awaited {
  if (on.kind !== "invoke") return on;
  const data = on.payload["data"] ?? null;
  return { kind: "invoke", functionId: on.functionId, data: kept(data, jsonBytes(data), id, keeps) };
}

/** The job of the call that ended the run: the one that brought this decision. */
function endingJob(run: RunRecord, changes: readonly Change[]): JobRecord | null {
  const called = changes.find((change) => change.is === "called");
  if (called !== undefined) return run.jobs.get(called.job) ?? null;
  // Logs of earlier versions do not say; the only call that can have ended the run is one that was open.
  const open = [...run.jobs.values()].filter(({ done, stepId }) => !done && stepId === null);
  return open.at(-1) ?? null;
}

type Of<Kind extends Change["is"]> = Extract<Change, { readonly is: Kind }>;
