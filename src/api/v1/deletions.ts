/**
 * `/v1/deletions` (OB-25): deleting a run, an event, or everything that matches, and how far that is. For admins only.
 * Guarantees that no reply about a deletion, and no log, repeats what somebody wants deleted.
 */
import { type Context, Hono } from "hono";
import * as z from "zod";
import { type DeleteRequest, type DeletionTarget, ofUser } from "../../decide/operation/deletion.ts";
import { MillraceError } from "../../errors.ts";
import { compileCached } from "../../expressions/cache.ts";
import { runIdsOf } from "../../history/event-runs.ts";
import { readEvent, readRun, readRuns } from "../../history/read.ts";
import { isFinal } from "../../history/status.ts";
import { newUlid } from "../../ids.ts";
import { COMMAND, DELETION } from "../../limits.ts";
import { previewDeletion } from "../../operations/deletion.ts";
import { beginOperation } from "../../operations/operation.ts";
import type { Api } from "../api.ts";
import { adminOnly, authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { parseBody } from "./body.ts";
import { deletionJson, deletionReply } from "./deletion.ts";
import { addOperationRoutes } from "./operation-routes.ts";
import { moment } from "./query.ts";
import { one, reply } from "./reply.ts";

const KIND = "delete";

const words = z
  .string("must be text")
  .min(1, "must not be empty")
  .max(DELETION.textLength, `must have at most ${DELETION.textLength} characters`)
  .nullable()
  .default(null);

const flag = z.boolean("must be true or false").default(false);

const deletionBody = z
  .object({
    run_id: words,
    event_id: words,
    external_id: words,
    if: words,
    from: moment,
    until: moment,
    cancel: flag,
    dry_run: flag,
  })
  .refine(
    (body) => [body.run_id, body.event_id, body.external_id, body.if].filter((one) => one !== null).length === 1,
    {
      path: ["run_id"],
      message: "give exactly one of run_id, event_id, external_id and if",
    },
  )
  .refine(({ run_id, event_id, from, until }) => (run_id ?? event_id) === null || (from ?? until) === null, {
    path: ["from"],
    message: "goes with external_id and if only",
  })
  .refine(({ from, until }) => until === null || (from ?? 0) < until, {
    path: ["from"],
    message: "must be earlier than until",
  });

type Body = z.output<typeof deletionBody>;

const previewReply = z.object({ dry_run: z.literal(true), count: z.int(), exact: z.boolean() });

/** The routes, below `/v1`. */
export const deletions = new Hono<Api>();

// What is being deleted, and by whom, concerns admins alone: reading about it as well.
deletions.use("/v1/deletions/*", authenticate, adminOnly);

deletions.post(
  "/v1/deletions",
  described({
    id: "createDeletion",
    summary: "Deletes a run, an event or everything that matches, or with dry_run counts it.",
    body: deletionBody,
    answers: { 200: one(z.union([deletionReply, previewReply])) },
  }),
  database,
  async (context) => {
    const body = await parseBody(context, deletionBody, COMMAND.bodyBytes);
    const now = Date.now();
    // What is received in this very ms is meant: whoever asks has just seen it.
    const before = Math.min(body.until ?? now + 1, now + 1);
    const request: DeleteRequest = {
      kind: KIND,
      id: newUlid(now),
      environmentId: context.get("environment").id,
      target: await targetOf(context, body),
      after: body.from,
      before,
      cancels: body.cancel,
      createdAt: now,
    };
    if (body.dry_run) return reply(context, { dry_run: true, ...(await previewDeletion(context.env, request)) });
    return reply(context, deletionJson(request, await beginOperation(context.env, request)));
  },
);

addOperationRoutes(deletions, {
  kind: KIND,
  noun: "deletion",
  reply: deletionReply,
  notes: {
    list: { id: "listDeletions", summary: "Deletions, newest first." },
    get: { id: "getDeletion", summary: "How far a deletion is." },
    stop: { id: "stopDeletion", summary: "Stops a deletion; what is gone stays gone." },
  },
  shown: (_, states) =>
    states.flatMap((state) => (state.request.kind === KIND ? [deletionJson(state.request, state)] : [])),
});

/** What is meant. Throws `run_not_found`, `event_not_found`, `conflict` or `expression_invalid`. */
async function targetOf(context: Context<Api>, body: Body): Promise<DeletionTarget> {
  const environmentId = context.get("environment").id;
  const leaves = !body.cancel && !body.dry_run;
  if (body.run_id !== null) {
    const view = await readRun(context.env, environmentId, body.run_id);
    if (view === null) throw new MillraceError("run_not_found", "No run has this id.");
    if (leaves) checkEnded([view.row]);
    return { by: "run", runId: view.row.runId };
  }
  if (body.event_id !== null) {
    const stored = await readEvent(context.env, environmentId, body.event_id);
    if (stored === null) throw new MillraceError("event_not_found", "No event has this id.");
    if (leaves) checkEnded(await readRuns(context.env, environmentId, runIdsOf(stored.outcomes)));
    return { by: "event", eventId: stored.event.internalId };
  }
  if (body.external_id !== null) return { by: "external_id", source: ofUser(body.external_id) };
  const source = body.if ?? "";
  const compiled = compileCached(source, "event_search");
  if (compiled.ok) return { by: "expression", source };
  const { message, line, column } = compiled.error;
  throw new MillraceError(
    "expression_invalid",
    `The field if is not valid: ${message} (line ${line}, column ${column}).`,
  );
}

function checkEnded(runs: readonly { readonly runId: string; readonly status: Parameters<typeof isFinal>[0] }[]): void {
  const open = runs.find(({ status }) => !isFinal(status));
  if (open === undefined) return;
  const advice = 'With "cancel": true it is cancelled first.';
  throw new MillraceError("conflict", `Run "${open.runId}" has not ended. ${advice}`);
}
