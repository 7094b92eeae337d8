/**
 * What a webhook answers its provider instead of the ids of the events (API-19). Pure but for making the reply. Owns the form, and that a
 * reply which somebody made up is never a page of the engine's origin.
 */
import * as z from "zod";
import { WEBHOOK } from "../limits.ts";

/** Statuses that may have no body. */
const BODILESS: readonly number[] = [204, 205];

/** As it is given and stored. */
export const webhookResponse = z
  .object({
    status: z.int("must be a whole number").min(200, "must be at least 200").max(299, "must be at most 299"),
    content_type: z
      .string("must be text")
      .max(WEBHOOK.response.contentType)
      .regex(/^[\w.+-]+\/[\w.+-]+(?: *;[ -~]*)?$/, "must be a content type such as text/xml")
      .nullable()
      .default(null),
    body: z
      .string("must be text")
      .max(WEBHOOK.response.body, `must have at most ${WEBHOOK.response.body} characters`)
      .nullable()
      .default(null),
  })
  .refine(({ status, body }) => body === null || !BODILESS.includes(status), {
    path: ["body"],
    message: "cannot be sent with the status 204 or 205",
  });

/** What is answered once a delivery is accepted. */
export type WebhookResponse = z.output<typeof webhookResponse>;

/** The reply. It comes from the engine's origin, so that browsers must not take it for one of its pages (SE-19). */
export function responseOf({ status, content_type, body }: WebhookResponse): Response {
  const type = body === null ? {} : { "content-type": content_type ?? "text/plain; charset=utf-8" };
  const headers = {
    ...type,
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'",
  };
  return new Response(body, { status, headers });
}
