/**
 * The Event API (EV-1, protocol/01): `POST /e/:key`. Owns the route and the form of its replies, which carry `ids` even when they refuse.
 */
import { type Context, Hono } from "hono";
import { environmentOf } from "../environment.ts";
import { ERRORS, MillraceError, messageOf } from "../errors.ts";
import { acceptEvents } from "../events/accept.ts";
import { readBody } from "../events/body.ts";
import { ingest } from "../events/ingest.ts";
import { checkEventKey } from "../events/key.ts";
import { KeyTallies } from "../events/key-rate.ts";
import { utf8Length } from "../history/bulk.ts";
import type { Api } from "./api.ts";

/** To be mounted at `/`. */
export const events = new Hono<Api>();

events.post("/e/:key", (context) => receive(context, context.req.param("key")));
events.post("/e/", (context) => receive(context, ""));
events.post("/e", (context) => receive(context, ""));
events.all("/e/:key?", (context) => {
  return refuse(
    context,
    new MillraceError("method_not_allowed", `Events are sent with POST, not ${context.req.method}.`),
  );
});

async function receive(context: Context<Api>, key: string): Promise<Response> {
  const settings = context.get("settings");
  try {
    await checkEventKey(settings, key);
    const counted = settings.mode === "cloud";
    if (counted && !tallies.request(key, settings.eventRate, Date.now())) throw tooMuch(context);
    const { raw } = context.req;
    const body = await readBody(raw, settings.maxRequestBytes);
    const now = Date.now();
    if (counted && !tallies.body(key, utf8Length(body), settings.eventRate, now)) throw tooMuch(context);
    const accepted = acceptEvents(body, raw.headers, { now, maxEventBytes: settings.maxEventBytes });
    await ingest(context.env, environmentOf(settings).id, accepted, now);
    return context.json({ ids: accepted.map(({ internalId }) => internalId), status: 200 });
  } catch (error) {
    return refuse(context, error);
  }
}

const tallies = new KeyTallies();

/** The refusal of a key that sends too much, which may come again after the second (SE-18). */
function tooMuch(context: Context<Api>): MillraceError {
  context.header("retry-after", "1");
  const { requests, bytes } = context.get("settings").eventRate;
  return new MillraceError("rate_limited", `A key may send ${requests} requests and ${bytes} bytes per second.`);
}

/** A refusal in the form of EV-1. Errors without a code reveal nothing: what happened is in the log. */
function refuse(context: Context<Api>, thrown: unknown): Response {
  const known = thrown instanceof MillraceError ? thrown : null;
  if (known === null) console.error(`${context.req.method} ${context.req.routePath}: ${messageOf(thrown)}`);
  const code = known?.code ?? "internal_error";
  const status = ERRORS[code].status ?? 500;
  const error = known?.message ?? "The events could not be stored; send them again.";
  return context.json({ ids: [], status, error, code }, status);
}
