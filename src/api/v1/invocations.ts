/**
 * `/v1/functions/:slug/invoke` (API-14): starting a function by name, and waiting for its run's end. Owns the form of request and reply.
 */
import { type Context, Hono } from "hono";
import * as z from "zod";
import type { Invoked } from "../../events/invoke.ts";
import { isFinal } from "../../history/status.ts";
import { INVOKE } from "../../limits.ts";
import { anyJson } from "../../protocol/any-json.ts";
import { awaitEnd } from "../../runs/await-end.ts";
import { invokeOnce } from "../../runs/invoke-once.ts";
import type { Api } from "../api.ts";
import { authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { parseBody } from "./body.ts";
import { metadata, one, reply } from "./reply.ts";
import { keyOf, requestId } from "./request-id.ts";
import { runJson, runReply } from "./run.ts";

const object = z.record(z.string(), anyJson, "must be an object");

const invokeBody = z.object({
  data: object.nullable().default(null),
  user: object.nullable().default(null),
  idempotency_key: requestId,
  wait: z
    .number("must be a number of seconds")
    .min(0, "must not be negative")
    .max(INVOKE.wait, `must be at most ${INVOKE.wait} seconds`)
    .default(0),
});

const begun = z.object({ run_id: z.string().nullable(), event_id: z.string(), skipped: z.string().optional() });

const note = {
  id: "invokeFunction",
  summary: "Starts a function by name; with wait, answers its ended run.",
  body: invokeBody,
  answers: { 200: one(z.union([runReply, begun])), 202: one(begun) },
};

/** The route, below `/v1`. */
export const invocations = new Hono<Api>();

invocations.post("/v1/functions/:slug/invoke", described(note), authenticate, database, async (context) => {
  const { maxRequestBytes, maxEventBytes } = context.get("settings");
  const { data, user, idempotency_key, wait } = await parseBody(context, invokeBody, maxRequestBytes);
  const { headers } = context.req.raw;
  const request = { slug: context.req.param("slug"), data: data ?? {}, user: user ?? {}, headers };
  const key = keyOf(headers, idempotency_key);
  const moment = { now: Date.now(), maxEventBytes };
  const invoked = await invokeOnce(context.env, context.get("environment").id, { ...request, key }, moment);
  return await answer(context, invoked, wait * 1000);
});

async function answer(
  context: Context<Api>,
  { eventId, runId, skipped }: Invoked,
  patience: number,
): Promise<Response> {
  const known = { run_id: runId, event_id: eventId, ...(skipped === null ? {} : { skipped }) };
  if (patience === 0 || runId === null || skipped !== null) return reply(context, known);
  const view = await awaitEnd(context.env, context.get("environment").id, runId, patience);
  if (view !== null && isFinal(view.row.status)) return reply(context, { ...runJson(view.row), event_id: eventId });
  return context.json({ data: known, metadata: metadata() }, 202);
}
