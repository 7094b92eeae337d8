/**
 * Realtime over HTTP (protocol/08 §8.1). So far the stream of a durable endpoint's run: the SDK posts it, subscribers follow it
 * (protocol/09 §9.4 "SSE variant"). Owns the routes and who may use them: a signing key to publish, a realtime token to listen.
 */
import { Hono } from "hono";
import { environmentOf } from "../environment.ts";
import { MillraceError } from "../errors.ts";
import { isUlid } from "../ids.ts";
import { REALTIME } from "../limits.ts";
import { channelStub, runStub } from "../objects.ts";
import { responseOf } from "../protocol/endpoint-output.ts";
import { ResponseWatch, responseEventText } from "../protocol/response-event.ts";
import { checkRealtimeToken } from "../protocol/token.ts";
import type { Api } from "./api.ts";
import { authenticate } from "./authentication.ts";

/** To be mounted at `/`. */
export const realtime = new Hono<Api>();

realtime.post("/v1/realtime/publish/tee", authenticate, async (context) => {
  const environmentId = context.get("environment").id;
  const name = context.req.query("channel") ?? "";
  if (name === "" || name.length > REALTIME.channelLength) {
    throw new MillraceError("invalid_request", `A channel's name has 1 to ${REALTIME.channelLength} characters.`);
  }
  const channel = channelStub(context.env, environmentId, name);
  const watch = new ResponseWatch();
  for await (const bytes of context.req.raw.body ?? []) {
    const head = isUlid(name) ? watch.take(bytes) : null;
    // Before subscribers see it: one who comes too late for it then finds it with the run.
    if (head !== null) await runStub(context.env, environmentId, name).respond(head);
    await channel.tee(bytes);
  }
  return context.json({ data: null });
});

realtime.get("/v1/realtime/sse", async (context) => {
  const settings = context.get("settings");
  const environmentId = environmentOf(settings).id;
  const topics = await checkRealtimeToken(settings, environmentId, context.req.query("token") ?? "", Date.now());
  const stream = topics.find(({ name }) => name === "$stream");
  if (stream === undefined) throw new MillraceError("forbidden", "The token allows no stream of a run.");
  const { channel } = stream;
  const subscribed = await channelStub(context.env, environmentId, channel).fetch(context.req.raw);
  // Asked after subscribing, so that the end is either found here or heard there.
  const result = isUlid(channel) ? await runStub(context.env, environmentId, channel).result(0) : null;
  if (result?.state !== "ended") return new Response(subscribed.body, subscribed);
  await subscribed.body?.cancel();
  const { body, ...head } = responseOf(result, false);
  const text = responseEventText(result.completed ? "succeeded" : "failed", head, body);
  return new Response(text, subscribed);
});
