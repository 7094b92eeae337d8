/**
 * The `inngest.response` event in the stream that an endpoint's SDK tees (protocol/09 §9.4 "SSE variant"): the only place where it tells
 * status and headers of a response it made for the engine. Owns finding it in text that arrives in pieces; the stream itself is not its.
 */
import * as z from "zod";
import type { ResponseHead } from "../decide/run/state.ts";
import { parseJson } from "../json.ts";
import { CALL } from "../limits.ts";

const responseEvent = z.object({
  status: z.literal("succeeded"),
  response: z.object({ statusCode: z.int().min(200).max(599), headers: z.record(z.string(), z.string()) }),
});

/** Watches one stream. Holds one event at most, and none that is larger than a response may be. */
export class ResponseWatch {
  readonly #decoder = new TextDecoder();
  #pieces: string[] = [];
  #length = 0;
  #skipping = false;

  /** Takes the next bytes; answers what a response event that ends in them says, else null. */
  take(bytes: Uint8Array): ResponseHead | null {
    const text = this.#decoder.decode(bytes, { stream: true });
    const last = this.#pieces.at(-1)?.slice(-1) ?? "";
    if (text !== "") this.#pieces.push(text);
    this.#length += text.length;
    if (`${last}${text}`.includes("\n\n")) return this.#whole();
    if (this.#length > CALL.replyBytes) {
      this.#keep("");
      this.#skipping = true;
    }
    return null;
  }

  #whole(): ResponseHead | null {
    const events = this.#pieces.join("").split("\n\n");
    this.#keep(events.pop() ?? "");
    if (this.#skipping) events.shift();
    this.#skipping = false;
    return events.map(headIn).findLast((head) => head !== null) ?? null;
  }

  #keep(rest: string): void {
    this.#pieces = rest === "" ? [] : [rest];
    this.#length = rest.length;
  }
}

/** Writes such an event, for a subscriber that came after the stream had ended. */
export function responseEventText(status: "succeeded" | "failed", head: ResponseHead, body: string): string {
  const response = { body, statusCode: head.status, headers: head.headers };
  return `event: inngest.response\ndata: ${JSON.stringify({ status, response })}\n\n`;
}

function headIn(event: string): ResponseHead | null {
  const lines = event.split("\n");
  if (!lines.includes("event: inngest.response")) return null;
  const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).replace(/^ /, ""));
  const parsed = parseJson(data.join("\n"));
  const { data: found } = responseEvent.safeParse(parsed.ok ? parsed.value : null);
  return found === undefined ? null : { status: found.response.statusCode, headers: found.response.headers };
}
