/**
 * How a subscriber gets to the object that will hold it: asked for with an ordinary request, because only those carry WebSockets and
 * streams. Owns the request's form, and the search for an object with room (RT-16).
 */
import * as z from "zod";
import type { Bindings } from "../bindings.ts";
import type { Subscription } from "../decide/channel/subscription.ts";
import { MillraceError } from "../errors.ts";
import { channelStub } from "../objects.ts";
import { settingsOf } from "../settings.ts";

const ASK = "millrace-subscribe";
const ELSEWHERE = "millrace-elsewhere";
const NOWHERE = "nowhere";
const MOST_STEPS = 100;

const askSchema = z.object({ channel: z.string(), topics: z.array(z.string()), full: z.array(z.number()) });

/** What an object of a channel is asked: to take a subscriber. */
export interface Ask extends Subscription {
  /** Objects that had no room when they were asked. */
  readonly full: readonly number[];
}

/**
 * Subscribes, over a WebSocket or a stream of server-sent events. Whoever may is decided before. Throws `rate_limited` when the channel
 * is full.
 */
export async function subscribe(
  bindings: Bindings,
  environmentId: string,
  { channel, topics }: Subscription,
  by: "socket" | "stream",
): Promise<Response> {
  const { realtimeSubscribers: most } = settingsOf(bindings);
  const full: number[] = [];
  // Few steps are enough unless many others come at the same time, and then it is better to be refused than to go round.
  for (let branch = 0, step = 0; step < MOST_STEPS; step++) {
    const stub = await channelStub(bindings, environmentId, channel, branch);
    const ask: Ask = { channel, topics, full };
    const headers = new Headers({ [ASK]: encodeURIComponent(JSON.stringify(ask)) });
    if (by === "socket") headers.set("upgrade", "websocket");
    const response = await stub.fetch("https://channel/", { headers });
    const next = response.headers.get(ELSEWHERE);
    if (next === null) return response;
    if (next === NOWHERE) break;
    if (branch !== 0) full.push(branch);
    branch = Number(next);
  }
  throw new MillraceError("rate_limited", `The channel has ${most} subscribers, which is the most it may have.`);
}

/** Reads an {@link Ask}. */
export function askOf(request: Request): Ask {
  return askSchema.parse(JSON.parse(decodeURIComponent(request.headers.get(ASK) ?? "null")));
}

/** Sends a subscriber to another object of the channel; null when there is no room anywhere. */
export function elsewhere(branch: number | null): Response {
  return new Response(null, { headers: { [ELSEWHERE]: branch === null ? NOWHERE : String(branch) } });
}
