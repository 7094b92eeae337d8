/**
 * An app of durable endpoints: handlers of the official SDK v4 behind Node's own server, as a framework would serve them.
 * Owns the bridge between Node's requests and the web's, and a record of what arrived and of what the app asked the engine.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { Inngest } from "inngest";
import { endpointAdapter } from "inngest/edge";
import type { TestEngine } from "../harness/engine.ts";
import { type Listening, listen } from "../harness/listen.ts";

/** What an endpoint does with a request. */
export type Handler = (request: Request) => Response | Promise<Response>;

/** A checkpoint the SDK made, as sent and as answered. */
export interface SentCheckpoint {
  readonly url: string;
  readonly body: string;
  readonly status: number;
  readonly reply: string;
}

/** A request the app received. */
export type Entry = Pick<Request, "method" | "url" | "headers" | "text">;

/** An app that is being served. */
export interface EndpointApp {
  readonly client: Inngest;
  /** `http://127.0.0.1:4001`. */
  readonly origin: string;
  /** Serves a handler, wrapped by the SDK, at a path. */
  on(path: string, handler: Handler): void;
  /** Serves a handler as it is. */
  raw(path: string, handler: Handler): void;
  /** Requests from the engine to a path so far. */
  entries(path: string): readonly Entry[];
  /** Checkpoints so far, oldest first. */
  readonly checkpoints: readonly SentCheckpoint[];
  /** Breaks all connections; the port is free until {@link EndpointApp.start}. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Options of the SDK's adapter, and what may go wrong on the way. */
export interface EndpointOptions {
  readonly asyncRedirectUrl?: string;
  readonly functionId?: string;
  readonly retries?: number;
  readonly middleware?: readonly unknown[];
  /** Answers a request of the app to the engine in its place; null lets it through. Called before and after. */
  readonly intercept?: (request: Request, reply: Response | null) => Response | null;
}

const UNSET = { asyncRedirectUrl: undefined, functionId: undefined, retries: undefined };
const SILENT = { info() {}, warn() {}, error() {}, debug() {} };

/** Serves an app whose client has the engine's keys. */
export async function serveEndpoints(engine: TestEngine, options: EndpointOptions = {}): Promise<EndpointApp> {
  const { intercept, middleware, ...adapter } = options;
  const checkpoints: SentCheckpoint[] = [];
  const recording = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    if (!request.url.includes("/v1/checkpoint")) return fetch(request);
    const body = await request.clone().text();
    const reply = intercept?.(request, null) ?? (await fetch(request));
    const seen = intercept?.(request, reply) ?? reply;
    checkpoints.push({ url: request.url, body, status: seen.status, reply: await seen.clone().text() });
    return seen;
  };
  const { MILLRACE_MODE: mode, INNGEST_SIGNING_KEY: signingKey, INNGEST_ENV: env } = engine.bindings;
  const client = new Inngest({
    id: "rest",
    baseUrl: engine.url,
    isDev: mode === "dev",
    logger: SILENT,
    // Node's types and the web's name the same thing.
    fetch: recording as never,
    // The SDK keeps options for all clients of the process, so what one test does not set is unset. Its type lists the numbers of
    // retries one by one.
    endpointAdapter: endpointAdapter.withOptions({ ...UNSET, ...adapter } as never),
    ...(signingKey === undefined ? {} : { signingKey }),
    ...(env === undefined ? {} : { env }),
    // The test that gives it knows what it is.
    ...(middleware === undefined ? {} : { middleware: middleware as never }),
  });
  const handlers = new Map<string, Handler>();
  const received: Entry[] = [];
  const createApp = () =>
    createServer((incoming, outgoing) => {
      const request = requestOf(incoming);
      received.push(request.clone());
      const handler = handlers.get(new URL(request.url).pathname);
      const reply = handler === undefined ? new Response("no such path", { status: 404 }) : handler(request);
      Promise.resolve(reply)
        .then((response) => send(response, outgoing))
        .catch(() => outgoing.destroy());
    });
  let server: Listening = await listen(createApp(), 0);
  const { port, origin } = server;
  return {
    client,
    origin,
    checkpoints,
    on: (path, handler) => void handlers.set(path, client.endpoint(handler) as Handler),
    raw: (path, handler) => void handlers.set(path, handler),
    entries: (path) => received.filter(({ url, headers }) => new URL(url).pathname === path && headers.has("x-run-id")),
    stop: () => server.close(),
    async start() {
      server = await listen(createApp(), port);
    },
  };
}

function requestOf(incoming: IncomingMessage): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  const method = incoming.method ?? "GET";
  const url = `http://${incoming.headers.host}${incoming.url}`;
  if (method === "GET" || method === "HEAD") return new Request(url, { method, headers });
  // Node's types and the web's describe the same streams differently.
  const body = Readable.toWeb(incoming) as unknown as BodyInit;
  return new Request(url, { method, headers, body, duplex: "half" } as RequestInit);
}

async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  response.headers.forEach((value, name) => {
    outgoing.setHeader(name, value);
  });
  outgoing.writeHead(response.status);
  const reader = response.body?.getReader();
  for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) outgoing.write(read.value);
  outgoing.end();
}
