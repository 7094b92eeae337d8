/**
 * `/v1/cancellations` (API-12, CR-9): cancelling many runs of a function, and how far that is.
 */
import { Hono } from "hono";
import * as z from "zod";
import { currentCatalog } from "../../apps/catalog.ts";
import { functionIn } from "../../apps/named.ts";
import type { CancelRequest } from "../../decide/operation/operation.ts";
import { MillraceError } from "../../errors.ts";
import { newUlid } from "../../ids.ts";
import { COMMAND } from "../../limits.ts";
import { beginOperation } from "../../operations/operation.ts";
import type { Api } from "../api.ts";
import { authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { parseBody } from "./body.ts";
import { cancellationFields, cancellationJson, cancellationReply } from "./cancellation.ts";
import { checkedCondition } from "./condition.ts";
import { addOperationRoutes } from "./operation-routes.ts";
import { moment } from "./query.ts";
import { metadata, one } from "./reply.ts";

const KIND = "cancel";

const name = z.string("must be text").min(1, "must not be empty");

const cancellationBody = z
  .object({
    app_id: name,
    function_id: name,
    started_after: moment,
    started_before: moment.refine((time) => time !== null, "must be given"),
    if: z.string("must be text").nullable().default(null),
  })
  .refine(({ started_after, started_before }) => (started_after ?? 0) < (started_before ?? 0), {
    path: ["started_after"],
    message: "must be earlier than started_before",
  });

/** Runs that do not exist yet are none of a cancellation's business (CR-11): a range that ends in the future is a mistake. */
function checkPast(before: number | null, now: number): void {
  if (before === null || before <= now + COMMAND.clockSkew) return;
  throw new MillraceError("invalid_request", "started_before: must not be in the future (CR-9).");
}

/** The guide shows the bare object, the convention is the envelope: both (CR-9). */
const createdReply = one(cancellationReply).extend(cancellationFields);

/** The routes, below `/v1`. */
export const cancellations = new Hono<Api>();

cancellations.post(
  "/v1/cancellations",
  described({
    id: "createCancellation",
    summary: "Cancels many runs of a function.",
    body: cancellationBody,
    answers: { 200: createdReply },
  }),
  authenticate,
  database,
  async (context) => {
    const body = await parseBody(context, cancellationBody, COMMAND.bodyBytes);
    const environmentId = context.get("environment").id;
    const condition = checkedCondition(body.if, "bulk_cancel");
    const now = Date.now();
    checkPast(body.started_before, now);
    const catalog = await currentCatalog(context.env, environmentId, now);
    const { app, ...named } = functionIn(catalog, { app: body.app_id, function: body.function_id });
    const request: CancelRequest = {
      id: newUlid(now),
      environmentId,
      kind: KIND,
      app,
      function: { id: named.id, slug: named.slug },
      after: body.started_after,
      before: body.started_before ?? now,
      condition,
      createdAt: now,
    };
    const data = cancellationJson(request, await beginOperation(context.env, request));
    return context.json({ ...data, data, metadata: metadata() });
  },
);

addOperationRoutes(cancellations, {
  kind: KIND,
  noun: "cancellation",
  reply: cancellationReply,
  notes: {
    list: { id: "listCancellations", summary: "Bulk cancellations, newest first." },
    get: { id: "getCancellation", summary: "How far a bulk cancellation is." },
    stop: { id: "stopCancellation", summary: "Stops a bulk cancellation." },
  },
  shown: (_, states) =>
    states.flatMap((state) => (state.request.kind === KIND ? [cancellationJson(state.request, state)] : [])),
});
