/**
 * A webhook, a failed delivery of it, and the events it makes, as REST v1 shows them (API-19, EV-32). Pure. Owns the JSON shapes, and what a
 * webhook is made of over REST.
 */
import * as z from "zod";
import type { IncomingEvent } from "../../events/incoming.ts";
import { ulidTime } from "../../ids.ts";
import { keyFilters } from "../../keys/filter.ts";
import { anyJson } from "../../protocol/any-json.ts";
import type { FailedDelivery } from "../../webhooks/deliveries.ts";
import { webhookResponse } from "../../webhooks/response.ts";
import type { Webhook } from "../../webhooks/store.ts";
import { keyName } from "./key-name.ts";
import { time } from "./reply.ts";
import { isoTime, isoTimeOrNull } from "./time.ts";

const transform = z.string("must be text").nullable().default(null);
const filters = keyFilters.nullable().default(null);

/** What a new webhook is made of. */
export const newWebhookBody = z.object({
  name: keyName,
  transform: transform.describe("JavaScript; absent: one that names events after the webhook and their type."),
  response: webhookResponse
    .nullable()
    .default(null)
    .describe("What providers are answered, instead of the ids of the events."),
  filters,
});

/** What of a webhook is changed; what is absent stays. */
export const changeWebhookBody = z.object({
  name: keyName.nullable().default(null),
  transform,
  response: webhookResponse.nullable().optional().describe("null: the ids of the events."),
  filters: filters.describe("All of them: what is not given is taken away."),
});

/** The form of a webhook. */
export const webhookReply = z
  .object({
    id: z.string(),
    name: z.string(),
    /** Null when its key cannot be opened with MILLRACE_SECRET. */
    url: z.string().nullable(),
    transform: z.string(),
    response: webhookResponse.nullable(),
    filters: keyFilters,
    created_at: time,
    used_at: time.nullable(),
  })
  .meta({ id: "Webhook" });

/** The webhook object. */
export function webhookJson({ key, transform: source, response }: Webhook, url: string | null) {
  const { id, name: called, filters: passing, createdAt, usedAt } = key;
  const times = { created_at: isoTime(createdAt), used_at: isoTimeOrNull(usedAt) };
  return { id, name: called, url, transform: source, response, filters: passing, ...times };
}

/** Why a transform failed. */
export const failureReply = z
  .object({ name: z.string(), message: z.string(), stack: z.string() })
  .meta({ id: "TransformFailure" });

const deliveryFields = {
  id: z.string(),
  received_at: time,
  /** Null when it cannot be opened with MILLRACE_SECRET. */
  failure: failureReply.nullable(),
  bytes: z.int(),
  can_run_again: z.boolean(),
  replayed_at: time.nullable(),
};

/** The form of a failed delivery in a list. */
export const deliveryReply = z.object(deliveryFields).meta({ id: "WebhookDelivery" });

/** The form of one with what the provider sent. */
export const wholeDeliveryReply = z.object({
  ...deliveryFields,
  request: z
    .object({ headers: z.record(z.string(), z.string()), query: z.string(), body: z.string().nullable() })
    .nullable(),
});

/** The delivery object. */
export function deliveryJson({
  id,
  failure,
  bytes,
  whole,
  replayedAt,
}: FailedDelivery): z.output<typeof deliveryReply> {
  const times = { received_at: isoTime(ulidTime(id)), replayed_at: isoTimeOrNull(replayedAt) };
  return { id, failure, bytes, can_run_again: whole, ...times };
}

/** The form of an event that a transform made, before the engine gives it ids. */
export const madeEventReply = z
  .object({
    name: z.string(),
    data: z.record(z.string(), anyJson),
    id: z.string().nullable(),
    /** ms since 1970; null: the receive time. */
    ts: z.int().nullable(),
    v: z.string().nullable(),
    user: z.record(z.string(), anyJson),
  })
  .meta({ id: "MadeEvent" });

/** The event object. */
export function madeEventJson({ name: called, data, id, ts, v, user }: IncomingEvent) {
  return { name: called, data, id, ts, v, user };
}
