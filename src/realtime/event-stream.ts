/**
 * One subscriber's stream of server-sent events (protocol/08 §8.3). Owns its keep-alive, its end, and how far it may fall behind;
 * what is sent is its channel's. Guarantees that a subscriber who does not read costs bounded memory, and that for a bounded time (RT-12).
 */
import { REALTIME } from "../limits.ts";
import type { Heard, Listener } from "./audience.ts";

const KEEP_ALIVE = new TextEncoder().encode(":\n\n");

/** How a stream is kept. */
export interface StreamOptions {
  /** Called once, whoever ends it. */
  readonly ended: () => void;
  /** Bytes it may be behind. */
  readonly backlog: number;
  /** Sent before the engine ends it in order. */
  readonly farewell: Heard | null;
}

export class EventStream implements Listener {
  readonly id = crypto.randomUUID();
  readonly readable: ReadableStream<Uint8Array>;
  readonly #options: StreamOptions;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  readonly #keepAlive = setInterval(() => this.#lookAfter(), REALTIME.keepAlive);
  readonly #end = setTimeout(() => this.#leave(), REALTIME.stream);
  #sent = 0;
  /** Bytes the subscriber had read at the last look, and for how long, ms, it has read none of what waits. */
  #read = 0;
  #unread = 0;

  constructor(options: StreamOptions) {
    this.#options = options;
    const strategy = new ByteLengthQueuingStrategy({ highWaterMark: options.backlog });
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
          // Something has to be sent at once, or the subscriber does not learn that it is connected.
          this.send(KEEP_ALIVE);
        },
        cancel: () => this.#stop(),
      },
      strategy,
    );
  }

  hear(heard: Heard): void {
    this.send(heard.event);
  }

  /** Sends bytes as they are. A subscriber too far behind is cut off, so that it can connect anew. */
  send(bytes: Uint8Array): void {
    if (this.#controller === null) return;
    if ((this.#controller.desiredSize ?? 0) < bytes.byteLength) return this.end();
    this.#sent += bytes.byteLength;
    this.#controller.enqueue(bytes);
  }

  /** Ends the stream; whatever was sent still arrives. */
  end(): void {
    this.#controller?.close();
    this.#stop();
  }

  /** Ends the stream when it has lasted long enough. */
  #leave(): void {
    if (this.#options.farewell !== null) this.hear(this.#options.farewell);
    this.end();
  }

  #lookAfter(): void {
    const waiting = this.#options.backlog - (this.#controller?.desiredSize ?? 0);
    const read = this.#sent - waiting;
    if (waiting === 0 || read > this.#read) this.#unread = 0;
    else this.#unread += REALTIME.keepAlive;
    this.#read = read;
    if (this.#unread < REALTIME.stalled) return this.send(KEEP_ALIVE);
    // What waits is thrown away with it: nobody comes to read it.
    this.#controller?.error(new Error("The subscriber has stopped reading."));
    this.#stop();
  }

  #stop(): void {
    if (this.#controller === null) return;
    this.#controller = null;
    clearInterval(this.#keepAlive);
    clearTimeout(this.#end);
    this.#options.ended();
  }
}
