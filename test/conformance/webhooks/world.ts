/**
 * Webhooks for the scenarios of this folder, made over REST and called as providers call them.
 */
import * as z from "zod";
import type { TestEngine } from "../harness/engine.ts";

const webhookSchema = z.object({ data: z.looseObject({ id: z.string(), url: z.string() }) });
const deliveriesSchema = z.object({ data: z.array(z.looseObject({ id: z.string() })) });
const replySchema = z.object({ ids: z.array(z.string()), status: z.number(), code: z.string().optional() });

/** A webhook. */
export type Webhook = z.infer<typeof webhookSchema>["data"];

/** Makes a webhook in the environment that an engine is seen in; without a transform it has the default one. */
export async function webhook({ api }: TestEngine, name: string, transform?: string): Promise<Webhook> {
  const { json, text } = await api("POST", "/v1/webhooks", { name, ...(transform === undefined ? {} : { transform }) });
  return webhookSchema.parse(json, { error: () => text }).data;
}

/** What a provider's request is answered; a body that is no text is sent as JSON. */
export async function post(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(url, {
    method: "POST",
    body:
      typeof body === "string" || body instanceof FormData || body instanceof URLSearchParams
        ? body
        : JSON.stringify(body),
    headers:
      typeof body === "string" || body?.constructor === Object
        ? { "content-type": "application/json", ...headers }
        : headers,
  });
  const text = await response.text();
  return { httpStatus: response.status, ...replySchema.parse(JSON.parse(text), { error: () => text }) };
}

/** The failed deliveries of a webhook, newest first. */
export async function failedDeliveries({ api }: TestEngine, { id }: Webhook) {
  const { json, text } = await api("GET", `/v1/webhooks/${id}/deliveries`);
  return deliveriesSchema.parse(json, { error: () => text }).data;
}
