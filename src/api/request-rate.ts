/**
 * How often a key may ask (API-25). Owns the counting, which is per isolate and in memory: a limit protects the database, and need not be exact
 * to do that. Guarantees that SDK endpoints and the Event API are never limited, and that a refusal says when to come again.
 */
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { REQUEST_RATE } from "../limits.ts";
import type { Api } from "./api.ts";
import { isQuestion } from "./question.ts";
import { refuse } from "./refusal.ts";

/** What is counted apart. */
export type RequestKind = "reads" | "writes" | "metrics";

/** Requests of one key in the window that began at `since`, ms. */
interface Tally {
  readonly since: number;
  count: number;
}

/** Counts requests by key and kind. */
export class RequestTallies {
  readonly #tallies = new Map<string, Tally>();

  /** Counts a request at `now` (ms). Null when it may pass, else ms until the next one may. */
  take(key: string, kind: RequestKind, limit: number, now: number): number | null {
    const name = `${kind} ${key}`;
    let tally = this.#tallies.get(name);
    if (tally === undefined || now - tally.since >= REQUEST_RATE.window || now < tally.since) {
      // Entries keep the order in which their windows began.
      this.#tallies.delete(name);
      tally = { since: now, count: 0 };
      this.#tallies.set(name, tally);
      const oldest = this.#tallies.keys().next();
      if (this.#tallies.size > REQUEST_RATE.keys && oldest.done !== true) this.#tallies.delete(oldest.value);
    }
    if (tally.count >= limit) return tally.since + REQUEST_RATE.window - now;
    tally.count++;
    return null;
  }
}

const tallies = new RequestTallies();

/** What SDKs ask while they run functions, events that are sent over v2, and what has a limit of its own. */
const FREE =
  /^(?:\/api)?\/v2\/events$|^\/v1\/(?:checkpoint|http|realtime|traces\/userland|signals|prom)(?:\/|$)|^\/v1\/runs\/[^/]+\/metadata$/;

/** Refuses a request to REST or GraphQL with 429 when its key has asked too often; for the settings' limits, null being none. */
export const requestRate = createMiddleware<Api>(async (context, next) => {
  const { path, method } = context.req;
  if (FREE.test(path) || method === "OPTIONS") return await next();
  const kind = isQuestion(context.req) ? "reads" : "writes";
  const limit = context.get("settings").requestRate[kind];
  return (limit === null ? null : refusal(context, kind, limit)) ?? (await next());
});

/** The same for scrapes, which are limited in every mode. */
export const scrapeRate = createMiddleware<Api>(async (context, next) => {
  return refusal(context, "metrics", REQUEST_RATE.metrics) ?? (await next());
});

function refusal(context: Context<Api>, kind: RequestKind, limit: number): Response | null {
  // Whoever shows no key is one and the same here; without one nobody gets far in cloud mode.
  const wait = tallies.take(context.req.header("authorization") ?? "", kind, limit, Date.now());
  if (wait === null) return null;
  const seconds = Math.max(1, Math.ceil(wait / 1000));
  const error = `More than ${limit} ${kind} in a minute: come again in ${seconds} s.`;
  context.header("retry-after", String(seconds));
  return refuse(context, "rate_limited", error);
}
