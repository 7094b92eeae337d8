/**
 * Ports of this machine. Owns asking whether one is free; nothing is kept open.
 */
import { lookup } from "node:dns/promises";
import { connect, createServer } from "node:net";

/** The port is taken by another program. */
export class PortTaken extends Error {
  override readonly name = "PortTaken";
  constructor(port: number, options?: ErrorOptions) {
    super(`port ${port} is taken`, options);
  }
}

/** Whether nobody listens on `port` at any address of `host`. Asked by connecting, because binding succeeds beside some listeners. */
export async function portIsFree(host: string, port: number): Promise<boolean> {
  const addresses = await lookup(host === "0.0.0.0" ? "localhost" : host, { all: true });
  const answers = await Promise.all(addresses.map(({ address }) => accepts(address, port)));
  return !answers.includes(true);
}

function accepts(address: string, port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ host: address, port, timeout: 1_000 });
    const settle = (accepted: boolean) => {
      socket.destroy();
      done(accepted);
    };
    socket.once("connect", () => settle(true));
    socket.once("timeout", () => settle(false));
    socket.once("error", () => settle(false));
  });
}

/** A port that is free now, chosen by the system. */
export function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once("error", fail);
    server.listen(0, () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === "string") fail(new Error("the system gave no port"));
        else done(address.port);
      });
    });
  });
}
