/**
 * `/v1/insights` (API-35, OB-20 … OB-22): asking in SQL, the tables that can be asked of, questions that are kept, and some to begin with.
 * Owns the routes, and whose questions a request sees.
 */
import { type Context, Hono } from "hono";
import * as z from "zod";
import { MillraceError } from "../../errors.ts";
import { isUlid, newUlid, ulidTime } from "../../ids.ts";
import { ask, QuestionRefused } from "../../insights/query.ts";
import { forgetQuery, type KeptQuery, keepQuery, keptQueries, type QueryOwner } from "../../insights/store.ts";
import { TABLES } from "../../insights/tables.ts";
import { TEMPLATES } from "../../insights/templates.ts";
import { COMMAND, INSIGHTS } from "../../limits.ts";
import type { Api } from "../api.ts";
import { authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { parseBody } from "./body.ts";
import { parseQuery } from "./query.ts";
import { list, one, reply, replyList, time } from "./reply.ts";
import { isoTime } from "./time.ts";

const sql = z
  .string("must be a question in SQL")
  .min(1, "must not be empty")
  .max(INSIGHTS.characters, `must have at most ${INSIGHTS.characters} characters`);

const questionBody = z.object({ sql });

const keptBody = z.object({
  name: z
    .string("must be what the question is called")
    .trim()
    .min(1, "must not be empty")
    .max(INSIGHTS.nameLength, `must have at most ${INSIGHTS.nameLength} characters`),
  sql,
});

const keptQuery = z.object({ kind: z.enum(["saved", "asked"], 'must be "saved" or "asked"').default("saved") });

const type = z.enum(["number", "text", "time", "date", "json", "array", "any"]);

const answerReply = z.object({
  columns: z.array(z.object({ name: z.string(), type })),
  /** Values stand beside `columns`. */
  rows: z.array(z.array(z.json())),
  truncated: z.boolean(),
  /** Tables of which only the newest rows were looked at. */
  partial: z.array(z.object({ table: z.string(), rows: z.int(), since: time })),
  duration_ms: z.number(),
});

const keptReply = z.object({ id: z.string(), name: z.string(), sql: z.string(), created_at: time });

const tableReply = z.object({
  name: z.string(),
  columns: z.array(z.object({ name: z.string(), type, description: z.string() })),
});

const templateReply = z.object({ id: z.string(), name: z.string(), sql: z.string() });

/** The routes, below `/v1`. */
export const insights = new Hono<Api>();

insights.post(
  "/v1/insights/query",
  described({
    id: "queryInsights",
    summary: "Asks a question in SQL of events and runs.",
    body: questionBody,
    answers: { 200: one(answerReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const { sql: source } = await parseBody(context, questionBody, COMMAND.bodyBytes);
    const now = Date.now();
    const owner = ownerOf(context);
    const answer = await ask(context.env.DB, owner.environmentId, source, now).catch((error: unknown) => {
      if (error instanceof QuestionRefused) return error;
      throw error;
    });
    if (answer instanceof QuestionRefused) return refusal(context, answer);
    await keepQuery(context.env.DB, owner, "asked", { id: newUlid(now), name: "", sql: source });
    const partial = answer.partial.map((part) => ({ ...part, since: isoTime(part.since) }));
    const { columns, rows, truncated, duration } = answer;
    return reply(context, { columns, rows, truncated, partial, duration_ms: duration });
  },
);

insights.get(
  "/v1/insights/tables",
  described({ id: "listInsightsTables", summary: "Tables and columns.", answers: { 200: list(tableReply) } }),
  authenticate,
  (context) => {
    const tables = [...TABLES.values()].map(({ name, columns }) => {
      return {
        name,
        columns: [...columns].map(([column, { type: of, description }]) => ({ name: column, type: of, description })),
      };
    });
    return replyList(context, tables, null);
  },
);

insights.get(
  "/v1/insights/templates",
  described({
    id: "listInsightsTemplates",
    summary: "Questions to begin with.",
    answers: { 200: list(templateReply) },
  }),
  authenticate,
  (context) => replyList(context, TEMPLATES, null),
);

insights.get(
  "/v1/insights/queries",
  described({
    id: "listInsightsQueries",
    summary: "The caller's questions, newest first: those saved, or the last 100 asked.",
    query: keptQuery,
    answers: { 200: list(keptReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const { kind } = parseQuery(keptQuery, context.req.query());
    const kept = await keptQueries(context.env.DB, ownerOf(context), kind);
    return replyList(context, kept.map(keptJson), null);
  },
);

insights.post(
  "/v1/insights/queries",
  described({
    id: "saveInsightsQuery",
    summary: "Saves a question for its caller.",
    body: keptBody,
    answers: { 200: one(keptReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const { name, sql: source } = await parseBody(context, keptBody, COMMAND.bodyBytes);
    const query = { id: newUlid(Date.now()), name, sql: source };
    const kept = await keepQuery(context.env.DB, ownerOf(context), "saved", query);
    if (!kept)
      throw new MillraceError("conflict", `At most ${INSIGHTS.saved} questions can be saved: delete one first.`);
    return reply(context, keptJson(query));
  },
);

insights.delete(
  "/v1/insights/queries/:id",
  described({
    id: "deleteInsightsQuery",
    summary: "Deletes a saved question of the caller.",
    answers: { 200: z.object({ ok: z.literal(true) }) },
  }),
  authenticate,
  database,
  async (context) => {
    const id = context.req.param("id");
    const known = isUlid(id) && (await forgetQuery(context.env.DB, ownerOf(context), "saved", id));
    if (!known) throw new MillraceError("query_not_found", `No saved question has the id "${id}".`);
    return context.json({ ok: true });
  },
);

/** The form of every error, and where in the question it is, so that an editor can mark it (OB-22). */
function refusal(context: Context<Api>, { code, message, place }: QuestionRefused): Response {
  return context.json({ status: 400, code, error: message, data: null, place }, 400);
}

/** Whose questions: until there are users, those of dev mode's one user, or of whoever has the signing key. */
function ownerOf(context: Context<Api>): QueryOwner {
  const owner = context.get("settings").mode === "dev" ? "local" : "signing-key";
  return { environmentId: context.get("environment").id, owner };
}

function keptJson({ id, name, sql: source }: KeptQuery) {
  return { id, name, sql: source, created_at: isoTime(ulidTime(id)) };
}
