/**
 * `/v1/runs/:id/trace` and the outputs behind its spans (API-9, OB-11). Owns the routes only.
 */
import { Hono } from "hono";
import { MillraceError } from "../../errors.ts";
import { outputOf, traceOf } from "../../runs/trace.ts";
import type { Api } from "../api.ts";
import { authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { one, reply } from "./reply.ts";
import { traceJson } from "./trace.ts";
import { outputReply, traceReply } from "./trace-reply.ts";

const traceNote = { id: "getRunTrace", summary: "What a run did, step by step.", answers: { 200: one(traceReply) } };
const outputNote = {
  id: "getRunOutput",
  summary: "An output that a span of the trace names.",
  answers: { 200: one(outputReply) },
};

/** The routes, below `/v1`. */
export const traces = new Hono<Api>();

traces.get("/v1/runs/:id/trace", described(traceNote), authenticate, database, async (context) => {
  const id = context.req.param("id");
  const trace = await traceOf(context.env, context.get("environment").id, id);
  if (trace === null) throw new MillraceError("run_not_found", `No run has the id "${id}".`);
  return reply(context, traceJson(trace));
});

traces.get("/v1/runs/:id/outputs/:output", described(outputNote), authenticate, database, async (context) => {
  const [id, name] = [context.req.param("id"), context.req.param("output")];
  const loaded = await outputOf(context.env, context.get("environment").id, id, name);
  if (loaded === null) throw new MillraceError("not_found", `The run "${id}" has no output "${name}".`);
  const { ok, value, input } = loaded;
  return reply(context, { ok, [ok ? "output" : "error"]: value, input });
});
