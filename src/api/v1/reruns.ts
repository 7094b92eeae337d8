/**
 * `/v1/runs/:id/rerun` (API-13): running one run again, from its beginning or from a step. Owns the form of the request.
 */
import { Hono } from "hono";
import * as z from "zod";
import { readRun } from "../../history/read.ts";
import { RERUN } from "../../limits.ts";
import { anyJson } from "../../protocol/any-json.ts";
import { rerun } from "../../runs/rerun.ts";
import type { Api } from "../api.ts";
import { authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { parseBody } from "./body.ts";
import { one, reply } from "./reply.ts";
import { idFor, requestId } from "./request-id.ts";
import { runJson, runReply } from "./run.ts";

const rerunBody = z.object({
  from_step: z
    .string("must be text")
    .min(1, "must not be empty")
    .max(RERUN.textLength, `must have at most ${RERUN.textLength} characters`)
    .nullable()
    .default(null),
  input: z.array(anyJson, "must be the list of arguments").nullable().default(null),
  request_id: requestId,
});

/** A run that nobody can read yet. */
const begunReply = z.object({ run_id: z.string(), original_run_id: z.string() });

/** The route, below `/v1`. */
export const reruns = new Hono<Api>();

reruns.post(
  "/v1/runs/:id/rerun",
  described({
    id: "rerunRun",
    summary: "Runs a run again, from its beginning or from a step.",
    body: rerunBody,
    answers: { 200: one(z.union([runReply, begunReply])) },
  }),
  authenticate,
  database,
  async (context) => {
    const { from_step: fromStep, input, request_id } = await parseBody(context, rerunBody, RERUN.bodyBytes);
    const originalRunId = context.req.param("id");
    const environmentId = context.get("environment").id;
    const now = Date.now();
    const { id: runId } = await idFor(context, `rerun ${originalRunId}`, request_id, now);
    await rerun(context.env, environmentId, { runId, originalRunId, fromStep, input }, now);
    const view = await readRun(context.env, environmentId, runId);
    return reply(context, view === null ? { run_id: runId, original_run_id: originalRunId } : runJson(view.row));
  },
);
