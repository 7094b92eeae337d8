/**
 * The list of runs in GraphQL (protocol/12 §12.5). Owns its filter; the list itself is history's, newest first by when their events came in.
 */

import { MillraceError } from "../../errors.ts";
import type { RunRow, RunStatus } from "../../history/message.ts";
import type { RunFilter } from "../../history/runs.ts";
import { countRuns } from "../../history/totals.ts";
import { GRAPHQL } from "../../limits.ts";
import { mergedPage } from "../../search/merge.ts";
import { listRuns, searchRuns } from "../../search/runs.ts";
import { expressionOf } from "../v1/searching.ts";
import type { GraphqlContext, Noun } from "./context.ts";
import { runFieldsV2, statusGiven } from "./run.ts";
import { connection, pageSize, timeGiven } from "./values.ts";

const sdl = `
  enum RunsV2OrderByField { QUEUED_AT STARTED_AT ENDED_AT }
  enum RunsOrderByDirection { ASC DESC }
  input RunsV2OrderBy { field: RunsV2OrderByField! direction: RunsOrderByDirection! }
  input RunsFilterV2 {
    from: Time! until: Time timeField: RunsV2OrderByField status: [FunctionRunStatus!]
    functionIDs: [UUID!] appIDs: [UUID!] query: String
  }
  type FunctionRunV2Edge { node: FunctionRunV2! cursor: String! }
  type RunsV2Connection { edges: [FunctionRunV2Edge!]! pageInfo: PageInfo! totalCount: Int! }

  extend type Query {
    runs(first: Int = 40, after: String, orderBy: [RunsV2OrderBy!], filter: RunsFilterV2!, preview: Boolean): RunsV2Connection!
  }
`;

interface RunsGiven {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly orderBy?: readonly { readonly field: string; readonly direction: "ASC" | "DESC" }[] | null;
  readonly filter: {
    readonly from: string;
    readonly until?: string | null;
    readonly timeField?: string | null;
    readonly status?: readonly string[] | null;
    readonly functionIDs?: readonly string[] | null;
    readonly appIDs?: readonly string[] | null;
    readonly query?: string | null;
  };
}

/** The noun. */
export const runsNoun: Noun = { sdl, resolvers: { runs: (given: RunsGiven, context) => runs(given, context) } };

async function runs({ first, after, orderBy, filter }: RunsGiven, context: GraphqlContext) {
  const { bindings, environment } = context;
  const expression = expressionOf(filter.query || null, "run_search");
  const filters = filtersOf(filter);
  const page = { limit: pageSize(first), cursor: after ?? null };
  const pages = await Promise.all(
    filters.map((one) =>
      expression === null
        ? listRuns(bindings.DB, environment.id, one, page)
        : searchRuns(bindings, environment.id, one, page, expression),
    ),
  );
  const { items, nextCursor } = mergedPage(pages, page.limit, ({ runId }) => runId);
  // Whatever order the page is shown in, the next one begins behind its oldest run.
  const end = nextCursor ?? items.at(-1)?.runId ?? null;
  return connection(
    ordered(items, orderBy?.[0]).map((row) => runFieldsV2(row, context)),
    { cursorOf: () => end ?? "", nextCursor, end },
    // Of a search nobody knows the total without finishing it.
    async () => (expression === null ? await countRuns(bindings.DB, environment.id, filters) : items.length),
  );
}

/** One filter for each pair of app and function: history asks for one of each at a time. */
function filtersOf(filter: RunsGiven["filter"]): RunFilter[] {
  const statuses: readonly RunStatus[] = (filter.status ?? []).map(statusGiven);
  const times = { from: timeGiven(filter.from), until: timeGiven(filter.until), timeField: fieldOf(filter.timeField) };
  const filters = choices(filter.functionIDs).flatMap((functionId) =>
    choices(filter.appIDs).map((appId) => ({ statuses, functionId, appId, ...times })),
  );
  if (filters.length <= GRAPHQL.roots) return filters;
  throw new MillraceError("invalid_request", `The filter may name ${GRAPHQL.roots} pairs of app and function.`);
}

function choices(ids: readonly string[] | null | undefined): readonly (string | null)[] {
  return ids === null || ids === undefined || ids.length === 0 ? [null] : [...new Set(ids)];
}

function fieldOf(field: string | null | undefined): RunFilter["timeField"] {
  switch (field) {
    case "STARTED_AT":
      return "started_at";
    case "ENDED_AT":
      return "ended_at";
    default:
      return "queued_at";
  }
}

/** The order within a page; pages themselves follow the runs' ids. */
function ordered(rows: readonly RunRow[], by: { field: string; direction: "ASC" | "DESC" } | undefined): RunRow[] {
  if (by === undefined) return [...rows];
  const timeOf = ({ queuedAt, startedAt, endedAt }: RunRow): number =>
    ({ STARTED_AT: startedAt, ENDED_AT: endedAt })[by.field] ?? queuedAt;
  return rows.toSorted((a, b) => (by.direction === "ASC" ? timeOf(a) - timeOf(b) : timeOf(b) - timeOf(a)));
}
