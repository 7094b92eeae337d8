/**
 * Lists and searches of runs (API-10, OB-2, OB-4). Owns which index answers what, and what an expression sees of a run: its trigger event and
 * its output. Every statement names its environment (SE-8); callers have run `ensureSchema`.
 */
import type { Bindings } from "../bindings.ts";
import type { EventPayload } from "../events/event.ts";
import type { Expression } from "../expressions/expression.ts";
import { reads } from "../expressions/syntax.ts";
import { loadEvents } from "../history/events.ts";
import type { RunRow, RunStatus } from "../history/message.ts";
import type { Page } from "../history/page.ts";
import { RUN_COLUMNS, type RunFilter, type RunRecord, restoreRun } from "../history/runs.ts";
import { isFinal } from "../history/status.ts";
import { HISTORY, RETENTION, SEARCH } from "../limits.ts";
import { askRun } from "../runs/ask.ts";
import { Judge } from "./judge.ts";
import { boundsOf, highestOf, listingOf, lowestOf, pageWithin, type SearchListing } from "./listing.ts";
import { pushdown } from "./pushdown.ts";
import { scan } from "./scan.ts";
import { goThrough, type PassingRow, parameters, type Source } from "./stretch.ts";

/** A row as it comes from the database; `payload` and `event_id` of its trigger event only where an expression reads it. */
type Row = RunRecord & PassingRow & { readonly payload?: string | null; readonly event_id?: string | null };

/** Runs, newest first unless the page says otherwise. A page ends early once its outputs exceed `HISTORY.pageBytes`, or the search its bounds. */
export async function listRuns(
  db: D1Database,
  environmentId: string,
  filter: RunFilter,
  page: Page,
): Promise<SearchListing<RunRow>> {
  const source = sourceOf(environmentId, filter, null, await isFewUnfinished(db, environmentId, filter));
  const found = await scan<Row, RunRow>(
    {
      look: (stretch) => goThrough<Row>(db, source, stretch),
      judge: async (rows) => rows.map((row) => restoreRun(environmentId, row)),
    },
    wanted(filter, page, null),
    boundsOf(false),
    Date.now,
  );
  return listingOf(found, null);
}

/** {@link listRuns} of which the expression is true. What history does not hold of a run, its object is asked for. */
export async function searchRuns(
  bindings: Bindings,
  environmentId: string,
  filter: RunFilter,
  page: Page,
  expression: Expression,
): Promise<SearchListing<RunRow>> {
  const { DB } = bindings;
  const source = sourceOf(environmentId, filter, expression, await isFewUnfinished(DB, environmentId, filter));
  const judge = new Judge(expression, Date.now());
  const readsOutput = reads(expression.tree, "output");
  const found = await scan<Row, RunRow>(
    {
      look: (stretch) => goThrough<Row>(DB, source, stretch),
      async judge(rows) {
        const split = await splitPayloads(DB, environmentId, rows);
        return await Promise.all(
          rows.map(async (row) => {
            const run = restoreRun(environmentId, row);
            // An output that is too large for a row is with the run.
            const lacks = readsOutput && row.output === null && isFinal(row.status);
            const view = lacks ? await askRun(bindings, environmentId, run.runId, (object) => object.view()) : null;
            const event = eventOf(row, split);
            return judge.matches({ event, output: view?.row.output ?? run.output }) ? run : null;
          }),
        );
      },
    },
    wanted(filter, page, SEARCH.rows),
    boundsOf(true),
    Date.now,
  );
  return listingOf(found, judge.faults);
}

function wanted({ from, until, timeField }: RunFilter, page: Page, rows: number | null) {
  // A run starts and ends any time after it was queued; one that waited in a window is queued some time after the event that its id tells of.
  const lowest = timeField === "queued_at" ? lowestOf(from, RETENTION.gathering) : null;
  return { ...pageWithin(page, lowest, highestOf(until)), rows };
}

const FAILURES: readonly RunStatus[] = ["failed", "cancelled"];

function sourceOf(
  environmentId: string,
  filter: RunFilter,
  expression: Expression | null,
  fewUnfinished: boolean,
): Source {
  const { statuses, appId, functionId, from, until, timeField } = filter;
  const values: (string | number)[] = [];
  const bind = parameters(values);
  const located = [`runs.environment_id = ${bind(environmentId)}`];
  const filters: string[] = [];
  let table = "runs";
  // Without statistics the planner would walk all runs of the environment; partial indexes want their conditions as they stand there.
  if (fewUnfinished) {
    table = "runs INDEXED BY runs_by_due";
    located.push("runs.due_at IS NOT NULL");
  } else if (functionId !== null) {
    table = "runs INDEXED BY runs_by_function";
    located.push(`runs.function_id = ${bind(functionId)}`);
  } else if (statuses.length > 0 && statuses.every((status) => FAILURES.includes(status))) {
    table = "runs INDEXED BY runs_by_failure";
    located.push("runs.status IN ('failed', 'cancelled')");
  }
  if (functionId !== null && fewUnfinished) filters.push(`runs.function_id = ${bind(functionId)}`);
  if (statuses.length > 0) {
    filters.push(`runs.status IN (SELECT value FROM json_each(${bind(JSON.stringify(statuses))}))`);
  }
  if (appId !== null) filters.push(`runs.app_id = ${bind(appId)}`);
  if (from !== null) filters.push(`runs.${timeField} >= ${bind(from)}`);
  if (until !== null) filters.push(`runs.${timeField} < ${bind(until)}`);
  const names = { event: "trigger.payload", name: "runs.event_name", output: "runs.output" };
  if (typeof filter.deferred === "boolean") {
    filters.push(`runs.event_name ${filter.deferred ? "=" : "<>"} 'inngest/deferred.schedule'`);
  }
  const beforehand = expression === null ? null : pushdown(expression.tree, names, bind);
  if (beforehand !== null) filters.push(beforehand);
  const readsEvent = expression !== null && reads(expression.tree, "event");
  return {
    from: table,
    join: readsEvent
      ? "LEFT JOIN events AS trigger ON trigger.environment_id = runs.environment_id AND trigger.internal_id = runs.event_ids->>0"
      : "",
    id: "runs.run_id",
    columns: `${RUN_COLUMNS}${readsEvent ? ", trigger.payload, trigger.internal_id AS event_id" : ""}`,
    size: `COALESCE(octet_length(runs.output), 0)${
      readsEvent
        ? ` + COALESCE(octet_length(trigger.payload), iif(trigger.internal_id IS NULL, 0, ${HISTORY.rowBytes}))`
        : ""
    }`,
    located,
    filters,
    values,
  };
}

/** Whether unfinished runs alone are asked for and there are so few that they can all be sorted. */
async function isFewUnfinished(db: D1Database, environmentId: string, { statuses }: RunFilter): Promise<boolean> {
  if (statuses.length === 0 || statuses.some(isFinal)) return false;
  const count = await db
    .prepare(
      `SELECT COUNT(*) AS count FROM (
         SELECT 1 FROM runs INDEXED BY runs_by_due WHERE environment_id = ?1 AND due_at IS NOT NULL LIMIT ?2
       )`,
    )
    .bind(environmentId, SEARCH.unfinished + 1)
    .first<number>("count");
  return (count ?? 0) <= SEARCH.unfinished;
}

/** The payloads of trigger events that are stored in parts, by internal id. */
async function splitPayloads(
  db: D1Database,
  environmentId: string,
  rows: readonly Row[],
): Promise<Map<string, EventPayload>> {
  const ids = rows.flatMap(({ payload, event_id }) => (payload === null ? (event_id ?? []) : []));
  if (ids.length === 0) return new Map();
  const events = await loadEvents(db, environmentId, ids);
  return new Map(events.map(({ internalId, payload }) => [internalId, payload]));
}

/** The trigger event as the expression sees it. Of one that history has not got, or no more, the name is known. */
function eventOf({ payload, event_id, event_name }: Row, split: ReadonlyMap<string, EventPayload>) {
  // Written by `events.ts` from a value of this type.
  if (typeof payload === "string") return JSON.parse(payload) as EventPayload;
  return split.get(event_id ?? "") ?? { name: event_name };
}
