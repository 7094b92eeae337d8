/**
 * `/v1/functions/:slug/lines` (BY-11): the lines in which runs of a function wait, and any one of its lines with holders and waiters.
 */
import { type Context, Hono } from "hono";
import * as z from "zod";
import { currentCatalog } from "../../apps/catalog.ts";
import type { FunctionConfiguration, RegisteredFunction } from "../../apps/function.ts";
import { limitOn } from "../../apps/line-limit.ts";
import type { LineLimit, LineRef } from "../../decide/capacity/line.ts";
import type { LineLoad, RunInLine } from "../../decide/capacity/view.ts";
import { MillraceError } from "../../errors.ts";
import { contendedLines, viewLine } from "../../runs/listed-lines.ts";
import { settingsOf } from "../../settings.ts";
import type { Api } from "../api.ts";
import { authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { parseQuery, text } from "./query.ts";
import { one, reply, time } from "./reply.ts";
import { isoTime } from "./time.ts";

const lineFields = {
  counts: z.enum(["steps", "runs", "starts"]),
  scope: z.enum(["fn", "env", "account"]),
  expression: z.string().nullable(),
  key: z.string(),
};

const loadFields = {
  limit: z.number().nullable(),
  period: z.number().nullable(),
  burst: z.number().nullable(),
  in_use: z.int(),
  holding: z.int(),
  waiting: z.int(),
  available_starts: z.number().nullable(),
  next_start_at: time.nullable(),
};

const runInLine = z.object({ run_id: z.string(), function_id: z.string(), units: z.int(), since: time });

const decisionReply = z.object({
  at: time,
  is: z.enum(["waits", "granted", "released"]),
  run_id: z.string(),
  function_id: z.string(),
  units: z.int(),
});

const linesReply = z.object({ lines: z.array(z.object({ ...lineFields, ...loadFields })), more: z.boolean() });

const lineInFullReply = z.object({
  ...lineFields,
  ...loadFields,
  holders: z.array(runInLine),
  waiters: z.array(runInLine),
  decisions: z.array(decisionReply),
});

/** The routes, below `/v1`. */
export const lines = new Hono<Api>();

lines.get(
  "/v1/functions/:slug/lines",
  described({
    id: "listLines",
    summary: "The lines in which runs of a function wait.",
    answers: { 200: one(linesReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const { id } = await find(context);
    const { lines: found, more } = await contendedLines(context.env, context.get("environment").id, id);
    const listed = found.map(({ line, ...load }) => {
      const limit = load.limits.find(({ functionId }) => functionId === id)?.limit ?? null;
      return { ...lineJson(line), ...loadJson(load, limit) };
    });
    return reply(context, { lines: listed, more });
  },
);

const lineQuery = z.object({
  counts: z.enum(["steps", "runs", "starts"], 'must be "steps", "runs" or "starts"').default("steps"),
  scope: z.enum(["fn", "env", "account"], 'must be "fn", "env" or "account"').default("fn"),
  expression: text,
  key: z.string().default(""),
});

lines.get(
  "/v1/functions/:slug/lines/one",
  described({
    id: "getLine",
    summary: "One line, with who holds it and who waits.",
    query: lineQuery,
    answers: { 200: one(lineInFullReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const query = parseQuery(lineQuery, context.req.query());
    const registered = await find(context);
    const line: LineRef = {
      ...query,
      functionId: query.scope === "fn" ? registered.id : "",
      expression: expressionOf(registered, query),
    };
    const limit = limitOn(line, registered, settingsOf(context.env).maxConcurrency);
    const { holders, waiters, decisions, ...load } = await viewLine(context.env, context.get("environment").id, line);
    return reply(context, {
      ...lineJson(line),
      ...loadJson(load, limit),
      holders: holders.map(runJson),
      waiters: waiters.map(runJson),
      decisions: decisions.map(({ at, is, runId, functionId, units }) => {
        return { at: isoTime(at), is, run_id: runId, function_id: functionId, units };
      }),
    });
  },
);

/** The function a request names by slug or UUID. Throws `function_not_found`. */
async function find(context: Context<Api, `/v1/functions/:slug/lines${string}`>): Promise<RegisteredFunction> {
  const slug = context.req.param("slug");
  const catalog = await currentCatalog(context.env, context.get("environment").id, Date.now());
  const registered = catalog.functionNamed(slug);
  if (registered === null) throw new MillraceError("function_not_found", `No function has the slug or id "${slug}".`);
  return registered;
}

/** The key's expression of the limit that is meant: as it is given, or of the only limit of this kind. Throws `invalid_request`. */
function expressionOf(registered: RegisteredFunction, query: z.infer<typeof lineQuery>): string | null {
  if (query.expression !== null) return query.expression;
  const [only, ...others] = expressionsOf(registered.configuration, query);
  if (others.length === 0) return only ?? null;
  const message = `"${registered.slug}" has several limits of this kind: expression must be one of ${[only, ...others].join(", ")}.`;
  throw new MillraceError("invalid_request", message);
}

function expressionsOf(
  { concurrency, runConcurrency, throttle }: FunctionConfiguration,
  { counts, scope }: z.infer<typeof lineQuery>,
): (string | null)[] {
  if (counts === "starts") return throttle === null || scope !== "fn" ? [] : [throttle.key];
  const limits = counts === "steps" ? concurrency : runConcurrency;
  return [...new Set(limits.filter((limit) => limit.scope === scope).map(({ key }) => key))];
}

function lineJson({ counts, scope, expression, key }: LineRef) {
  return { counts, scope, expression, key };
}

function loadJson({ inUse, holding, waiting, starts }: LineLoad, limit: LineLimit | null) {
  return {
    limit: limit === null ? null : limit.limit,
    period: limit === null || limit.period === 0 ? null : limit.period / 1000,
    burst: limit === null || limit.burst === 0 ? null : limit.burst,
    in_use: inUse,
    holding,
    waiting,
    available_starts: starts?.available ?? null,
    next_start_at: starts === null ? null : isoTime(starts.nextAt),
  };
}

function runJson({ runId, functionId, units, since }: RunInLine): z.output<typeof runInLine> {
  return { run_id: runId, function_id: functionId, units, since: isoTime(since) };
}
