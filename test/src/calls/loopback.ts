/**
 * Real HTTP servers on the loopback address, and a stand-in for DNS and TLS so that they can be reached under public names too.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { afterEach, vi } from "vitest";

/** A request a server has received. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A running server. `url` has no trailing slash. */
export interface Loopback {
  readonly url: string;
  readonly received: readonly Received[];
}

const running: Server[] = [];

afterEach(async () => {
  vi.unstubAllGlobals();
  for (const server of running.splice(0)) {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
});

/** Serves until the end of the test. The handler is called when the request has been read. */
export async function serve(handler: (request: Received, reply: ServerResponse) => void): Promise<Loopback> {
  const received: Received[] = [];
  const server = createServer(async (incoming, reply) => {
    const request = { ...(await describeRequest(incoming)), headers: incoming.headers };
    received.push(request);
    handler(request, reply);
  });
  running.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return { url: `http://127.0.0.1:${address.port}`, received };
}

async function describeRequest(incoming: IncomingMessage) {
  let body = "";
  for await (const chunk of incoming) body += String(chunk);
  return { method: incoming.method ?? "", path: incoming.url ?? "", body };
}

/** Lets `https://<name>` reach a loopback server; every other host stays what it is. Returns the hosts that were called. */
export function publish(names: Readonly<Record<string, Loopback>>): readonly string[] {
  const called: string[] = [];
  const real = globalThis.fetch;
  vi.stubGlobal("fetch", (target: URL, init: RequestInit) => {
    called.push(target.host);
    const server = names[target.hostname];
    return real(server === undefined ? target : new URL(`${target.pathname}${target.search}`, server.url), init);
  });
  return called;
}
