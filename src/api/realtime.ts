/**
 * Realtime over HTTP (spec/08, protocol/08 §8.1): tokens, subscribing and publishing. Owns the routes and who may use them: a signing
 * key to make tokens and to publish, a token to listen, or to publish to just what it lists.
 */
import { type Context, Hono } from "hono";
import { createMiddleware } from "hono/factory";
import * as z from "zod";
import { knownEnvironment } from "../environments/known.ts";
import { MillraceError } from "../errors.ts";
import { readBody, unbroken } from "../events/body.ts";
import { isUlid } from "../ids.ts";
import { parseJson } from "../json.ts";
import { REALTIME } from "../limits.ts";
import { channelStub } from "../objects.ts";
import { responseOf } from "../protocol/endpoint-output.ts";
import { OF_RUN, STREAM } from "../protocol/realtime.ts";
import { parseChannel, parseTarget, parseTopics } from "../protocol/realtime-request.ts";
import { ResponseWatch, responseEventText } from "../protocol/response-event.ts";
import { checkRealtimeToken, claimedEnvironment, type Grant, realtimeToken } from "../protocol/token.ts";
import { publish } from "../realtime/publishing.ts";
import { subscribe } from "../realtime/subscribing.ts";
import { askRun } from "../runs/ask.ts";
import type { Api } from "./api.ts";
import { authenticate } from "./authentication.ts";
import { described } from "./openapi/described.ts";

/** To be mounted at `/`. */
export const realtime = new Hono<Api>();

const tokenQuery = z.object({ publish: z.enum(["true", "false"]).optional() });
const listenQuery = z.object({ token: z.string() });
const publishQuery = z.object({ channel: z.string(), topic: z.string() });
const published = z.object({ data: z.null() });

/** `?publish=true` asks for a token that allows to publish, and then not to listen. */
realtime.post(
  "/v1/realtime/token",
  described({
    id: "createRealtimeToken",
    summary: "A token to subscribe with, or with publish=true to publish.",
    query: tokenQuery,
    body: z.looseObject({}),
    answers: { 201: z.object({ jwt: z.string() }) },
  }),
  authenticate,
  async (context) => {
    const json = parseJson(await readBody(context.req.raw, REALTIME.messageBytes));
    if (!json.ok) throw new MillraceError("body_invalid", `The request is not JSON: ${json.reason}.`);
    const right = context.req.query("publish") === "true" ? "publish" : "subscribe";
    const { id } = context.get("environment");
    const jwt = await realtimeToken(context.get("settings"), id, { right, ...parseTopics(json.value) }, Date.now());
    return context.json({ jwt }, 201);
  },
);

realtime.get(
  "/v1/realtime/connect",
  described({
    id: "connectRealtime",
    summary: "Subscribes over a WebSocket, with a token.",
    query: listenQuery,
    answers: { 101: "nothing" },
    open: true,
  }),
  async (context) => {
    const { environmentId, grant } = await listener(context);
    if (context.req.header("upgrade")?.toLowerCase() !== "websocket") {
      throw new MillraceError("invalid_request", "This address speaks WebSocket; /v1/realtime/sse does without.");
    }
    if (grant.topics.includes(STREAM)) throw new MillraceError("forbidden", "The stream of a run has no sockets.");
    return await subscribe(context.env, environmentId, grant, "socket");
  },
);

realtime.get(
  "/v1/realtime/sse",
  described({
    id: "streamRealtime",
    summary: "Subscribes to server-sent events, with a token.",
    query: listenQuery,
    answers: { 200: { media: "text/event-stream" } },
    open: true,
  }),
  async (context) => {
    const { environmentId, grant } = await listener(context);
    const subscribed = await subscribe(context.env, environmentId, grant, "stream");
    if (!grant.topics.includes(STREAM)) return subscribed;
    // Asked after subscribing, so that the end is either found here or heard there.
    const { channel } = grant;
    const result = isUlid(channel)
      ? await askRun(context.env, environmentId, channel, async (run) => await run.result(0))
      : null;
    if (result?.state !== "ended") return subscribed;
    await subscribed.body?.cancel();
    const { body, ...head } = responseOf(result, false);
    const text = responseEventText(result.completed ? "succeeded" : "failed", head, body);
    return new Response(text, subscribed);
  },
);

/** A run's life, for scripts (BY-9). */
realtime.get(
  "/v1/runs/:runId/live",
  described({
    id: "followRun",
    summary: "The life of a run, as server-sent events or over a WebSocket.",
    answers: { 101: "nothing", 200: { media: "text/event-stream" } },
  }),
  authenticate,
  async (context) => {
    const runId = context.req.param("runId");
    const { id } = context.get("environment");
    if (!isUlid(runId) || (await askRun(context.env, id, runId, (run) => run.view())) === null) {
      throw new MillraceError("run_not_found", `No run has the id "${runId}".`);
    }
    const by = context.req.header("upgrade")?.toLowerCase() === "websocket" ? "socket" : "stream";
    return await subscribe(context.env, id, { channel: runId, topics: [OF_RUN.life] }, by);
  },
);

type Publisher = Api & { Variables: Api["Variables"] & { grant?: Grant } };

/** Lets in whoever has the signing key, or a token with the right to publish; a token is looked at in dev mode too. */
const publisher = createMiddleware<Publisher>(async (context, next) => {
  const token = /^Bearer (\S+\.\S+\.\S+)$/i.exec(context.req.header("authorization") ?? "")?.[1];
  if (token === undefined) return await authenticate(context, next);
  const settings = context.get("settings");
  const environment = await knownEnvironment(context.env, settings, claimedEnvironment(token), Date.now());
  const grant = await checkRealtimeToken(settings, environment?.id ?? "", token, Date.now());
  if (grant.right !== "publish") throw new MillraceError("forbidden", "The token allows listening, not publishing.");
  context.set("grant", grant);
  if (environment !== null) context.set("environment", environment);
  await next();
});

const publishing = new Hono<Publisher>();

publishing.post(
  "/v1/realtime/publish",
  described({
    id: "publish",
    summary: "Publishes the body to a channel and topic.",
    query: publishQuery,
    answers: { 200: published },
  }),
  publisher,
  async (context) => {
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
  },
);

/** The SDK posts the answer of a durable endpoint's run, its subscribers follow it (protocol/09 §9.4 "SSE variant"). */
publishing.post(
  "/v1/realtime/publish/tee",
  described({
    id: "publishStream",
    summary: "Publishes a stream as it arrives.",
    query: z.object({ channel: z.string() }),
    answers: { 200: published },
  }),
  authenticate,
  async (context) => {
    const { id: environmentId } = context.get("environment");
    const name = parseChannel(context.req.query("channel") ?? "");
    const channel = await channelStub(context.env, environmentId, name);
    const watch = new ResponseWatch();
    const reader = context.req.raw.body?.getReader();
    for (;;) {
      const read = await unbroken(async () => await reader?.read());
      if (read === undefined || read.done) break;
      const bytes = read.value;
      const head = isUlid(name) ? watch.take(bytes) : null;
      // Before subscribers see it: one who comes too late for it then finds it with the run.
      if (head !== null) await askRun(context.env, environmentId, name, (run) => run.respond(head));
      await channel.tee(bytes);
    }
    return context.json({ data: null });
  },
);

realtime.route("/", publishing);

/** Whoever has a token to listen. Throws `unauthorized`, and `forbidden` for one to publish. */
async function listener(context: Context<Api>): Promise<{ readonly environmentId: string; readonly grant: Grant }> {
  const settings = context.get("settings");
  const token = context.req.query("token") ?? "";
  const environmentId = claimedEnvironment(token);
  const grant = await checkRealtimeToken(settings, environmentId, token, Date.now());
  if (grant.right !== "subscribe") throw new MillraceError("forbidden", "The token allows publishing, not listening.");
  return { environmentId, grant };
}
