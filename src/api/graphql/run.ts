/**
 * Runs in GraphQL (protocol/12 §12.5): one run, the list, what triggered one, cancelling and running again. Owns the two shapes in which older and
 * newer tools ask for a run; what they do is the same commands as over REST.
 */
import type { CancelCause } from "../../decide/run/flow.ts";
import { MillraceError } from "../../errors.ts";
import { loadEvents } from "../../history/events.ts";
import type { RunRow, RunStatus } from "../../history/message.ts";
import { isFinal } from "../../history/status.ts";
import { isUlid, newUlid, ulidTime } from "../../ids.ts";
import type { Json } from "../../json.ts";
import { parseJson } from "../../json.ts";
import { askRun } from "../../runs/ask.ts";
import { cancelRun } from "../../runs/cancel.ts";
import { rerun } from "../../runs/rerun.ts";
import { traceIdOf } from "../../traces/context.ts";
import type { GraphqlContext, Noun } from "./context.ts";
import { functionFields } from "./function.ts";
import { eventOfRun } from "./payload.ts";
import { rootSpan } from "./trace.ts";
import { bytes, statusText, timeText } from "./values.ts";

const sdl = `
  enum FunctionRunStatus { COMPLETED FAILED CANCELLED RUNNING QUEUED SKIPPED }

  type FunctionRun {
    id: ID! functionID: String! function: Function status: FunctionRunStatus
    startedAt: Time finishedAt: Time output: String
    event: Event eventID: ID batchID: ULID batchCreatedAt: Time cron: String
  }

  type FunctionRunV2 {
    id: ULID! appID: UUID! functionID: UUID! function: Function app: App
    traceID: String! queuedAt: Time! startedAt: Time endedAt: Time status: FunctionRunStatus!
    sourceID: String triggerIDs: [ULID!]! eventName: String
    isBatch: Boolean! batchCreatedAt: Time cronSchedule: String
    output: Bytes trace(preview: Boolean): RunTraceSpan hasAI: Boolean!
  }

  type RunTraceTrigger {
    eventName: String IDs: [ULID!]! payloads: [Bytes!]! timestamp: Time!
    isBatch: Boolean! batchID: ULID cron: String
  }

  input FunctionRunQuery { functionRunId: ID! workspaceId: ID }
  input RerunFromStepInput { stepID: String! input: Bytes }

  extend type Query {
    functionRun(query: FunctionRunQuery!): FunctionRun
    run(runID: String!): FunctionRunV2
    runTrigger(runID: String!): RunTraceTrigger
  }
  extend type Mutation {
    cancelRun(runID: ULID!): FunctionRun
    rerun(runID: ULID!, fromStep: RerunFromStepInput, debugSessionID: ULID, debugRunID: ULID): ULID!
  }
`;

/** The noun. */
export const runNoun: Noun = {
  sdl,
  resolvers: {
    functionRun: ({ query }: { query: { functionRunId: string } }, context) => knownRun(query.functionRunId, context),
    run: ({ runID }: { runID: string }, context) => knownRunV2(runID, context),
    runTrigger: ({ runID }: { runID: string }, context) => trigger(runID, context),
    cancelRun: ({ runID }: { runID: string }, context) => cancel(runID, context),
    rerun: (given: { runID: string; fromStep?: FromStep | null }, context) => runAgain(given, context),
  },
};

/** A run as older tools ask for it. Everything but its id is read when asked for. */
export function runFields(runId: string, functionId: string | null, context: GraphqlContext) {
  const row = async () => (await context.run(runId))?.row ?? null;
  const of = (field: (row: RunRow) => Json | null) => async () => {
    const known = await row();
    return known === null ? null : field(known);
  };
  return {
    id: runId,
    functionID: async () => functionId ?? (await row())?.functionId ?? "",
    function: async () => functionFields(functionId ?? (await row())?.functionId ?? null, context),
    status: of(({ status }) => statusText(status)),
    startedAt: of(({ startedAt }) => timeText(startedAt)),
    finishedAt: of(({ endedAt }) => timeText(endedAt)),
    output: of(outputText),
    eventID: of(({ eventIds }) => eventIds[0] ?? null),
    event: async () => eventOfRun(await row(), context),
    batchID: null,
    batchCreatedAt: of((known) => timeText(batchTime(known))),
    cron: of(({ cron }) => cron),
  };
}

/** A run as newer tools ask for it. */
export function runFieldsV2(row: RunRow, context: GraphqlContext) {
  return {
    id: row.runId,
    appID: row.appId,
    functionID: row.functionId,
    function: () => functionFields(row.functionId, context),
    app: async () => (await functionFields(row.functionId, context))?.app() ?? null,
    traceID: traceIdOf(row.runId),
    queuedAt: timeText(row.queuedAt),
    startedAt: timeText(row.startedAt),
    endedAt: timeText(row.endedAt),
    status: statusText(row.status),
    sourceID: null,
    triggerIDs: row.eventIds,
    eventName: row.eventName,
    isBatch: isBatch(row),
    batchCreatedAt: timeText(batchTime(row)),
    cronSchedule: row.cron,
    output: outputText(row),
    trace: () => rootSpan(row.runId, context),
    hasAI: async () => (await context.trace(row.runId))?.spans.some(({ kind }) => kind === "ai") ?? false,
  };
}

/** A run's status in storage, of one in GraphQL's words. */
export function statusGiven(word: string): RunStatus {
  // The schema's words are those of storage in capitals.
  return word.toLowerCase() as RunStatus;
}

async function knownRun(runId: string, context: GraphqlContext) {
  const view = await context.run(runId);
  return view === null ? null : runFields(runId, view.row.functionId, context);
}

async function knownRunV2(runId: string, context: GraphqlContext) {
  const view = await context.run(runId);
  return view === null ? null : runFieldsV2(view.row, context);
}

/** An unfinished run has none, unlike one that returned `null`. */
function outputText({ status, output }: RunRow): string | null {
  return isFinal(status) && status !== "skipped" ? bytes(output) : null;
}

function isBatch({ eventIds }: RunRow): boolean {
  return eventIds.length > 1;
}

function batchTime(row: RunRow): number | null {
  return isBatch(row) ? row.queuedAt : null;
}

async function trigger(runId: string, context: GraphqlContext) {
  const view = await context.run(runId);
  if (view === null) return null;
  const { row } = view;
  const [first] = row.eventIds;
  return {
    eventName: row.eventName,
    IDs: row.eventIds,
    payloads: () => payloads(row, context),
    timestamp: timeText(first === undefined ? row.queuedAt : ulidTime(first)),
    isBatch: isBatch(row),
    batchID: null,
    cron: row.cron,
  };
}

/** The events as functions see them, from the run's object; from history where none holds the run. */
async function payloads({ runId, eventIds }: RunRow, { bindings, environment }: GraphqlContext): Promise<string[]> {
  const held = await askRun(bindings, environment.id, runId, (run) => run.events());
  const events = held ?? (await loadEvents(bindings.DB, environment.id, eventIds)).map(({ payload }) => payload);
  return events.map(bytes);
}

async function cancel(runId: string, context: GraphqlContext) {
  const cause: CancelCause = { by: "api" };
  await cancelRun(context.bindings, context.environment.id, runId, cause);
  return runFields(runId, null, context);
}

interface FromStep {
  readonly stepID: string;
  readonly input?: string | null;
}

async function runAgain(
  { runID, fromStep }: { runID: string; fromStep?: FromStep | null },
  { bindings, environment }: GraphqlContext,
): Promise<string> {
  if (!isUlid(runID)) throw new MillraceError("run_not_found", `No run has the id "${runID}".`);
  const now = Date.now();
  const wish = { runId: newUlid(now), originalRunId: runID, fromStep: fromStep?.stepID ?? null };
  await rerun(bindings, environment.id, { ...wish, input: argumentsGiven(fromStep?.input ?? null) }, now);
  return wish.runId;
}

function argumentsGiven(text: string | null): readonly Json[] | null {
  if (text === null || text === "") return null;
  const parsed = parseJson(text);
  if (!parsed.ok) throw new MillraceError("invalid_request", `input is not JSON: ${parsed.reason}.`);
  // One argument may be given as it is.
  return Array.isArray(parsed.value) ? (parsed.value as readonly Json[]) : [parsed.value];
}
