/**
 * The calls of v1 about webhooks, held against the document (API-19).
 */
import * as z from "zod";
import type { TestEngine } from "../harness/engine.ts";
import type { ContractClient } from "./contract.ts";

const webhook = z.object({ data: z.looseObject({ id: z.string(), url: z.string() }) });
const deliveries = z.object({ data: z.array(z.looseObject({ id: z.string() })).min(1) });

/** Makes each of the calls, on an engine in dev mode. */
export async function callWebhooks({ api }: TestEngine, call: ContractClient["call"]): Promise<void> {
  const transform = "(evt) => ({ name: evt.name, data: evt })";
  const { id, url } = webhook.parse(await call("createWebhook", { body: { name: "Acme", transform } })).data;
  const parameters = { id };
  await call("createWebhook", { body: { name: "Acme", transform: "{" } }, 400);
  await call("listWebhooks");
  const response = { status: 202, content_type: "text/plain", body: "thanks" };
  await call("changeWebhook", {
    parameters,
    body: { name: "Renamed", response, filters: { names: { allow: ["*"] } } },
  });
  await call("getWebhook", { parameters });
  await call("testWebhook", { parameters, body: { body: { name: "x" }, headers: { "x-a": "b" } } });
  await call("testWebhook", { parameters, body: { body: "{}" } });
  await api("POST", new URL(url).pathname, { name: 7 });
  const [failed] = deliveries.parse(await call("listWebhookDeliveries", { parameters })).data;
  const one = { parameters: { id, delivery: failed?.id ?? "" } };
  await call("getWebhookDelivery", one);
  await call("replayWebhookDelivery", one, 412);
  await call("changeWebhook", { parameters, body: { transform: "() => ({ name: 'mended' })", response: null } });
  await call("replayWebhookDelivery", one);
  await call("listWebhookDeliveries", { parameters });
  await call("deleteWebhook", { parameters });
  for (const read of ["getWebhook", "deleteWebhook", "listWebhookDeliveries"]) await call(read, { parameters }, 404);
  await call("replayWebhookDelivery", one, 404);
}
