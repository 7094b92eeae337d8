/** Requests of the load: as little client as possible, over connections that stay open. */
import { Agent, request } from "node:http";

/** POSTs `body` and resolves when the whole reply is there; throws unless its status is 2xx. */
export type Post = (path: string, body: string) => Promise<void>;

/** A client of `origin` with at most `connections` connections. */
export function client(origin: string, connections: number): { readonly post: Post; close(): void } {
  const { hostname, port } = new URL(origin);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const post: Post = (path, body) =>
    new Promise((done, fail) => {
      const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
      const sent = request({ agent, hostname, port, path, method: "POST", headers }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.once("error", fail);
        response.once("end", () => {
          const status = response.statusCode ?? 0;
          if (status >= 200 && status < 300) done();
          else fail(new Error(`POST ${path} answered ${status}: ${text.slice(0, 300)}`));
        });
      });
      sent.once("error", fail);
      sent.end(body);
    });
  return { post, close: () => agent.destroy() };
}
