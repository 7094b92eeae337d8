/**
 * An app that is no app: an HTTP server that records every call of the engine and answers exactly what a test's script says.
 * Owns what travels, down to the bytes and the way a connection ends; knows no SDK and judges nothing.
 * Guarantees that a call no script foresees is answered with a permanent error that names it, so that a surplus call is seen.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import type { Answer, TestEngine } from "./engine.ts";

const callBody = z.looseObject({
  event: z.looseObject({ name: z.string(), data: z.unknown(), id: z.string(), ts: z.number() }),
  events: z.array(z.unknown()),
  steps: z.record(z.string(), z.unknown()),
  version: z.number(),
  use_api: z.boolean(),
  ctx: z.looseObject({
    run_id: z.string(),
    step_id: z.string(),
    attempt: z.number(),
    max_attempts: z.number(),
    disable_immediate_execution: z.boolean(),
    use_api: z.boolean(),
    generation_id: z.number(),
    job_id: z.string(),
    stack: z.object({ stack: z.array(z.string()), current: z.number() }),
  }),
});

/** A call of the engine, as it arrived. */
export interface AppCall {
  /** ms since 1970, when the whole request was here. */
  readonly at: number;
  readonly method: string;
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body's exact text. */
  readonly raw: string;
  readonly body: z.infer<typeof callBody>;
  /** The function's slug (`fnId`). */
  readonly slug: string;
  /** `step`, or the id of the step that is asked for. */
  readonly stepId: string;
  readonly runId: string;
  /** The how many-eth call of this run it is, from 1. */
  readonly number: number;
}

/** Whose headers a reply carries: those of an SDK that speaks protocol 1 (v3) or 2 (v4), or none. */
export type Speaker = "v3" | "v4" | "nobody";

/** What is answered. Without any field: 200, headers of v4, and the body `null`. */
export interface Reply {
  readonly status?: number;
  readonly as?: Speaker;
  /** Added to the speaker's; an empty value takes a header away. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string | Uint8Array;
  /** ms before anything is sent. */
  readonly delayMs?: number;
  /** Instead of a reply the connection is cut, `before` any byte or in the `middle` of the body. */
  readonly drop?: "before" | "middle";
  /** Nothing is ever sent. */
  readonly never?: true;
  /** The body in pieces of so many bytes, one every `everyMs`; `endless` begins again when it is through. */
  readonly trickle?: { readonly bytes: number; readonly everyMs: number; readonly endless?: true };
  /** Instead of all that, the script writes to the connection itself. When it is done the connection is cut, unless it has ended it. */
  readonly wire?: (socket: Socket) => Promise<void> | void;
}

/** The replies to a run's calls in order, or a function that thinks of one. */
export type Script = readonly Reply[] | ((call: AppCall) => Reply | Promise<Reply>);

/** A function to register: options as SDKs send them (protocol/02), and what its calls are answered. */
export interface ScriptedFunction {
  readonly id: string;
  readonly script: Script;
  /** Short for one trigger on this event. */
  readonly event?: string;
  readonly retries?: number;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** A request that was no execution call: a sync, a probe. */
export interface OtherRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly raw: string;
}

/** A running scripted app. */
export interface ScriptedApp {
  readonly url: string;
  /** All execution calls, in order of arrival. */
  readonly calls: readonly AppCall[];
  readonly others: readonly OtherRequest[];
  /** The calls of one function, or of one run of it. */
  callsOf(slug: string, runId?: string): AppCall[];
  /** Registers functions as the app `name`, replacing what that app had; answers the engine's reply. Slugs become `<name>-<id>`. */
  register(engine: TestEngine, name: string, functions: readonly ScriptedFunction[]): Promise<Answer>;
  /** What such a registration says. */
  registration(name: string, functions: readonly ScriptedFunction[]): Record<string, unknown>;
  /** Answers requests that are no execution calls; 404 until set. */
  answerOthers(answer: (request: OtherRequest) => Reply | Promise<Reply>): void;
  /** Refuses connections until {@link up}; open ones are cut. */
  down(): Promise<void>;
  up(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts an app on a free port of its own. */
export async function startScriptedApp(): Promise<ScriptedApp> {
  const calls: AppCall[] = [];
  const others: OtherRequest[] = [];
  const scripts = new Map<string, Script>();
  let answerOther: (request: OtherRequest) => Reply | Promise<Reply> = () => ({ status: 404, as: "nobody", raw: "" });

  const answer = async (request: OtherRequest): Promise<Reply> => {
    const slug = request.url.searchParams.get("fnId");
    if (request.method !== "POST" || slug === null) {
      others.push(request);
      return await answerOther(request);
    }
    const call = toCall(request, slug, calls);
    calls.push(call);
    const script = scripts.get(slug) ?? [];
    const reply = typeof script === "function" ? await script(call) : script[call.number - 1];
    return reply ?? unforeseen(call);
  };
  const server = createServer((incoming, response) => {
    void serve(incoming, response, answer);
  });
  // An idle connection that is closed in the instant in which the engine uses it again would be a lost call that no test asked for.
  server.keepAliveTimeout = 120_000;
  const address = await listen(server, 0);
  const url = `http://127.0.0.1:${address.port}`;

  const registration = (name: string, functions: readonly ScriptedFunction[]) => ({
    url: `${url}/api/inngest`,
    deployType: "ping",
    framework: "scripted",
    appName: name,
    sdk: "js:v4.24.0",
    v: "0.1",
    capabilities: {},
    functions: functions.map((item) => toWire(item, name, url)),
  });
  return {
    url,
    calls,
    others,
    callsOf: (slug, runId) => calls.filter((call) => call.slug === slug && (runId ?? call.runId) === call.runId),
    registration,
    async register(engine, name, functions) {
      for (const item of functions) scripts.set(`${name}-${item.id}`, item.script);
      return await engine.api("POST", "/fn/register", registration(name, functions));
    },
    answerOthers(given) {
      answerOther = given;
    },
    down: () => close(server),
    async up() {
      await listen(server, address.port);
    },
    stop: () => close(server),
  };
}

/** The headers an SDK puts on every reply. */
export function headersOf(speaker: Speaker): Record<string, string> {
  if (speaker === "nobody") return {};
  const [sdk, version] = speaker === "v3" ? ["inngest-js:v3.54.2", "1"] : ["inngest-js:v4.24.0", "2"];
  return {
    "content-type": "application/json",
    "x-inngest-sdk": sdk,
    "x-inngest-sdk-handled": "true",
    "x-inngest-framework": "scripted",
    "x-inngest-req-version": version,
  };
}

function toWire({ id, event, retries, options }: ScriptedFunction, name: string, url: string) {
  const slug = `${name}-${id}`;
  const step = {
    id: "step",
    name: "step",
    runtime: { type: "http", url: `${url}/api/inngest?fnId=${encodeURIComponent(slug)}&stepId=step` },
    ...(retries === undefined ? {} : { retries: { attempts: retries } }),
  };
  return { id: slug, name: id, triggers: event === undefined ? [] : [{ event }], steps: { step }, ...options };
}

function toCall(request: OtherRequest, slug: string, before: readonly AppCall[]): AppCall {
  const body = callBody.parse(JSON.parse(request.raw));
  const runId = body.ctx.run_id;
  const stepId = request.url.searchParams.get("stepId") ?? "";
  const number = before.filter((call) => call.runId === runId).length + 1;
  return { at: Date.now(), ...request, body, slug, stepId, runId, number };
}

function unforeseen(call: AppCall): Reply {
  const message = `The script foresees no call ${call.number}: ${call.stepId} after [${call.body.ctx.stack.stack.join(", ")}]`;
  return { status: 400, headers: { "x-inngest-no-retry": "true" }, body: { name: "Unforeseen", message } };
}

async function serve(
  incoming: IncomingMessage,
  response: ServerResponse,
  answer: (request: OtherRequest) => Promise<Reply>,
): Promise<void> {
  // A caller that goes away while it is answered is part of the tests, not a failure of the app.
  response.on("error", () => undefined);
  try {
    const raw = await text(incoming);
    const url = new URL(incoming.url ?? "/", `http://${incoming.headers.host ?? "localhost"}`);
    await send(response, await answer({ method: incoming.method ?? "", url, headers: plain(incoming), raw }));
  } catch (error) {
    // What a script throws becomes the run's error, which the test then shows.
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const headers = { ...headersOf("v4"), "x-inngest-no-retry": "true" };
    if (response.headersSent || response.destroyed) return;
    response.writeHead(400, headers).end(JSON.stringify({ name: "ScriptError", message }));
  }
}

async function send(response: ServerResponse, reply: Reply): Promise<void> {
  if (reply.never === true) return;
  if (reply.wire !== undefined) {
    const { socket } = response;
    if (socket === null) return;
    await reply.wire(socket);
    if (!socket.writableEnded) socket.destroy();
    return;
  }
  if (reply.delayMs !== undefined) await sleep(reply.delayMs);
  if (reply.drop === "before") {
    response.socket?.destroy();
    return;
  }
  const body = Buffer.from(reply.raw ?? JSON.stringify(reply.body ?? null));
  const headers = { ...headersOf(reply.as ?? "v4"), ...reply.headers };
  for (const [name, value] of Object.entries(headers)) if (value !== "") response.setHeader(name, value);
  response.statusCode = reply.status ?? 200;
  if (reply.drop === "middle") {
    response.setHeader("content-length", body.byteLength);
    response.write(body.subarray(0, Math.ceil(body.byteLength / 2)), () => response.socket?.destroy());
    return;
  }
  if (reply.trickle === undefined) {
    response.end(body);
    return;
  }
  // A reader that goes away ends the pipeline with an error, which is what some tests are about.
  await pipeline(pieces(body, reply.trickle), response).catch(() => undefined);
}

async function* pieces(body: Uint8Array, { bytes, everyMs, endless }: NonNullable<Reply["trickle"]>) {
  do {
    for (let at = 0; at < body.byteLength; at += bytes) {
      yield body.subarray(at, at + bytes);
      if (everyMs > 0) await sleep(everyMs);
    }
  } while (endless === true);
}

function plain(incoming: IncomingMessage): Record<string, string> {
  const entries = Object.entries(incoming.headers);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")]),
  );
}

function listen(server: Server, port: number): Promise<AddressInfo> {
  return new Promise((done, fail) => {
    server.once("error", fail);
    server.listen(port, "127.0.0.1", () => {
      server.removeListener("error", fail);
      const address = server.address();
      if (address === null || typeof address === "string") fail(new Error("The app has no port."));
      else done(address);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((done) => {
    server.close(() => done());
    server.closeAllConnections();
  });
}
