/**
 * `/v1/runs` (API-8 … API-11): one run as its object sees it, its queue, and the list that history keeps.
 */
import { Hono } from "hono";
import * as z from "zod";
import type { CancelCause } from "../../decide/run/flow.ts";
import { MillraceError } from "../../errors.ts";
import type { RunStatus } from "../../history/message.ts";
import type { Page } from "../../history/page.ts";
import { readRun } from "../../history/read.ts";
import type { RunFilter } from "../../history/runs.ts";
import { isFinal } from "../../history/status.ts";
import type { RunView } from "../../history/view.ts";
import { askRun } from "../../runs/ask.ts";
import { cancelRun } from "../../runs/cancel.ts";
import { listRuns, searchRuns } from "../../search/runs.ts";
import type { Api } from "../api.ts";
import { authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { moment, pageParameters, parseQuery, text } from "./query.ts";
import { one, reply } from "./reply.ts";
import { jobJson, jobReply, priorityJson, runInFullReply, runJson, runReply, STATUS_WORDS } from "./run.ts";
import { expressionOf, expressionText, replySearch, searchList } from "./searching.ts";
import { causeJson, whyReply } from "./why.ts";

const BY_WORD = new Map(
  // `Object.entries` forgets that the keys of a record over statuses are statuses.
  Object.entries(STATUS_WORDS).map(([status, word]) => [word.toLowerCase(), status as RunStatus]),
);

const statuses = z
  .string()
  .transform((value, context) =>
    value.split(",").map((word) => {
      const status = BY_WORD.get(word.trim().toLowerCase());
      if (status !== undefined) return status;
      context.addIssue(`must be one or more of ${Object.values(STATUS_WORDS).join(", ")}, separated by commas`);
      return z.NEVER;
    }),
  )
  .default([]);

const listQuery = z
  .object({
    ...pageParameters,
    status: statuses,
    app_id: text,
    function_id: text,
    from: moment,
    until: moment,
    time_field: z.enum(["queued_at", "started_at", "ended_at"]).default("queued_at"),
    q: expressionText,
  })
  .transform(({ limit, cursor, q, ...query }): { page: Page; filter: RunFilter; q: string | null } => ({
    page: { limit, cursor },
    q,
    filter: {
      statuses: query.status,
      appId: query.app_id,
      functionId: query.function_id,
      from: query.from,
      until: query.until,
      timeField: query.time_field,
    },
  }));

const cancelQuery = z.object({ children: z.enum(["true", "false"]).default("false") });

/** The routes, below `/v1`. */
export const runs = new Hono<Api>();

runs.get(
  "/v1/runs",
  described({
    id: "listRuns",
    summary: "Runs, newest first; with q those of which the expression is true.",
    query: listQuery,
    answers: { 200: searchList(runReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const { page, filter, q } = parseQuery(listQuery, context.req.query());
    const expression = expressionOf(q, "run_search");
    const { id } = context.get("environment");
    const found =
      expression === null
        ? await listRuns(context.env.DB, id, filter, page)
        : await searchRuns(context.env, id, filter, page, expression);
    return replySearch(context, found, runJson);
  },
);

runs.get(
  "/v1/runs/:id",
  described({ id: "getRun", summary: "One run.", answers: { 200: one(runInFullReply) } }),
  authenticate,
  database,
  async (context) => {
    const id = context.req.param("id");
    const view = found(await readRun(context.env, context.get("environment").id, id), id);
    return reply(context, { ...runJson(view.row), ...priorityJson(view), metadata: view.metadata });
  },
);

runs.get(
  "/v1/runs/:id/jobs",
  described({ id: "getRunJobs", summary: "What a run has queued.", answers: { 200: one(z.array(jobReply)) } }),
  authenticate,
  database,
  async (context) => {
    const id = context.req.param("id");
    const view = found(await readRun(context.env, context.get("environment").id, id), id);
    return reply(context, view.jobs.map(jobJson));
  },
);

runs.get(
  "/v1/runs/:id/why",
  described({ id: "getRunWhy", summary: "Why a run is not moving.", answers: { 200: one(whyReply) } }),
  authenticate,
  database,
  async (context) => {
    const id = context.req.param("id");
    const environmentId = context.get("environment").id;
    const view = found(await readRun(context.env, environmentId, id), id);
    const causes = isFinal(view.row.status)
      ? []
      : ((await askRun(context.env, environmentId, id, (run) => run.why())) ?? []);
    return reply(context, { run_id: id, status: STATUS_WORDS[view.row.status], causes: causes.map(causeJson) });
  },
);

// The reply is as empty as the original's (protocol/11); a run with a step in flight still reads Running until that has ended.
runs.delete(
  "/v1/runs/:id",
  described({ id: "cancelRun", summary: "Cancels a run.", query: cancelQuery, answers: { 200: "nothing" } }),
  authenticate,
  database,
  async (context) => {
    const { children } = parseQuery(cancelQuery, context.req.query());
    const cause: CancelCause = children === "true" ? { by: "api", children: true } : { by: "api" };
    await cancelRun(context.env, context.get("environment").id, context.req.param("id"), cause);
    return context.body(null, 200);
  },
);

function found(view: RunView | null, id: string): RunView {
  if (view !== null) return view;
  throw new MillraceError("run_not_found", `No run has the id "${id}".`);
}
