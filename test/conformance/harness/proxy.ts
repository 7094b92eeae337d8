/**
 * A bad network between the engine and an app: loses, delays, replaces and slows down replies to calls, one fault per call, in order.
 * Owns only the way back; what arrives is passed on unchanged, `Host` included, so that the app registers under the proxy's address.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Listening, listen } from "./listen.ts";

/** What happens to one call. */
export type Fault =
  | { readonly kind: "none" }
  /** The app works, its reply never arrives: the connection breaks. */
  | { readonly kind: "drop" }
  /** The app works, its reply arrives `ms` later. */
  | { readonly kind: "delay"; readonly ms: number }
  /** The app works, its reply arrives in small pieces over `ms`. */
  | { readonly kind: "trickle"; readonly ms: number }
  /** The app is not asked; this is the reply. */
  | { readonly kind: "instead"; readonly status: number; readonly headers?: Headers; readonly body: string }
  /** One letter of the call's body is another when it reaches the app. */
  | { readonly kind: "tamper" }
  /** The app is not asked: the call is sent on to this path of the same host, its query kept. */
  | { readonly kind: "redirect"; readonly path: string }
  /** The app is not asked; white space comes without end. */
  | { readonly kind: "endless"; readonly headers?: Headers };

type Headers = Readonly<Record<string, string>>;

/** How a proxy behaves. */
export interface ProxyOptions {
  /** One per call of a function, in order of arrival; later calls pass unharmed. */
  readonly faults?: readonly Fault[];
  /** ms without a byte after which the connection of a call's reply is cut. */
  readonly idleCut?: number;
}

/** Starts a proxy before `target`, an origin. */
export async function startProxy(target: string, options: ProxyOptions): Promise<Listening> {
  const pending = [...(options.faults ?? [])];
  return listen(
    createServer((incoming, outgoing) => {
      const isCall = incoming.method === "POST" && (incoming.url ?? "").includes("fnId=");
      const fault: Fault = (isCall ? pending.shift() : undefined) ?? { kind: "none" };
      // A cut connection has no status: nothing is written on this timer, the engine just loses the reply.
      if (isCall && options.idleCut !== undefined) outgoing.setTimeout(options.idleCut, () => outgoing.destroy());
      answer(target, incoming, outgoing, fault).catch(() => outgoing.destroy());
    }),
    0,
  );
}

async function answer(
  target: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  fault: Fault,
): Promise<void> {
  switch (fault.kind) {
    case "instead":
      await bodyOf(incoming);
      outgoing.writeHead(fault.status, fault.headers).end(fault.body);
      return;
    case "tamper":
      return passOn(await forward(target, incoming, tampered), outgoing);
    case "redirect":
      await bodyOf(incoming);
      outgoing.writeHead(308, { location: `${fault.path}${new URL(incoming.url ?? "/", target).search}` }).end();
      return;
    case "endless":
      await bodyOf(incoming);
      outgoing.writeHead(200, fault.headers);
      return flood(outgoing);
    case "none":
      return passOn(await forward(target, incoming), outgoing);
    case "drop":
      await bodyOf(await forward(target, incoming));
      outgoing.destroy();
      return;
    case "delay": {
      const reply = await forward(target, incoming);
      const body = await bodyOf(reply);
      await sleep(fault.ms);
      outgoing.writeHead(reply.statusCode ?? 502, reply.headers).end(body);
      return;
    }
    case "trickle": {
      const reply = await forward(target, incoming);
      const body = await bodyOf(reply);
      outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
      const pieces = Math.min(body.length, 40);
      for (let at = 0; at < pieces; at++) {
        outgoing.write(body.subarray((at * body.length) / pieces, ((at + 1) * body.length) / pieces));
        await sleep(fault.ms / pieces);
      }
      outgoing.end();
      return;
    }
  }
}

/** Sends a request on and resolves with the head of the reply. */
async function forward(
  target: string,
  incoming: IncomingMessage,
  change: (body: Buffer) => Buffer = (body) => body,
): Promise<IncomingMessage> {
  const body = change(await bodyOf(incoming));
  return new Promise((done, fail) => {
    const { method = "GET", url = "/", headers } = incoming;
    request(`${target}${url}`, { method, headers }, done).once("error", fail).end(body);
  });
}

/** The same length, still JSON, another event. */
function tampered(body: Buffer): Buffer {
  return Buffer.from(body.toString("utf8").replace('"canary":"a"', '"canary":"b"'));
}

function passOn(reply: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
  outgoing.flushHeaders();
  reply.pipe(outgoing);
}

async function flood(outgoing: ServerResponse): Promise<void> {
  const spaces = Buffer.alloc(64 * 1024, " ");
  let open = true;
  outgoing.once("close", () => {
    open = false;
  });
  while (open) {
    const room = outgoing.write(spaces);
    if (!room && open) await new Promise<void>((wake) => outgoing.once("drain", wake).once("close", wake));
    else await sleep(0);
  }
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of message) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}
