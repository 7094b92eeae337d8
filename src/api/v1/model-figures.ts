/**
 * `/v1/metrics/ai` (OB-12): what functions ask of models, by model. Owns the route and its reply.
 */
import { Hono } from "hono";
import * as z from "zod";
import { sumsByModel } from "../../metrics/models.ts";
import type { Api } from "../api.ts";
import { authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { scopeOf } from "./metric-points.ts";
import { metricsQuery } from "./metric-replies.ts";
import { one, reply } from "./reply.ts";

const count = z.number().int();

const modelReply = z.object({
  function_id: z.string(),
  function_slug: z.string(),
  app_id: z.string(),
  /** Null where neither request nor reply says which. */
  model: z.string().nullable(),
  calls: count,
  input_tokens: count,
  output_tokens: count,
  /** On average. */
  latency_seconds: z.number(),
});

const total = z.object({ calls: count, input_tokens: count, output_tokens: count });

/** The route, below `/v1`. */
export const modelFigures = new Hono<Api>();

modelFigures.get(
  "/v1/metrics/ai",
  described({
    id: "getModelFigures",
    summary: "Calls of models with their tokens, by function and model.",
    query: metricsQuery,
    answers: { 200: one(z.object({ total, models: z.array(modelReply) })) },
  }),
  authenticate,
  database,
  async (context) => {
    const sums = await sumsByModel(context.env.DB, context.get("environment").id, scopeOf(context));
    const sum = (name: keyof z.output<typeof total>) => sums.reduce((all, row) => all + row[name], 0);
    return reply(context, {
      total: { calls: sum("calls"), input_tokens: sum("input_tokens"), output_tokens: sum("output_tokens") },
      models: sums.map(({ model, latency, ...row }) => ({
        ...row,
        model: model === "" ? null : model,
        latency_seconds: latency / row.calls / 1000,
      })),
    });
  },
);
