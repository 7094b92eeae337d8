/**
 * `/v1/replays` (API-13, CR-22 … CR-25): running many runs of a function again, and how far that is.
 */
import { type Context, Hono } from "hono";
import * as z from "zod";
import { currentCatalog } from "../../apps/catalog.ts";
import type { OperationState } from "../../decide/operation/operation.ts";
import { MillraceError } from "../../errors.ts";
import { tallyReplays } from "../../history/replayable.ts";
import { COMMAND, REPLAY } from "../../limits.ts";
import { beginOperation, readOperation } from "../../operations/operation.ts";
import { type Choice, patientPreview, preview } from "../../operations/preview.ts";
import { startable } from "../../runs/rerun.ts";
import type { Api } from "../api.ts";
import { authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { parseBody } from "./body.ts";
import { checkedCondition } from "./condition.ts";
import { addOperationRoutes } from "./operation-routes.ts";
import { moment } from "./query.ts";
import { CHOICE_WORDS, replayJson, replayReply } from "./replay.ts";
import { one, reply } from "./reply.ts";
import { idFor, requestId } from "./request-id.ts";

const KIND = "replay";

const words = [...CHOICE_WORDS.keys()];
/** Also the words that runs have elsewhere. */
const BY_WORD = new Map([
  ...[...CHOICE_WORDS].map(([word, status]) => [word.toLowerCase(), status] as const),
  ...[...CHOICE_WORDS.values()].map((status) => [status as string, status] as const),
]);

const status = z.string("must be text").transform((word, context) => {
  const chosen = BY_WORD.get(word.toLowerCase());
  if (chosen !== undefined) return chosen;
  context.addIssue(`must be one of ${words.join(", ")}`);
  return z.NEVER;
});

const replayBody = z
  .object({
    function_id: z.string("must be text").min(1, "must not be empty"),
    name: z
      .string("must be text")
      .max(REPLAY.nameLength, `must have at most ${REPLAY.nameLength} characters`)
      .default(""),
    from: moment,
    until: moment,
    statuses: z.array(status, "must be a list").min(1, `must name at least one of ${words.join(", ")}`),
    if: z.string("must be text").nullable().default(null),
    dry_run: z.boolean("must be true or false").default(false),
    request_id: requestId,
  })
  .refine(({ from, until }) => until === null || (from ?? 0) < until, {
    path: ["from"],
    message: "must be earlier than until",
  })
  .refine(({ name, dry_run }) => dry_run || name.trim() !== "", { path: ["name"], message: "must not be empty" });

const previewReply = z.object({ dry_run: z.literal(true), count: z.int(), exact: z.boolean() });

/** The routes, below `/v1`. */
export const replays = new Hono<Api>();

replays.post(
  "/v1/replays",
  described({
    id: "createReplay",
    summary: "Runs many runs of a function again, or with dry_run counts them.",
    body: replayBody,
    answers: { 200: one(z.union([replayReply, previewReply])) },
  }),
  authenticate,
  database,
  async (context) => {
    const body = await parseBody(context, replayBody, COMMAND.bodyBytes);
    const environmentId = context.get("environment").id;
    const condition = checkedCondition(body.if, "replay");
    const now = Date.now();
    const named = (await currentCatalog(context.env, environmentId, now)).functionNamed(body.function_id);
    if (named === null) throw new MillraceError("function_not_found", `No function has the id "${body.function_id}".`);
    const { id: functionId, slug, app } = named;
    const choice: Choice = {
      environmentId,
      function: { id: functionId, slug },
      statuses: [...new Set(body.statuses)],
      after: body.from,
      before: body.until ?? now,
      condition,
      createdAt: now,
    };
    if (body.dry_run) return reply(context, { dry_run: true, ...(await preview(context.env, choice)) });

    const { id } = await idFor(context, "replay", body.request_id, now);
    const known = await readOperation(context.env, environmentId, KIND, id);
    if (known !== null) return reply(context, await shown(context, known));
    startable(named, "this replay");
    const { count, exact } = await patientPreview(context.env, choice);
    if (count === 0 && exact) {
      throw new MillraceError("conflict", `No run of "${slug}" is chosen: there is nothing to replay.`);
    }
    const request = { ...choice, id, kind: KIND, app, name: body.name, preview: count } as const;
    return reply(context, await shown(context, await beginOperation(context.env, request)));
  },
);

addOperationRoutes(replays, {
  kind: KIND,
  noun: "replay",
  reply: replayReply,
  notes: {
    list: { id: "listReplays", summary: "Replays, newest first." },
    get: { id: "getReplay", summary: "How far a replay is." },
    stop: { id: "stopReplay", summary: "Stops a replay; runs that were started go on." },
  },
  shown: shownAll,
});

async function shown(context: Context<Api>, state: OperationState) {
  return (await shownAll(context, [state]))[0] ?? null;
}

/** Replays with what has become of their runs, as history knows it now. */
async function shownAll(context: Context<Api>, states: readonly OperationState[]) {
  const ids = states.map(({ request }) => request.id);
  const tallies = await tallyReplays(context.env.DB, context.get("environment").id, ids);
  return states.flatMap((state) => {
    const { request } = state;
    return request.kind === KIND ? [replayJson({ request, state, tally: tallies.get(request.id) ?? new Map() })] : [];
  });
}
