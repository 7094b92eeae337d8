/**
 * Somebody else's server, as step.fetch and step.ai.infer meet it: it keeps what it was asked and answers as a test says.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { listen } from "../harness/listen.ts";

/** A request that arrived. */
export interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What is answered; without any field 200 and the last segment of the path as text. */
export interface Answered {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  readonly json?: unknown;
  readonly delayMs?: number;
  /** The connection is cut instead. */
  readonly cut?: true;
  /** Spaces without end, after everything else. */
  readonly endless?: true;
}

/** Thinks of an answer; `n` is the how many-eth request for this path it is, from 1. */
export type Answering = (asked: Asked, n: number) => Answered | Promise<Answered>;

/** A running server. */
export interface Echo {
  /** `http://127.0.0.1:4001`: no slash at the end. */
  readonly origin: string;
  readonly asked: readonly Asked[];
  /** The requests for a path. */
  at(path: string): Asked[];
}

/** Runs `use` with a server that is gone afterwards. */
export async function withEcho(answering: Answering, use: (echo: Echo) => Promise<void>): Promise<void> {
  const asked: Asked[] = [];
  const at = (path: string) => asked.filter(({ url }) => url.pathname === path);
  const server = createServer((incoming, response) => {
    response.on("error", () => undefined);
    read(incoming)
      .then(async (request) => {
        asked.push(request);
        await write(response, request, await answering(request, at(request.url.pathname).length));
      })
      // The other side went away: part of some tests.
      .catch(() => response.destroy());
  });
  const listening = await listen(server, 0);
  try {
    await use({ origin: listening.origin, asked, at });
  } finally {
    await listening.close();
  }
}

async function read(incoming: IncomingMessage): Promise<Asked> {
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );
  const url = new URL(incoming.url ?? "/", `http://${incoming.headers.host}`);
  return { method: incoming.method ?? "", url, headers, body: await text(incoming) };
}

async function write(response: ServerResponse, { url }: Asked, answered: Answered): Promise<void> {
  if (answered.delayMs !== undefined) await sleep(answered.delayMs);
  if (answered.cut === true) {
    response.socket?.destroy();
    return;
  }
  response.statusCode = answered.status ?? 200;
  if (answered.json !== undefined) response.setHeader("content-type", "application/json");
  for (const [name, value] of Object.entries(answered.headers ?? {})) response.setHeader(name, value);
  const body =
    answered.json === undefined ? (answered.body ?? url.pathname.split("/").at(-1)) : JSON.stringify(answered.json);
  if (answered.endless !== true) {
    response.end(body);
    return;
  }
  const spaces = Buffer.alloc(64 * 1024, " ");
  while (!response.destroyed) {
    if (!response.write(spaces)) await sleep(1);
  }
}
