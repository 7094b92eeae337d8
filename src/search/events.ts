/**
 * Lists and searches of events (API-7, OB-1). Owns which index answers what. Every statement names its environment (SE-8); callers have run
 * `ensureSchema`.
 */
import type { Expression } from "../expressions/expression.ts";
import { EVENT_COLUMNS, type EventFilter, type EventRecord, isInternal, restoreEvents } from "../history/events.ts";
import type { StoredEvent } from "../history/message.ts";
import type { Page } from "../history/page.ts";
import { HISTORY, SEARCH } from "../limits.ts";
import { Judge } from "./judge.ts";
import { boundsOf, highestOf, listingOf, lowestOf, pageWithin, type SearchListing } from "./listing.ts";
import { pushdown, requiredNames } from "./pushdown.ts";
import { scan } from "./scan.ts";
import { goThrough, type PassingRow, parameters, type Source } from "./stretch.ts";

type Row = EventRecord & PassingRow;

/**
 * Events, newest first unless the page says otherwise. The engine's own are left out unless they are asked for by name. With an expression the page holds those of which it is
 * true. A page ends early once its payloads exceed `HISTORY.pageBytes`, or the search its bounds.
 */
export async function listEvents(
  db: D1Database,
  environmentId: string,
  filter: EventFilter,
  page: Page,
  expression: Expression | null = null,
): Promise<SearchListing<StoredEvent>> {
  const source = sourceOf(environmentId, filter, expression);
  const judge = expression === null ? null : new Judge(expression, Date.now());
  const found = await scan<Row, StoredEvent>(
    {
      look: (stretch) => goThrough<Row>(db, source, stretch),
      async judge(rows) {
        const events = await restoreEvents(db, environmentId, rows);
        return events.map((one) => (judge === null || judge.matches({ event: one.event.payload }) ? one : null));
      },
    },
    {
      ...pageWithin(page, lowestOf(filter.receivedAfter, 0), highestOf(filter.receivedBefore)),
      rows: expression === null ? null : SEARCH.rows,
    },
    boundsOf(expression !== null),
    Date.now,
  );
  return listingOf(found, judge?.faults ?? null);
}

function sourceOf(environmentId: string, filter: EventFilter, expression: Expression | null): Source {
  const values: (string | number)[] = [];
  const bind = parameters(values);
  const wanted = filter.name !== null ? [filter.name] : (filter.names ?? []);
  const names = wanted.length > 0 ? wanted : ((expression === null ? null : requiredNames(expression.tree)) ?? []);
  const kinds = new Set(names.map(isInternal));
  // The partial index wants to see `internal = 0` as it stands there. Without statistics the planner would walk the primary key instead.
  const [only] = names.length === 1 && !kinds.has(true) ? names : [];
  const located = [`events.environment_id = ${bind(environmentId)}`];
  if (only !== undefined) located.push("events.internal = 0", `events.name = ${bind(only)}`);
  const filters: string[] = [];
  if (only === undefined && kinds.size < 2 && filter.internal === undefined)
    filters.push(`events.internal = ${kinds.has(true) ? 1 : 0}`);
  if (only === undefined && names.length > 0) {
    filters.push(`events.name IN (SELECT value FROM json_each(${bind(JSON.stringify(names))}))`);
  }
  if (filter.source !== undefined && filter.source !== null) filters.push(`events.source = ${bind(filter.source)}`);
  if (filter.receivedAfter !== null) filters.push(`events.received_at >= ${bind(filter.receivedAfter)}`);
  if (filter.receivedBefore !== null) filters.push(`events.received_at < ${bind(filter.receivedBefore)}`);
  const columns = { event: "events.payload", name: "events.name", output: null };
  const beforehand = expression === null ? null : pushdown(expression.tree, columns, bind);
  if (beforehand !== null) filters.push(beforehand);
  return {
    from: only === undefined ? "events" : "events INDEXED BY events_by_name",
    join: "",
    id: "events.internal_id",
    columns: EVENT_COLUMNS,
    // Of a payload in parts it is only known that it is larger.
    size: `COALESCE(octet_length(events.payload), ${HISTORY.rowBytes})`,
    located,
    filters,
    values,
  };
}
