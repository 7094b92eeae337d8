/**
 * `/v1/webhooks/{id}/test` and `/deliveries` (API-19, EV-32): trying a transform, which stores nothing, and the log of deliveries that failed,
 * which can be run again. The guards are those of `webhooks.ts`.
 */
import { Hono } from "hono";
import * as z from "zod";
import { MillraceError } from "../../errors.ts";
import { anyJson } from "../../protocol/any-json.ts";
import { replayDelivery } from "../../webhooks/deliver.ts";
import { findDelivery, listDeliveries } from "../../webhooks/deliveries.ts";
import { type Delivery, deliveryOf } from "../../webhooks/delivery.ts";
import { transformDelivery } from "../../webhooks/transform.ts";
import type { Api } from "../api.ts";
import { described } from "../openapi/described.ts";
import { parseBody } from "./body.ts";
import { webhookIn } from "./named-webhook.ts";
import { list, one, reply, replyList } from "./reply.ts";
import {
  deliveryJson,
  deliveryReply,
  failureReply,
  madeEventJson,
  madeEventReply,
  wholeDeliveryReply,
} from "./webhook.ts";

/** The routes, below `/v1`. */
export const webhookDeliveries = new Hono<Api>();

const testBody = z.object({
  body: anyJson.default("").describe("Text as a provider would send it; anything else is sent as its JSON."),
  headers: z.record(z.string(), z.string("must be text")).default({}),
  query: z.string("must be text").default("").describe("The query of the URL."),
  transform: z.string("must be text").nullable().default(null).describe("Tried in place of the webhook's own."),
});

webhookDeliveries.post(
  "/v1/webhooks/:id/test",
  described({
    id: "testWebhook",
    summary: "What the transform makes of a delivery; nothing is stored.",
    body: testBody,
    answers: {
      200: one(z.object({ events: z.array(madeEventReply).nullable(), failure: failureReply.nullable() })),
    },
  }),
  async (context) => {
    const { maxRequestBytes, maxEventBytes } = context.get("settings");
    const given = await parseBody(context, testBody, maxRequestBytes);
    const { transform } = await webhookIn(context);
    const bounds = { now: Date.now(), maxEventBytes };
    const result = await transformDelivery(given.transform ?? transform, madeUp(given), bounds);
    const { events, failure } = result.ok ? { ...result, failure: null } : { ...result, events: null };
    return reply(context, { events: events?.map(madeEventJson) ?? null, failure });
  },
);

/** The delivery that a caller describes. Throws `invalid_request` for headers no request can have. */
function madeUp({ body, headers, query }: z.output<typeof testBody>): Delivery {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  try {
    return {
      ...deliveryOf({ url: "http://webhook/", headers: new Headers(headers) }, text),
      query: query.replace(/^\?/, ""),
    };
  } catch (cause) {
    throw new MillraceError(
      "invalid_request",
      "The body is not valid: headers has a name or value that no header can have",
      { cause },
    );
  }
}

webhookDeliveries.get(
  "/v1/webhooks/:id/deliveries",
  described({
    id: "listWebhookDeliveries",
    summary: "The deliveries of the last 7 days of which the transform failed, at most 100, newest first.",
    answers: { 200: list(deliveryReply) },
  }),
  async (context) => {
    const webhook = await webhookIn(context);
    const deliveries = await listDeliveries(context.env.DB, context.get("settings"), webhook, Date.now());
    return replyList(context, deliveries.map(deliveryJson), null);
  },
);

webhookDeliveries.get(
  "/v1/webhooks/:id/deliveries/:delivery",
  described({
    id: "getWebhookDelivery",
    summary: "One failed delivery, with what the provider sent.",
    answers: { 200: one(wholeDeliveryReply) },
  }),
  async (context) => {
    const webhook = await webhookIn(context);
    const id = context.req.param("delivery");
    const found = await findDelivery(context.env.DB, context.get("settings"), webhook, id, Date.now());
    if (found === null) throw new MillraceError("not_found", `The webhook's log has no delivery with the id "${id}".`);
    const { request, whole } = found;
    const body = whole ? (request?.body ?? null) : null;
    return reply(context, { ...deliveryJson(found), request: request === null ? null : { ...request, body } });
  },
);

webhookDeliveries.post(
  "/v1/webhooks/:id/deliveries/:delivery/replay",
  described({
    id: "replayWebhookDelivery",
    summary: "Runs a failed delivery again, with the transform as it is now. Doing so twice starts nothing twice.",
    answers: { 200: one(z.object({ ids: z.array(z.string()) })) },
  }),
  async (context) => {
    const webhook = await webhookIn(context);
    const settings = context.get("settings");
    const ids = await replayDelivery(context.env, settings, webhook, context.req.param("delivery"), Date.now());
    return reply(context, { ids });
  },
);
