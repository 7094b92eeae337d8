/**
 * The trace of a run (API-9), from its object, or as much of it as history knows of runs that no object holds. Owns what only derives with the
 * catalog: which event and which run an invocation that goes on has, and the events of the end.
 */
import { catalogOf } from "../apps/catalog.ts";
import type { Bindings } from "../bindings.ts";
import { gathers } from "../events/route.ts";
import type { RunRow } from "../history/message.ts";
import { findRun } from "../history/runs.ts";
import { isUlid, runIdFor } from "../ids.ts";
import { traceIdOf } from "../traces/context.ts";
import type { LoadedOutput } from "../traces/output.ts";
import { blankSpan, rootOf, type Span, type Trace } from "../traces/span.ts";
import { ROOT } from "../traces/step-span.ts";
import { endEventId } from "./announce-end.ts";
import { askRun } from "./ask.ts";
import { invocationId } from "./invocation.ts";

/**
 * The trace of a run as it is now; null when there is no such run. `outputs`: with those that are small enough (OB-11). The database's schema
 * must be in place.
 */
export async function traceOf(
  bindings: Bindings,
  environmentId: string,
  runId: string,
  { outputs = true }: { readonly outputs?: boolean } = {},
): Promise<Trace | null> {
  if (!isUlid(runId)) return null;
  const trace: Trace | null = await askRun(bindings, environmentId, runId, (run) => run.traced(outputs));
  if (trace !== null) return await linked(bindings, environmentId, trace);
  const row = await findRun(bindings.DB, environmentId, runId);
  return row === null ? null : rootOnly(row);
}

/** An output of a run by the id that its trace names; null when there is none. */
export async function outputOf(
  bindings: Bindings,
  environmentId: string,
  runId: string,
  outputId: string,
): Promise<LoadedOutput | null> {
  if (!isUlid(runId)) return null;
  const loaded: LoadedOutput | null = await askRun(bindings, environmentId, runId, (run) => run.output(outputId));
  return loaded;
}

async function linked(bindings: Bindings, environmentId: string, trace: Trace): Promise<Trace> {
  const owner = { environmentId, runId: trace.runId };
  const { endedAt } = rootOf(trace);
  const endEvents = await Promise.all(
    trace.endEvents.map(async ({ name }) => ({ name, id: await endEventId(owner, name, endedAt ?? 0) })),
  );
  const invokes = trace.spans.some(({ details }) => details?.of === "invoke");
  if (!invokes) return { ...trace, endEvents };
  const catalog = await catalogOf(bindings, environmentId, Date.now());
  const spans = await Promise.all(
    trace.spans.map(async (span): Promise<Span> => {
      const { details, stepId, startedAt } = span;
      if (details?.of !== "invoke" || stepId === null || startedAt === null) return span;
      const eventId = await invocationId(owner, stepId, startedAt);
      const target = catalog.functionNamed(details.functionId);
      // A run that gathers has the id of whatever opened its window.
      const derived = target === null || gathers(target) ? null : await runIdFor(environmentId, target.id, eventId);
      return { ...span, details: { ...details, eventId, runId: details.runId ?? derived } };
    }),
  );
  return { ...trace, endEvents, spans };
}

/** A run of which only its row is left, or that was skipped and never had more. */
function rootOnly(row: RunRow): Trace {
  const { runId, status, queuedAt, startedAt, endedAt } = row;
  const root: Span = {
    ...blankSpan(row.functionSlug, ROOT, null),
    kind: "root",
    status,
    queuedAt,
    startedAt,
    endedAt,
  };
  return {
    runId,
    traceId: traceIdOf(runId),
    appId: row.appId,
    functionId: row.functionId,
    parent: null,
    originalRunId: row.originalRunId,
    endEvents: [],
    spans: [root],
    tokens: { input: 0, output: 0 },
    droppedSpans: 0,
  };
}
