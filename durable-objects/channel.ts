/**
 * One realtime channel: its subscribers, in memory only, because messages are for whoever listens at that moment (protocol/08 §8.4).
 * So far these are streams of server-sent events, and the messages are the bytes that an endpoint's SDK tees (protocol/09 §9.4).
 */
import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../src/bindings.ts";
import { counters } from "../src/counters.ts";
import { EventStream } from "../src/realtime/event-stream.ts";

export class Channel extends DurableObject<Bindings> {
  // schema: none; nothing is stored.

  // load

  readonly #streams = new Set<EventStream>();

  // methods

  /** Subscribes: whoever may is decided before. Answers a stream of server-sent events. */
  override fetch(): Response {
    counters.objectRequests++;
    const stream: EventStream = new EventStream(() => this.#streams.delete(stream));
    this.#streams.add(stream);
    return new Response(stream.readable, {
      headers: { "content-type": "text/event-stream", "cache-control": "no-cache, no-transform" },
    });
  }

  /** Passes bytes on to every stream as they are. */
  tee(bytes: Uint8Array): void {
    counters.objectRequests++;
    for (const stream of this.#streams) stream.send(bytes);
  }

  // alarm: none; nothing is ever due.

  // apply: none; nothing is decided.
}
