/**
 * Realtime over HTTP (spec/08, protocol/08 §8.1): tokens, subscribing and publishing. Owns the routes and who may use them: a signing
 * key to make tokens and to publish, a token to listen, or to publish to just what it lists.
 */
import { type Context, Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { environmentOf } from "../environment.ts";
import { MillraceError } from "../errors.ts";
import { readBody } from "../events/body.ts";
import { isUlid } from "../ids.ts";
import { parseJson } from "../json.ts";
import { REALTIME } from "../limits.ts";
import { channelStub, runStub } from "../objects.ts";
import { responseOf } from "../protocol/endpoint-output.ts";
import { OF_RUN, STREAM } from "../protocol/realtime.ts";
import { parseChannel, parseTarget, parseTopics } from "../protocol/realtime-request.ts";
import { ResponseWatch, responseEventText } from "../protocol/response-event.ts";
import { checkRealtimeToken, type Grant, realtimeToken } from "../protocol/token.ts";
import { publish } from "../realtime/publishing.ts";
import { subscribe } from "../realtime/subscribing.ts";
import type { Api } from "./api.ts";
import { authenticate } from "./authentication.ts";

/** To be mounted at `/`. */
export const realtime = new Hono<Api>();

/** `?publish=true` asks for a token that allows to publish, and then not to listen. */
realtime.post("/v1/realtime/token", authenticate, async (context) => {
  const json = parseJson(await readBody(context.req.raw, REALTIME.messageBytes));
  if (!json.ok) throw new MillraceError("body_invalid", `The request is not JSON: ${json.reason}.`);
  const right = context.req.query("publish") === "true" ? "publish" : "subscribe";
  const { id } = context.get("environment");
  const jwt = await realtimeToken(context.get("settings"), id, { right, ...parseTopics(json.value) }, Date.now());
  return context.json({ jwt }, 201);
});

realtime.get("/v1/realtime/connect", async (context) => {
  const { environmentId, grant } = await listener(context);
  if (context.req.header("upgrade")?.toLowerCase() !== "websocket") {
    throw new MillraceError("invalid_request", "This address speaks WebSocket; /v1/realtime/sse does without.");
  }
  if (grant.topics.includes(STREAM)) throw new MillraceError("forbidden", "The stream of a run has no sockets.");
  return await subscribe(context.env, environmentId, grant, "socket");
});

realtime.get("/v1/realtime/sse", async (context) => {
  const { environmentId, grant } = await listener(context);
  const subscribed = await subscribe(context.env, environmentId, grant, "stream");
  if (!grant.topics.includes(STREAM)) return subscribed;
  // Asked after subscribing, so that the end is either found here or heard there.
  const { channel } = grant;
  const result = isUlid(channel) ? await runStub(context.env, environmentId, channel).result(0) : null;
  if (result?.state !== "ended") return subscribed;
  await subscribed.body?.cancel();
  const { body, ...head } = responseOf(result, false);
  const text = responseEventText(result.completed ? "succeeded" : "failed", head, body);
  return new Response(text, subscribed);
});

/** A run's life, for scripts (BY-9). */
realtime.get("/v1/runs/:runId/live", authenticate, async (context) => {
  const runId = context.req.param("runId");
  const { id } = context.get("environment");
  if (!isUlid(runId) || (await runStub(context.env, id, runId).view()) === null) {
    throw new MillraceError("run_not_found", `No run has the id "${runId}".`);
  }
  const by = context.req.header("upgrade")?.toLowerCase() === "websocket" ? "socket" : "stream";
  return await subscribe(context.env, id, { channel: runId, topics: [OF_RUN.life] }, by);
});

type Publisher = Api & { Variables: Api["Variables"] & { grant?: Grant } };

/** Lets in whoever has the signing key, or a token with the right to publish; a token is looked at in dev mode too. */
const publisher = createMiddleware<Publisher>(async (context, next) => {
  const token = /^Bearer (\S+\.\S+\.\S+)$/i.exec(context.req.header("authorization") ?? "")?.[1];
  if (token === undefined) return await authenticate(context, next);
  const settings = context.get("settings");
  const environment = environmentOf(settings);
  const grant = await checkRealtimeToken(settings, environment.id, token, Date.now());
  if (grant.right !== "publish") throw new MillraceError("forbidden", "The token allows listening, not publishing.");
  context.set("grant", grant);
  context.set("environment", environment);
  await next();
});

const publishing = new Hono<Publisher>();

publishing.post("/v1/realtime/publish", publisher, async (context) => {
  const target = parseTarget(new URL(context.req.url).searchParams);
  const grant = context.get("grant");
  if (
    grant !== undefined &&
    !(grant.channel === target.channel && target.topics.every((each) => grant.topics.includes(each)))
  ) {
    throw new MillraceError("forbidden", "The token does not allow publishing to this channel and topic.");
  }
  await publish(context.env, context.get("environment").id, target, context.req.raw);
  return context.json({ data: null });
});

/** The SDK posts the answer of a durable endpoint's run, its subscribers follow it (protocol/09 §9.4 "SSE variant"). */
publishing.post("/v1/realtime/publish/tee", authenticate, async (context) => {
  const { id: environmentId } = context.get("environment");
  const name = parseChannel(context.req.query("channel") ?? "");
  const channel = await channelStub(context.env, environmentId, name);
  const watch = new ResponseWatch();
  for await (const bytes of context.req.raw.body ?? []) {
    const head = isUlid(name) ? watch.take(bytes) : null;
    // Before subscribers see it: one who comes too late for it then finds it with the run.
    if (head !== null) await runStub(context.env, environmentId, name).respond(head);
    await channel.tee(bytes);
  }
  return context.json({ data: null });
});

realtime.route("/", publishing);

/** Whoever has a token to listen. Throws `unauthorized`, and `forbidden` for one to publish. */
async function listener(context: Context<Api>): Promise<{ readonly environmentId: string; readonly grant: Grant }> {
  const settings = context.get("settings");
  const { id: environmentId } = environmentOf(settings);
  const grant = await checkRealtimeToken(settings, environmentId, context.req.query("token") ?? "", Date.now());
  if (grant.right !== "subscribe") throw new MillraceError("forbidden", "The token allows publishing, not listening.");
  return { environmentId, grant };
}
