/**
 * A server below HTTP: it reads whole requests from a connection, one after the other, and leaves every byte of the way back to its owner.
 * Owns reading only. Guarantees that a connection that breaks, on whichever side, is no failure of the server.
 */
import { createServer, type Socket } from "node:net";

/** A request as it arrived. */
export interface RawRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The head's exact text, without the empty line that ends it. */
  readonly head: string;
  readonly body: Buffer;
}

/** A server that accepts connections. */
export interface RawServer {
  /** `http://127.0.0.1:4001`: no slash at the end. */
  readonly origin: string;
  readonly port: number;
  /** Connections accepted so far. */
  connections(): number;
  /** Breaks every connection and frees the port. */
  close(): Promise<void>;
}

/** Answers one request; the next one of the same connection is read when it has resolved. */
export type RawHandler = (request: RawRequest, socket: Socket) => Promise<void> | void;

/** Listens on a free port of this machine. */
export async function startRawServer(handler: RawHandler): Promise<RawServer> {
  const open = new Set<Socket>();
  let accepted = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    accepted++;
    open.add(socket);
    // A peer that goes away while it is written to is what these tests are about.
    socket.on("error", () => undefined).once("close", () => open.delete(socket));
    serve(socket, handler).catch(() => socket.destroy());
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server got no port");
  return {
    origin: `http://127.0.0.1:${address.port}`,
    port: address.port,
    connections: () => accepted,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const socket of open) socket.destroy();
      }),
  };
}

async function serve(socket: Socket, handler: RawHandler): Promise<void> {
  let pending: Buffer = Buffer.alloc(0);
  for await (const piece of socket) {
    pending = Buffer.concat([pending, piece as Buffer]); // no encoding is set, so that pieces are bytes
    for (let next = requestIn(pending); next !== null; next = requestIn(pending)) {
      pending = next.rest;
      await handler(next.request, socket);
    }
  }
}

/** The first whole request of what has arrived; null while it is not whole. Bodies have a length: the engine knows what it sends. */
function requestIn(bytes: Buffer): { request: RawRequest; rest: Buffer } | null {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const head = bytes.subarray(0, end).toString("latin1");
  const [first = "", ...lines] = head.split("\r\n");
  const [method = "", target = ""] = first.split(" ");
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const length = Number(headers["content-length"] ?? 0);
  const from = end + 4;
  if (bytes.byteLength < from + length) return null;
  const body = bytes.subarray(from, from + length);
  return { request: { method, target, headers, head, body }, rest: bytes.subarray(from + length) };
}
