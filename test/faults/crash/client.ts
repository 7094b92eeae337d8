/**
 * A client that does not give up: it repeats what was not answered, as official SDKs do. Owns how often it had to, and nothing else.
 */
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";

const acceptedSchema = z.object({ ids: z.array(z.string()) });

/** An event of the workload; its id is the sender's own. */
export interface WorkloadEvent {
  readonly name: string;
  readonly id: string;
  readonly data: { readonly key: string; readonly k?: string };
}

/** ms: between two attempts, for an answer, and until a request is given up, which fails the campaign. */
const AGAIN = 40;
const PATIENCE = 5_000;
const DEADLINE = 60_000;

export class Client {
  readonly #url: string;
  /** Requests that were made again because nothing, or a failure of the server, came back. */
  repeated = 0;

  constructor(url: string) {
    this.#url = url;
  }

  /** Sends events until they are accepted; answers the internal ids of the attempt that was answered. `seed`: as SDKs send it. */
  async send(events: readonly WorkloadEvent[], seed?: string): Promise<readonly string[]> {
    const headers = seed === undefined ? {} : { "x-inngest-event-id-seed": seed };
    const { status, text } = await this.insist("POST", "/e/test", events, headers);
    if (status !== 200) throw new Error(`The events were refused: ${status} ${text}`);
    return acceptedSchema.parse(JSON.parse(text)).ids;
  }

  /** A request, repeated until it is answered with anything but a failure of the server. */
  async insist(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) {
    const began = performance.now();
    for (;;) {
      const answer = await this.#once(method, path, body, headers).catch((error: unknown) => String(error));
      if (typeof answer !== "string" && answer.status < 500) return answer;
      if (performance.now() - began > DEADLINE) {
        const last = typeof answer === "string" ? answer : `${answer.status} ${answer.text}`;
        throw new Error(`${method} ${path} was refused for ${DEADLINE} ms, at last with ${last}`);
      }
      this.repeated++;
      await sleep(AGAIN);
    }
  }

  async #once(method: string, path: string, body: unknown, headers: Readonly<Record<string, string>>) {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { "content-type": "application/json", ...headers },
      signal: AbortSignal.timeout(PATIENCE),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text() };
  }
}

/** A seed as an SDK makes it: the time, and ten bytes in base64. */
export function newSeed(): string {
  return `${Date.now()},${Buffer.from(crypto.getRandomValues(new Uint8Array(10))).toString("base64")}`;
}
