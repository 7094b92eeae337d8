/**
 * The app that is measured against: functions of the official SDK whose steps do nothing, so that what is left is the engine.
 */
import { createServer, type RequestListener, type Server } from "node:http";
import { eventType, Inngest, staticSchema } from "inngest";
import { serve } from "inngest/node";
import type { Ledger } from "./ledger.ts";

/** The functions: event `bench/<name>` starts the one of that name. */
export const SHAPES = { none: 0, sequence: 3, parallel: 5 } as const;

/** The name of a function. Its value in {@link SHAPES} is its number of steps. */
export type Shape = keyof typeof SHAPES;

/** A served app. */
export interface App {
  /** Serve URLs: one app runs step by step, the other with checkpointing, under events that end in `-checkpointed`. */
  readonly urls: { readonly plain: string; readonly checkpointed: string };
  close(): Promise<void>;
}

/** Serves both apps for the engine at `engineUrl` on a free port. */
export async function serveApp(engineUrl: string, ledger: Ledger): Promise<App> {
  const plain = serve(functionsOf(engineUrl, ledger, false));
  const checkpointed = serve(functionsOf(engineUrl, ledger, true));
  const { origin, server } = await listen((request, response) => {
    ledger.arrived();
    response.once("finish", () => ledger.replied());
    return (request.url?.startsWith("/plain") ? plain : checkpointed)(request, response);
  });
  return {
    urls: { plain: `${origin}/plain`, checkpointed: `${origin}/checkpointed` },
    close: () => close(server),
  };
}

function functionsOf(baseUrl: string, ledger: Ledger, checkpointing: boolean) {
  const suffix = checkpointing ? "-checkpointed" : "";
  const logger = { info() {}, warn() {}, error: console.error, debug() {} };
  const client = new Inngest({ id: `bench${suffix}`, baseUrl, isDev: true, checkpointing, logger });
  const schema = staticSchema<{ run: number }>();
  const functions = [
    client.createFunction({ id: "none", triggers: [eventType(`bench/none${suffix}`, { schema })] }, async ({ event }) =>
      ledger.finished(event.data.run),
    ),
    client.createFunction(
      { id: "sequence", triggers: [eventType(`bench/sequence${suffix}`, { schema })] },
      async ({ event, step }) => {
        const a = await step.run("a", () => 1);
        const b = await step.run("b", () => a + 1);
        await step.run("c", () => b + 1);
        ledger.finished(event.data.run);
      },
    ),
    client.createFunction(
      { id: "parallel", triggers: [eventType(`bench/parallel${suffix}`, { schema })] },
      async ({ event, step }) => {
        await Promise.all(["a", "b", "c", "d", "e"].map((id) => step.run(id, () => id)));
        ledger.finished(event.data.run);
      },
    ),
  ];
  return { client, functions };
}

/** The app of the floor: no SDK, a small JSON reply. The floor tells it which call of how many this is. */
export async function servePlainApp(ledger: Ledger): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { origin, server } = await listen((request, response) => {
    ledger.arrived();
    response.once("finish", () => ledger.replied());
    const query = new URL(request.url ?? "/", "http://app").searchParams;
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.once("end", () => {
      response.writeHead(200, { "content-type": "application/json" }).end('{"data":1}');
      if (query.get("call") === query.get("of")) ledger.finished(Number(body));
    });
  });
  return { url: `${origin}/`, close: () => close(server) };
}

/** Serves a listener on a free port. */
export async function listenWith(listener: RequestListener): Promise<{ origin: string; close(): Promise<void> }> {
  const { origin, server } = await listen(listener);
  return { origin, close: () => close(server) };
}

async function listen(listener: RequestListener): Promise<{ origin: string; server: Server }> {
  const server = createServer(listener);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the app got no port");
  return { origin: `http://127.0.0.1:${address.port}`, server };
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((done) => server.close(() => done()));
}
