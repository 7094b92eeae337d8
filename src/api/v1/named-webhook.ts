/**
 * The webhook that a request is about. Owns that it is one of the environment which the caller's key is for (SE-8).
 */
import type { Context } from "hono";
import { MillraceError } from "../../errors.ts";
import { findWebhook, type Webhook } from "../../webhooks/store.ts";
import type { Api } from "../api.ts";
import { holderOf } from "./key-holder.ts";

/** The webhook a request names. Throws `webhook_not_found`. */
export async function webhookIn(context: Context<Api, `/v1/webhooks/:id${string}`>): Promise<Webhook> {
  const id = context.req.param("id");
  const found = await findWebhook(context.env.DB, (await holderOf(context)).id, id);
  if (found === null) throw new MillraceError("webhook_not_found", `No webhook has the id "${id}".`);
  return found;
}
