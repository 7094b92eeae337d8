/**
 * A proxy in front of a real app that passes every request on at once and lets a test decide, per call, what becomes of the app's reply:
 * by then the app has done its work. Owns only the way back; `Host` is kept, so that the app registers under the proxy's address.
 */
import { connect, type Socket } from "node:net";
import { type RawRequest, type RawServer, startRawServer } from "./raw-server.ts";

/** What is done with a reply: its exact bytes, and the connection to the engine, which the deed has to end. */
export type Deed = (reply: Buffer, engine: Socket) => Promise<void> | void;

/** A running proxy. */
export interface TcpProxy extends RawServer {
  /** Calls whose replies were not passed on unharmed. */
  harmed(): number;
}

/** Passes on what the app answered. */
export const pass: Deed = (reply, engine) => {
  engine.end(reply);
};

/** The app has worked; the engine gets nothing. */
export const drop: Deed = (_, engine) => {
  engine.destroy();
};

/** The same, with a reset instead of an orderly end. */
export const reset: Deed = (_, engine) => {
  engine.resetAndDestroy();
};

/** The engine gets this share of the reply's bytes, from 0 to 1, and then nothing. */
export function cut(share: number): Deed {
  return (reply, engine) =>
    new Promise((done) => {
      engine.write(reply.subarray(0, Math.floor(reply.byteLength * share)), () => {
        engine.destroy();
        done();
      });
    });
}

/**
 * Starts a proxy in front of the app at `target`, a port of this machine. `deedOf` is asked once per call of a function, when the app has
 * answered; everything else passes.
 */
export async function startTcpProxy(target: number, deedOf: (call: RawRequest) => Deed): Promise<TcpProxy> {
  let harmed = 0;
  const server = await startRawServer(async (request, engine) => {
    const reply = await exchange(target, request);
    const isCall = request.method === "POST" && request.target.includes("fnId=");
    const deed = isCall ? deedOf(request) : pass;
    if (deed !== pass) harmed++;
    await deed(reply, engine);
  });
  return { ...server, harmed: () => harmed };
}

/** Everything the app answers; it is asked to close the connection, so that its reply has an end. */
function exchange(port: number, { head, body }: RawRequest): Promise<Buffer> {
  return new Promise((done, fail) => {
    const pieces: Buffer[] = [];
    const app = connect(port, "127.0.0.1", () => {
      const lines = head.split("\r\n").filter((line) => !/^connection:/i.test(line));
      app.write(`${[...lines, "connection: close"].join("\r\n")}\r\n\r\n`);
      app.write(body);
    });
    app.on("data", (piece) => pieces.push(piece as Buffer)); // no encoding is set
    app.once("error", fail).once("end", () => done(Buffer.concat(pieces)));
  });
}
