/**
 * What all operations on many runs have in common on this surface: the list, one of them with its progress, and stopping it (API-12, API-13).
 * Owns the three routes; how an operation begins and how it is shown is its noun's.
 */
import type { Context, Hono } from "hono";
import * as z from "zod";
import type { OperationKind, OperationState } from "../../decide/operation/operation.ts";
import { MillraceError } from "../../errors.ts";
import { readOperation, readOperations, stopOperation } from "../../operations/operation.ts";
import type { Api } from "../api.ts";
import { authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { pageQuery, parseQuery } from "./query.ts";
import { list, one, reply, replyList } from "./reply.ts";

/** One kind of operation as these routes need it. */
interface OperationNoun {
  readonly kind: OperationKind;
  /** `replay`: routes are at `/v1/replays`. */
  readonly noun: string;
  readonly reply: z.ZodType;
  /** Their names and sentences in the document. */
  readonly notes: Readonly<Record<"list" | "get" | "stop", { readonly id: string; readonly summary: string }>>;
  /** In the order given. */
  shown(context: Context<Api>, states: readonly OperationState[]): Promise<readonly unknown[]> | readonly unknown[];
}

/** Adds the routes. */
export function addOperationRoutes(routes: Hono<Api>, of: OperationNoun): void {
  const { kind, noun, notes, shown } = of;
  const path = `/v1/${noun}s`;
  const found = (state: OperationState | null, id: string): OperationState => {
    if (state !== null) return state;
    throw new MillraceError("not_found", `No ${noun} has the id "${id}".`);
  };

  const listed = { ...notes.list, query: pageQuery, answers: { 200: list(of.reply) } };
  routes.get(path, described(listed), authenticate, database, async (context) => {
    const page = parseQuery(pageQuery, context.req.query());
    const { items, nextCursor } = await readOperations(context.env, context.get("environment").id, kind, page);
    return replyList(context, await shown(context, items), nextCursor);
  });

  const single = { ...notes.get, answers: { 200: one(of.reply) } };
  routes.get(`${path}/:id`, described(single), authenticate, database, async (context) => {
    const id = context.req.param("id");
    const state = await readOperation(context.env, context.get("environment").id, kind, id);
    const [shownState = null] = await shown(context, [found(state, id)]);
    return reply(context, shownState);
  });

  const stopped = { ...notes.stop, answers: { 200: z.object({ ok: z.literal(true) }) } };
  routes.delete(`${path}/:id`, described(stopped), authenticate, database, async (context) => {
    const id = context.req.param("id");
    found(await stopOperation(context.env, context.get("environment").id, kind, id), id);
    return context.json({ ok: true });
  });
}
