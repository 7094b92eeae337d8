/**
 * One subscriber's stream of server-sent events (protocol/08 §8.3). Owns its keep-alive, its end, and how far it may fall behind;
 * what is sent is its channel's. Guarantees that a subscriber who does not read costs bounded memory.
 */
import { REALTIME } from "../limits.ts";

const KEEP_ALIVE = new TextEncoder().encode(":\n\n");

export class EventStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #ended: () => void;
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  readonly #keepAlive = setInterval(() => this.send(KEEP_ALIVE), REALTIME.keepAlive);
  readonly #end = setTimeout(() => this.end(), REALTIME.stream);

  /** `ended` is called once, whoever ends it. */
  constructor(ended: () => void) {
    this.#ended = ended;
    const strategy = new ByteLengthQueuingStrategy({ highWaterMark: REALTIME.backlog });
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
          // Something has to be sent at once, or the subscriber does not learn that it is connected.
          controller.enqueue(KEEP_ALIVE);
        },
        cancel: () => this.#stop(),
      },
      strategy,
    );
  }

  /** Sends bytes as they are. A subscriber too far behind is cut off, so that it can connect anew. */
  send(bytes: Uint8Array): void {
    if ((this.#controller?.desiredSize ?? 0) < bytes.byteLength) return this.end();
    this.#controller?.enqueue(bytes);
  }

  /** Ends the stream; whatever was sent still arrives. */
  end(): void {
    this.#controller?.close();
    this.#stop();
  }

  #stop(): void {
    if (this.#controller === null) return;
    this.#controller = null;
    clearInterval(this.#keepAlive);
    clearTimeout(this.#end);
    this.#ended();
  }
}
