/**
 * The WebSockets of one object of a channel. Owns what survives while the object sleeps (each socket carries its own subscription), and
 * how much a subscriber may say. The runtime keeps the sockets; the object that is loaded for a message finds them here (RT-11).
 */

import type { Subscription } from "../../src/decide/channel/subscription.ts";
import { admit, type Tat } from "../../src/decide/gcra.ts";
import { messageOf } from "../../src/errors.ts";
import { REALTIME } from "../../src/limits.ts";
import { CLOSING, PING, PONG } from "../../src/protocol/realtime.ts";
import type { Audience, Heard, Listener } from "../../src/realtime/audience.ts";

/** What a socket keeps. */
interface Kept extends Subscription {
  readonly id: string;
}

/** The `readyState` of a socket on which both sides may speak. */
const OPEN = 1;

/** Codes of RFC 6455 that the engine closes with. */
const CLOSE = { policy: 1008, tooBig: 1009, failed: 1011 } as const;

export class Socket implements Listener {
  readonly #socket: WebSocket;
  readonly id: string;
  #subscription: Subscription;
  /** How much it has said lately; forgotten when the object sleeps, which takes longer than a flood lasts. */
  #said: Tat | null = null;
  /** What it said is dealt with one after the other. */
  #work: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(socket: WebSocket, { id, ...subscription }: Kept) {
    this.#socket = socket;
    this.id = id;
    this.#subscription = subscription;
  }

  get subscription(): Subscription {
    return this.#subscription;
  }

  /** Remembers a subscription, also while the object sleeps. */
  keep(subscription: Subscription): void {
    this.#subscription = subscription;
    // Bytes, because their number is bounded (`REALTIME.topicBytes`), and the platform's limit counts characters in its own way.
    this.#socket.serializeAttachment(new TextEncoder().encode(JSON.stringify({ id: this.id, ...subscription })));
  }

  hear({ text }: Heard): void {
    this.say(text);
  }

  say(text: string): void {
    if (this.#closed) return;
    try {
      this.#socket.send(text);
    } catch (error) {
      // The subscriber is leaving, which the runtime reports in a moment; the others must not suffer from it.
      console.debug(`A message was not sent: ${messageOf(error)}`);
    }
  }

  /** Deals with what the subscriber said, after what it said before; cuts it off when it says too much (RT-14). Never rejects. */
  async take(message: string | ArrayBuffer, now: number, deal: (text: string) => Promise<void>): Promise<void> {
    if (this.#closed) return;
    const size = typeof message === "string" ? message.length : message.byteLength;
    if (size > REALTIME.controlBytes) {
      return this.close(CLOSE.tooBig, `a message has at most ${REALTIME.controlBytes} bytes`);
    }
    const { burst, perSecond } = REALTIME.control;
    const admission = admit(this.#said, now, { limit: perSecond, period: 1000, burst });
    this.#said = admission.tat;
    if (!admission.ok) return this.close(CLOSE.policy, `at most ${perSecond} messages a second`);
    const text = typeof message === "string" ? message : new TextDecoder().decode(message);
    this.#work = this.#work
      .then(() => deal(text))
      .catch((error: unknown) => {
        console.error(`A subscriber's message could not be dealt with: ${messageOf(error)}`);
        this.close(CLOSE.failed, "the engine failed");
      });
    await this.#work;
  }

  /** Says that it closes, and does. */
  close(code: number, reason: string): void {
    if (this.#closed) return;
    this.say(CLOSING);
    this.#closed = true;
    this.#socket.close(code, reason);
  }
}

export class Sockets {
  readonly #ctx: DurableObjectState;
  readonly #audience: Audience;
  readonly #known = new Map<WebSocket, Socket>();

  /** Finds the sockets that are open already. */
  constructor(ctx: DurableObjectState, audience: Audience) {
    this.#ctx = ctx;
    this.#audience = audience;
    for (const socket of ctx.getWebSockets()) {
      if (socket.readyState === OPEN) this.#join(new Socket(socket, kept(socket)), socket);
    }
  }

  /** Opens a socket that hears a subscription; `response` is what its subscriber gets. */
  open(subscription: Subscription): { readonly socket: Socket; readonly response: Response } {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG));
    this.#ctx.acceptWebSocket(server);
    const socket = new Socket(server, { id: crypto.randomUUID(), ...subscription });
    socket.keep(subscription);
    this.#join(socket, server);
    return { socket, response: new Response(null, { status: 101, webSocket: client }) };
  }

  /** Makes a socket hear something else from now on, unless it has left meanwhile. */
  change(socket: Socket, subscription: Subscription): void {
    if (!this.#audience.has(socket)) return;
    socket.keep(subscription);
    this.#audience.set(socket, subscription.topics);
  }

  /** Says something to all of them. */
  tell(text: string): void {
    for (const socket of this.#known.values()) socket.say(text);
  }

  get size(): number {
    return this.#known.size;
  }

  /** The socket behind one the runtime speaks of; null when it has left. */
  of(socket: WebSocket): Socket | null {
    return this.#known.get(socket) ?? null;
  }

  leave(socket: WebSocket): void {
    const known = this.#known.get(socket);
    if (known === undefined) return;
    this.#known.delete(socket);
    this.#audience.remove(known);
  }

  #join(socket: Socket, runtime: WebSocket): void {
    this.#known.set(runtime, socket);
    this.#audience.set(socket, socket.subscription.topics);
  }
}

// Only this file writes attachments, so that what it reads is what it wrote.
function kept(socket: WebSocket): Kept {
  return JSON.parse(new TextDecoder().decode(socket.deserializeAttachment())) as Kept;
}
