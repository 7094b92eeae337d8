/**
 * A server on a free port that can be closed at once, whatever connections are open.
 */
import type { Server } from "node:http";

/** A server that accepts connections. */
export interface Listening {
  /** `http://127.0.0.1:4001`: no slash at the end. */
  readonly origin: string;
  readonly port: number;
  /** Breaks every connection and frees the port. */
  close(): Promise<void>;
}

/** Listens on `port`; 0 takes a free one. */
export async function listen(server: Server, port: number): Promise<Listening> {
  await new Promise<void>((done, fail) => {
    server.once("error", fail).listen(port, "127.0.0.1", done);
  });
  // An idle connection that is closed in the instant in which the engine uses it again would be a lost call that no test asked for.
  server.keepAliveTimeout = 120_000;
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server got no port");
  return {
    origin: `http://127.0.0.1:${address.port}`,
    port: address.port,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
