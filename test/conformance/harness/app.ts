/**
 * An app: functions of an official SDK, served over real HTTP and synced by `PUT` on their own endpoint (AP-4), as a deploy hook would.
 * Owns the server, the optional bad network before it, and what of the app's traffic tests look at.
 */
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import * as z from "zod";
import { type Listening, listen } from "./listen.ts";
import { type ProxyOptions, startProxy } from "./proxy.ts";
import type { Client, SdkFunction } from "./sdk.ts";

/** How to serve. */
export interface AppOptions extends ProxyOptions {
  /** Port of the app; default a free one. */
  readonly port?: number;
  /** Path of the serve endpoint; default `/api/inngest`. */
  readonly path?: string;
  /** Replies are streamed (EX-64). */
  readonly streaming?: boolean;
  /** Default true: the first sync is part of serving, and its refusal is thrown. */
  readonly sync?: boolean;
}

/** What the app answered to a `PUT`. */
export interface SyncReply {
  readonly status: number;
  readonly message: string;
  readonly modified: boolean;
}

/** A request the app received. */
export interface ReceivedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
}

/** An app that is being served. */
export interface App {
  /** The serve URL as the engine knows it: the proxy's, when there is one. */
  readonly url: string;
  readonly port: number;
  /** The reply to the newest sync. */
  readonly sync: SyncReply;
  /** Calls of functions so far. */
  calls(): number;
  /** Requests the app has not answered yet. */
  open(): number;
  /** Every request so far, syncs included. */
  received(): readonly ReceivedRequest[];
  /** Serves these functions from now on and syncs; throws what the engine refused. */
  resync(functions: readonly SdkFunction[], client?: Client): Promise<SyncReply>;
  /** Serves these functions from now on without telling the engine: a deployment whose sync is still to come. */
  redeploy(functions: readonly SdkFunction[], client?: Client): void;
  /** Frees the port. */
  stop(): Promise<void>;
  /** Serves again on the same port, without a sync. */
  start(): Promise<void>;
}

/** The engine refused a registration; the message is the one the SDK was given. */
export class SyncRefused extends Error {
  override readonly name = "SyncRefused";
  readonly status: number;
  constructor({ status, message }: SyncReply) {
    super(message);
    this.status = status;
  }
}

const NEVER: SyncReply = { status: 0, message: "never synced", modified: false };
const replySchema = z.object({ message: z.string(), modified: z.boolean().default(false) });

/** Serves functions and syncs them. Throws {@link SyncRefused} when the engine refuses. */
export async function serveApp(
  client: Client,
  functions: readonly SdkFunction[],
  options: AppOptions = {},
): Promise<App> {
  const { port = 0, path = "/api/inngest", streaming = false } = options;
  const received: ReceivedRequest[] = [];
  let open = 0;
  let listener: RequestListener = client.listener(functions, { streaming });
  const createApp = () =>
    createServer((request, response) => {
      received.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers });
      open++;
      response.once("close", () => {
        open--;
      });
      return listener(request, response);
    });

  let server: Listening = await listen(createApp(), port);
  const harmful = options.faults !== undefined || options.idleCut !== undefined;
  const proxy = harmful ? await startProxy(server.origin, options) : null;
  const url = `${(proxy ?? server).origin}${path}`;

  let sync = NEVER;
  const resync = async (): Promise<SyncReply> => {
    sync = await requestSync(url);
    if (sync.status !== 200) throw new SyncRefused(sync);
    return sync;
  };
  const redeploy: App["redeploy"] = (next, by = client) => {
    listener = by.listener(next, { streaming });
  };
  const stop = async (): Promise<void> => {
    await proxy?.close();
    await server.close();
  };

  if (options.sync !== false) {
    try {
      await resync();
    } catch (error) {
      await stop();
      throw error;
    }
  }
  return {
    url,
    port: server.port,
    get sync() {
      return sync;
    },
    calls: () => received.filter(({ method, url }) => method === "POST" && url.includes("fnId=")).length,
    open: () => open,
    received: () => received,
    redeploy,
    async resync(next, by) {
      redeploy(next, by);
      return await resync();
    },
    stop,
    async start() {
      if (proxy !== null) throw new Error("An app behind a proxy cannot be started again");
      server = await listen(createApp(), server.port);
    },
  };
}

/** Asks an app to register itself, as anybody may (AP-4). */
export async function requestSync(url: string, headers: Readonly<Record<string, string>> = {}): Promise<SyncReply> {
  const response = await fetch(url, { method: "PUT", headers });
  const text = await response.text();
  const reply = replySchema.safeParse(JSON.parse(text === "" ? "null" : text));
  if (!reply.success) throw new Error(`PUT ${url}: ${response.status} ${text}`);
  return { status: response.status, ...reply.data };
}
