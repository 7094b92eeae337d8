/**
 * Webhooks over v2 (API-22). Owns the JSON shape of this surface; changing and trying them is v1's.
 */
import * as z from "zod";
import { keyHolderIn } from "../../environments/holder.ts";
import { NO_FILTERS } from "../../keys/filter.ts";
import { forgetKeys } from "../../keys/known.ts";
import { KEY, WEBHOOK } from "../../limits.ts";
import { defaultTransform } from "../../webhooks/default-transform.ts";
import { checkSource } from "../../webhooks/source.ts";
import { createWebhook, listWebhooks, type Webhook } from "../../webhooks/store.ts";
import { urlOf, urlOfWebhook } from "../../webhooks/url.ts";
import { isoTime } from "../v1/time.ts";
import { operation, pageEnd } from "./operation.ts";
import { name, paging } from "./parameters.ts";

const webhookReply = z
  .object({
    id: z.string(),
    name: z.string(),
    /** Absent when its key cannot be opened with MILLRACE_SECRET. */
    url: z.string().optional(),
    transform: z.string(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "Webhook" });

/** The calls. All webhooks of an environment fit on one page. */
export const webhooks = [
  operation({
    id: "listWebhooks",
    method: "GET",
    path: "/env/webhooks",
    summary: "The webhooks of the environment, with their URLs.",
    needs: "admin",
    parameters: paging(),
    paged: true,
    data: z.array(webhookReply),
    handler: async ({ bindings, settings, environment, url, now }, { limit, cursor }) => {
      const holder = await keyHolderIn(bindings, settings, environment.id, now);
      const all = cursor === null ? await listWebhooks(bindings.DB, holder.id) : [];
      const shown = all.map(async (each) => webhookJson(each, await urlOfWebhook(settings, url, each)));
      return { data: await Promise.all(shown), page: pageEnd(limit, null) };
    },
  }),
  operation({
    id: "createWebhook",
    method: "POST",
    path: "/env/webhooks",
    summary: "Makes a webhook, whose URL works at once.",
    needs: "admin",
    body: {
      name: name.max(KEY.nameLength, `must have at most ${KEY.nameLength} characters`),
      transform: z
        .string("must be text")
        .nullable()
        .default(null)
        .describe("JavaScript; absent: one that names events after the webhook and their type."),
    },
    bodyBytes: WEBHOOK.requestBytes,
    data: webhookReply,
    handler: async ({ bindings, settings, environment, url, now }, { name: called, transform }) => {
      if (transform !== null) await checkSource(transform);
      const holder = await keyHolderIn(bindings, settings, environment.id, now);
      const source = transform ?? defaultTransform(called);
      const wanted = { name: called, transform: source, response: null, filters: NO_FILTERS };
      const { webhook, value } = await createWebhook(bindings.DB, settings, holder.id, wanted, now);
      forgetKeys(bindings.DB);
      return { data: webhookJson(webhook, urlOf(settings, url, value)) };
    },
  }),
];

function webhookJson({ key, transform }: Webhook, url: string | null): z.output<typeof webhookReply> {
  const shown = url === null ? {} : { url };
  return { id: key.id, name: key.name, ...shown, transform, createdAt: isoTime(key.createdAt) };
}
