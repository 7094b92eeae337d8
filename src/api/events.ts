/**
 * The Event API (EV-1, protocol/01): `POST /e/:key`. Owns the route, the order in which a send or a webhook's delivery is judged, and the form
 * of its replies, which carry `ids` even when they refuse.
 */
import { type Context, Hono } from "hono";
import { ERRORS, MillraceError, messageOf } from "../errors.ts";
import { acceptEvents } from "../events/accept.ts";
import { readBody } from "../events/body.ts";
import { ingest } from "../events/ingest.ts";
import { filtersOf, keySender } from "../events/key.ts";
import { KeyTallies } from "../events/key-rate.ts";
import { utf8Length } from "../history/bulk.ts";
import { checkNames, checkSender, type KeyFilters } from "../keys/filter.ts";
import { noteUse } from "../keys/known.ts";
import type { Settings } from "../settings.ts";
import { type Delivered, deliver } from "../webhooks/deliver.ts";
import { deliveryOf } from "../webhooks/delivery.ts";
import { responseOf } from "../webhooks/response.ts";
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
    const { raw } = context.req;
    const branch = raw.headers.get("x-inngest-env");
    const parameter = context.req.query("x-inngest-env") ?? null;
    const sender = await keySender(context.env, settings, { key, branch, parameter }, Date.now());
    const filters = filtersOf(sender);
    checkSender(filters, { ip: raw.headers.get("cf-connecting-ip"), origin: raw.headers.get("origin") });
    const counted = settings.mode === "cloud";
    if (counted && !tallies.request(key, settings.eventRate, Date.now())) throw tooMuch(settings);
    const webhook = sender.key?.webhook === true ? sender.key : null;
    const body = await readBody(raw, settings.maxRequestBytes, { keepMark: webhook !== null });
    const now = Date.now();
    if (counted && !tallies.body(key, utf8Length(body), settings.eventRate, now)) throw tooMuch(settings);
    const { id: environmentId } = sender.environment;
    const { ids, response } =
      webhook === null
        ? await accept(context, { body, environmentId, filters }, now)
        : await deliver(context.env, settings, { key: webhook, environmentId }, deliveryOf(raw, body), now);
    if (sender.key !== null) {
      noteUse({ db: context.env.DB, context: context.executionCtx }, "event_keys", sender.key, now);
    }
    return response === null ? context.json({ ids, status: 200 }) : responseOf(response);
  } catch (error) {
    return refuse(context, error);
  }
}

/** Takes the events of a body, all or none. */
async function accept(
  context: Context<Api>,
  { body, environmentId, filters }: { body: string; environmentId: string; filters: KeyFilters },
  now: number,
): Promise<Delivered> {
  const { maxEventBytes } = context.get("settings");
  const accepted = acceptEvents(body, context.req.raw.headers, { now, maxEventBytes });
  const payloads = accepted.map(({ payload }) => payload);
  checkNames(filters, payloads);
  await ingest(context.env, environmentId, accepted, now);
  return { ids: accepted.map(({ internalId }) => internalId), response: null };
}

const tallies = new KeyTallies();

/** The refusal of a key that sends too much, which may come again after the second (SE-18). */
function tooMuch({ eventRate: { requests, bytes } }: Settings): MillraceError {
  return new MillraceError("rate_limited", `A key may send ${requests} requests and ${bytes} bytes per second.`);
}

/** A refusal in the form of EV-1. Errors without a code reveal nothing: what happened is in the log. */
function refuse(context: Context<Api>, thrown: unknown): Response {
  const known = thrown instanceof MillraceError ? thrown : null;
  if (known === null) console.error(`${context.req.method} ${context.req.routePath}: ${messageOf(thrown)}`);
  const code = known?.code ?? "internal_error";
  const status = ERRORS[code].status ?? 500;
  if (status === 429) context.header("retry-after", "1");
  const error = known?.message ?? "The events could not be stored; send them again.";
  return context.json({ ids: [], status, error, code }, status);
}
