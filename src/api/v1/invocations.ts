/**
 * `/v1/functions/:slug/invoke` (API-14): starting a function by name, and waiting for its run's end. Owns the form of request and reply.
 */
import { type Context, Hono } from "hono";
import * as z from "zod";
import { currentCatalog } from "../../apps/catalog.ts";
import type { RegisteredFunction } from "../../apps/function.ts";
import { type Invoked, invocable, invoke, invokedBy } from "../../events/invoke.ts";
import { readEvent } from "../../history/read.ts";
import { isFinal } from "../../history/status.ts";
import { runIdFor } from "../../ids.ts";
import { INVOKE } from "../../limits.ts";
import { anyJson } from "../../protocol/any-json.ts";
import { askRun } from "../../runs/ask.ts";
import { awaitEnd } from "../../runs/await-end.ts";
import type { Api } from "../api.ts";
import { authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { parseBody } from "./body.ts";
import { metadata, reply } from "./reply.ts";
import { idFor, requestId } from "./request-id.ts";
import { runJson } from "./run.ts";

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

/** The route, below `/v1`. */
export const invocations = new Hono<Api>();

invocations.post("/v1/functions/:slug/invoke", authenticate, database, async (context) => {
  const { maxRequestBytes, maxEventBytes } = context.get("settings");
  const { data, user, idempotency_key, wait } = await parseBody(context, invokeBody, maxRequestBytes);
  const environmentId = context.get("environment").id;
  const slug = context.req.param("slug");
  const now = Date.now();
  const target = invocable((await currentCatalog(context.env, environmentId, now)).functionNamed(slug), { slug });
  const { id: eventId, repeated } = await idFor(context, `invoke ${target.id}`, idempotency_key, now);
  const body = JSON.stringify({ data: data ?? {}, user: user ?? {} });
  const invocation = { slug: target.slug, eventId, body, headers: context.req.raw.headers };
  const invoked =
    (repeated ? await invokedBefore(context, target, eventId) : null) ??
    (await invoke(context.env, environmentId, invocation, { now, maxEventBytes }));
  return await answer(context, invoked, wait * 1000);
});

/** What became of the first copy of a request; null when it came to nothing, so that this one takes its place. */
async function invokedBefore(
  context: Context<Api>,
  target: RegisteredFunction,
  eventId: string,
): Promise<Invoked | null> {
  const environmentId = context.get("environment").id;
  const runId = await runIdFor(environmentId, target.id, eventId);
  const view = await askRun(context.env, environmentId, runId, (run) => run.view());
  if (view !== null) return { eventId, runId, skipped: null };
  const stored = await readEvent(context.env, environmentId, eventId);
  return stored === null ? null : await invokedBy(environmentId, target, eventId, stored.outcomes);
}

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
