/**
 * Reading runs over v2 (API-22): lists with all their filters, and one run.
 */
import * as z from "zod";
import { currentCatalog } from "../../apps/catalog.ts";
import { appIn, functionIn } from "../../apps/named.ts";
import { MillraceError } from "../../errors.ts";
import type { Page } from "../../history/page.ts";
import { readRun } from "../../history/read.ts";
import type { RunFilter } from "../../history/runs.ts";
import { listRuns } from "../../search/runs.ts";
import { moment } from "../v1/query.ts";
import { type Call, operation, pageEnd } from "./operation.ts";
import { anyOf, flag, name, paging } from "./parameters.ts";
import { runJson, runReply, STATUS_BY_WORD } from "./run.ts";

const TIME_FIELDS = { queuedAt: "queued_at", startedAt: "started_at", endedAt: "ended_at" } as const;

const filters = {
  ...paging(),
  from: moment,
  until: moment,
  timeField: z.enum(["queuedAt", "startedAt", "endedAt"]).default("queuedAt"),
  status: anyOf(STATUS_BY_WORD),
  isDeferred: flag.nullable().default(null),
  order: z.enum(["asc", "desc", "ASC", "DESC"]).default("desc"),
  includeOutput: flag,
};

type Filters = z.output<z.ZodObject<typeof filters>>;

/** The calls. */
export const runs = [
  operation({
    id: "listRuns",
    method: "GET",
    path: "/runs",
    summary: "Runs, newest first unless order is asc; with includeOutput their outputs too.",
    parameters: { ...filters, appId: name.nullable().default(null), functionId: name.nullable().default(null) },
    paged: true,
    data: z.array(runReply),
    handler: async (call, { appId, functionId, ...wanted }) => {
      const catalog = await currentCatalog(call.bindings, call.environment.id, call.now);
      const app = appId === null ? null : appIn(catalog, appId).id;
      if (functionId === null) return await listed(call, wanted, { app, fn: null });
      const registered = appId === null ? catalog.functionNamed(functionId) : null;
      const fn = registered ?? (appId === null ? null : functionIn(catalog, { app: appId, function: functionId }));
      if (fn !== null) return await listed(call, wanted, { app, fn: fn.id });
      throw new MillraceError("function_not_found", `No function has the slug or id "${functionId}".`);
    },
  }),
  operation({
    id: "listFunctionRuns",
    method: "GET",
    path: "/apps/:appId/functions/:functionId/runs",
    summary: "The runs of a function.",
    parameters: { ...filters, appId: name, functionId: name },
    paged: true,
    data: z.array(runReply),
    handler: async (call, { appId, functionId, ...wanted }) => {
      const catalog = await currentCatalog(call.bindings, call.environment.id, call.now);
      const fn = functionIn(catalog, { app: appId, function: functionId }).id;
      return await listed(call, wanted, { app: null, fn });
    },
  }),
  operation({
    id: "getRun",
    method: "GET",
    path: "/runs/:runId",
    summary: "One run, with its output once it has ended.",
    parameters: { runId: name },
    data: runReply,
    handler: async ({ bindings, environment, now }, { runId }) => {
      const view = await readRun(bindings, environment.id, runId);
      if (view === null) throw new MillraceError("run_not_found", `No run has the id "${runId}".`);
      const catalog = await currentCatalog(bindings, environment.id, now);
      return { data: runJson(view.row, catalog, { output: true }) };
    },
  }),
];

async function listed(call: Call, wanted: Filters, of: { readonly app: string | null; readonly fn: string | null }) {
  const { bindings, environment, now } = call;
  const filter: RunFilter = {
    statuses: wanted.status,
    appId: of.app,
    functionId: of.fn,
    from: wanted.from,
    until: wanted.until,
    timeField: TIME_FIELDS[wanted.timeField],
    deferred: wanted.isDeferred,
  };
  const order = wanted.order.toLowerCase() === "asc" ? "oldest" : "newest";
  const page: Page = { limit: wanted.limit, cursor: wanted.cursor, order };
  const { items, nextCursor } = await listRuns(bindings.DB, environment.id, filter, page);
  const catalog = await currentCatalog(bindings, environment.id, now);
  const data = items.map((run) => runJson(run, catalog, { output: wanted.includeOutput }));
  return { data, page: pageEnd(wanted.limit, nextCursor) };
}
