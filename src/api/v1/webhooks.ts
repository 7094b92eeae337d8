/**
 * `/v1/webhooks` (API-19, EV-29): the webhooks of an environment; those of branches are the same for all of them. For admin keys, because who
 * knows a webhook's URL may send.
 */
import { type Context, Hono } from "hono";
import * as z from "zod";
import { NO_FILTERS } from "../../keys/filter.ts";
import { forgetKeys } from "../../keys/known.ts";
import { WEBHOOK } from "../../limits.ts";
import { defaultTransform } from "../../webhooks/default-transform.ts";
import { checkSource } from "../../webhooks/source.ts";
import { changeWebhook, createWebhook, deleteWebhook, listWebhooks, type Webhook } from "../../webhooks/store.ts";
import { urlOf, urlOfWebhook } from "../../webhooks/url.ts";
import type { Api } from "../api.ts";
import { adminOnly, authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { parseBody } from "./body.ts";
import { holderOf } from "./key-holder.ts";
import { webhookIn } from "./named-webhook.ts";
import { list, one, reply, replyList } from "./reply.ts";
import { changeWebhookBody, newWebhookBody, webhookJson, webhookReply } from "./webhook.ts";
import { webhookDeliveries } from "./webhook-deliveries.ts";

/** The routes, below `/v1`. */
export const webhooks = new Hono<Api>();

webhooks.use("/v1/webhooks/*", authenticate, adminOnly, database);
webhooks.route("/", webhookDeliveries);

webhooks.get(
  "/v1/webhooks",
  described({ id: "listWebhooks", summary: "The webhooks, with their URLs.", answers: { 200: list(webhookReply) } }),
  async (context) => {
    const all = await listWebhooks(context.env.DB, (await holderOf(context)).id);
    return replyList(context, await Promise.all(all.map((webhook) => shown(context, webhook))), null);
  },
);

webhooks.post(
  "/v1/webhooks",
  described({
    id: "createWebhook",
    summary: "Makes a webhook, whose URL works at once.",
    body: newWebhookBody,
    answers: { 200: one(webhookReply) },
  }),
  async (context) => {
    const body = await parseBody(context, newWebhookBody, WEBHOOK.requestBytes);
    const { name, response } = body;
    if (body.transform !== null) await checkSource(body.transform);
    const transform = body.transform ?? defaultTransform(name);
    const wanted = { name, transform, response, filters: body.filters ?? NO_FILTERS };
    const settings = context.get("settings");
    const made = await createWebhook(context.env.DB, settings, (await holderOf(context)).id, wanted, Date.now());
    forgetKeys(context.env.DB);
    return reply(context, webhookJson(made.webhook, urlOf(settings, context.req.url, made.value)));
  },
);

webhooks.get(
  "/v1/webhooks/:id",
  described({ id: "getWebhook", summary: "One webhook, with its URL.", answers: { 200: one(webhookReply) } }),
  async (context) => reply(context, await shown(context, await webhookIn(context))),
);

webhooks.put(
  "/v1/webhooks/:id",
  described({
    id: "changeWebhook",
    summary: "Changes what is given of a webhook; its URL stays.",
    body: changeWebhookBody,
    answers: { 200: one(webhookReply) },
  }),
  async (context) => {
    const { name, transform, response, filters } = await parseBody(context, changeWebhookBody, WEBHOOK.requestBytes);
    const webhook = await webhookIn(context);
    if (transform !== null) await checkSource(transform);
    await changeWebhook(context.env.DB, webhook, { name, transform, response, filters }, Date.now());
    forgetKeys(context.env.DB);
    return reply(context, await shown(context, await webhookIn(context)));
  },
);

webhooks.delete(
  "/v1/webhooks/:id",
  described({
    id: "deleteWebhook",
    summary: "Deletes a webhook with the log of its deliveries: its URL is refused from then on.",
    answers: { 200: z.object({ ok: z.literal(true) }) },
  }),
  async (context) => {
    await deleteWebhook(context.env.DB, await webhookIn(context));
    forgetKeys(context.env.DB);
    return context.json({ ok: true });
  },
);

async function shown(context: Context<Api>, webhook: Webhook) {
  return webhookJson(webhook, await urlOfWebhook(context.get("settings"), context.req.url, webhook));
}
