/**
 * Mounts the calls of v2 under `/v2` and `/api/v2`. Owns the form of replies: `{ data, metadata, page? }` (protocol/11 §11.3).
 */
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { environmentOf } from "../../environments/environment.ts";
import { MillraceError } from "../../errors.ts";
import { readBody } from "../../events/body.ts";
import { parseJson } from "../../json.ts";
import type { Api } from "../api.ts";
import { authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { isoTime } from "../v1/time.ts";
import type { Operation } from "./operation.ts";
import { OPERATIONS } from "./operations.ts";

/** Who calls what needs no key. */
const STRANGER = { scope: "read", account: false } as const;

/** The routes. */
export const v2 = new Hono<Api>();

for (const prefix of ["/v2", "/api/v2"]) {
  for (const operation of OPERATIONS) {
    const { id, method, path, summary, parameters: query, body, reply, open } = operation;
    const note = { id, summary, query, ...(body === null ? {} : { body }), answers: { 200: reply } };
    const guards: MiddlewareHandler<Api>[] = open
      ? [described({ ...note, open })]
      : [described(note), authenticate, database];
    v2.on(method, [`${prefix}${path}`], ...guards);
    v2.on(method, [`${prefix}${path}`], (context: Context<Api>) => answer(context, operation));
  }
}

async function answer(context: Context<Api>, operation: Operation): Promise<Response> {
  const now = Date.now();
  const settings = context.get("settings");
  const environment = operation.open ? environmentOf(settings) : context.get("environment");
  const parameters = { ...queryOf(context), ...context.req.param() };
  const body = operation.body === null ? {} : await bodyOf(context, operation.bodyBytes);
  const caller = operation.open ? STRANGER : context.get("caller");
  const { headers, url } = context.req.raw;
  const call = { bindings: context.env, environment, settings, caller, headers, url, now };
  const { data, page } = await operation.answer(call, { parameters, body });
  if (operation.cache > 0) context.header("cache-control", `private, max-age=${operation.cache}`);
  const metadata = { fetchedAt: isoTime(now), cachedUntil: null };
  return context.json({ data, metadata, ...(page === undefined ? {} : { page }) });
}

/** A parameter that is repeated is a list. */
function queryOf(context: Context<Api>): Record<string, string> {
  return Object.fromEntries(Object.entries(context.req.queries()).map(([name, values]) => [name, values.join(",")]));
}

/** The body's JSON; an empty one counts as `{}`. */
async function bodyOf(context: Context<Api>, limit: number): Promise<unknown> {
  const text = await readBody(context.req.raw, limit);
  if (text.trim() === "") return {};
  const json = parseJson(text);
  if (!json.ok) throw new MillraceError("body_invalid", `The body is not JSON: ${json.reason}.`);
  return json.value;
}
