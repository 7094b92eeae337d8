/**
 * The run of a closed window: the gates that are left and its start (FC-27, FC-32), and what becomes of its events when it does not start.
 * Guarantees that all of it can be repeated, and that an event whose window started nothing says so (EV-12).
 */
import { catalogOf } from "../apps/catalog.ts";
import type { RegisteredFunction } from "../apps/function.ts";
import type { Bindings } from "../bindings.ts";
import { countD1 } from "../counters.ts";
import { errorMemo } from "../decide/run/state.ts";
import type { RunRow } from "../history/message.ts";
import { type OutcomeChange, outcomeStatement } from "../history/outcomes.ts";
import { projectionStatements } from "../history/projection.ts";
import { runIdFor } from "../ids.ts";
import { WINDOW } from "../limits.ts";
import { runStub } from "../objects.ts";
import type { AcceptedEvent, EventOutcome } from "./event.ts";
import { keyOf } from "./gather.ts";
import type { ClosedWindow, GatherKind } from "./gathering.ts";
import { startGatheredRun } from "./start.ts";

/** Whose window it was. */
export interface WindowOwner {
  readonly environmentId: string;
  /** UUID. */
  readonly functionId: string;
  readonly kind: GatherKind;
}

/**
 * Starts the run of a closed window by the newest registration of its function. Resolves when the run is durable, or when there is none
 * and everybody who has to know does. Throws when that could not be achieved; it is to be tried again then.
 */
export async function startGathered(bindings: Bindings, owner: WindowOwner, closed: ClosedWindow): Promise<void> {
  const { environmentId, functionId } = owner;
  const now = Date.now();
  const fn = (await catalogOf(bindings, environmentId, now)).functionById(functionId);
  if (fn === null || fn.archived) return await startNothing(bindings, owner, closed, now);
  const { events, parents, depth, closedAt } = closed;
  const runId = await runIdFor(environmentId, functionId, closed.opener);
  const candidate = { runId, at: closedAt, kind: "counted", function: fn, events, parents, depth } as const;
  const started = await startGatheredRun(bindings, environmentId, candidate, now);
  if (started.started === "busy") throw new Error(`Run ${runId} was told to wait although it was triggered.`);
  if (!started.started) {
    await record(bindings, owner, closed, { change: changeOf(started.outcome), of: events, row: started.row, now });
  } else if ("warnings" in started.outcome && started.outcome.warnings !== undefined) {
    // Keys of other options are computed for the first event, and it is this event that shows what is wrong with them (FC-41).
    const warnings = [...warningsOf(fn, owner.kind, events[0], now), ...started.outcome.warnings];
    await record(bindings, owner, closed, { change: { warnings }, of: [events[0]], row: null, now });
  }
}

/** Its function was archived meanwhile: nobody starts it any more, and its events say that it was not there. */
async function startNothing(bindings: Bindings, owner: WindowOwner, closed: ClosedWindow, now: number): Promise<void> {
  const { environmentId, functionId, kind } = owner;
  const message = `could not find function with ID: ${functionId}`;
  console.warn(`A ${kind} window of ${closed.events.length} event(s) closed for nothing: ${message}`);
  for (const { runId, stepId } of closed.parents) {
    const memo = errorMemo({ name: "Error", message, code: "invoke_not_found" });
    await runStub(bindings, environmentId, runId).resolve(stepId, memo);
  }
  const change = { outcome: "skipped", reason: "function_paused", runId: null } as const;
  await record(bindings, owner, closed, { change, of: closed.events, row: null, now });
}

interface Record {
  readonly change: OutcomeChange;
  readonly of: readonly AcceptedEvent[];
  /** The entry that shows the skipped run; null without one. */
  readonly row: RunRow | null;
  readonly now: number;
}

/**
 * Writes what became of the events. They are stored by the request that sent them; one that is not there yet is waited for, unless its
 * request must have died before it was acknowledged.
 */
async function record(
  { DB }: Bindings,
  { environmentId, functionId }: WindowOwner,
  { closedAt }: ClosedWindow,
  { change, of, row, now }: Record,
): Promise<void> {
  const ids = of.map(({ internalId }) => internalId);
  const rows = row === null ? [] : projectionStatements(DB, [], [row]);
  const [updated, ...others] = await DB.batch([outcomeStatement(DB, environmentId, ids, functionId, change), ...rows]);
  for (const { meta } of [updated, ...others].filter((result) => result !== undefined)) countD1(meta);
  if ((updated?.meta.changes ?? 0) >= ids.length) return;
  const what = `of ${ids.length} event(s) only ${updated?.meta.changes ?? 0} are stored, the first is ${ids[0]}`;
  if (now < closedAt + WINDOW.remembered) throw new Error(what);
  console.warn(`The outcome of a window could not be written: ${what}`);
}

function changeOf(outcome: EventOutcome): OutcomeChange {
  if (outcome.outcome !== "skipped") throw new Error(`A run that does not start is skipped, not ${outcome.outcome}.`);
  const { reason, runId = null, warnings } = outcome;
  return { outcome: "skipped", reason, runId, ...(warnings === undefined ? {} : { warnings }) };
}

function warningsOf(fn: RegisteredFunction, kind: GatherKind, event: AcceptedEvent, now: number) {
  const { warning } = keyOf(fn, kind, event, now);
  return warning === null ? [] : [warning];
}
