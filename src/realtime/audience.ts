/**
 * The subscribers of one object by topic. Owns who hears a message, and nothing of how they are connected.
 * Guarantees that everybody hears the messages of a topic in the order in which they were handed in.
 */

/** One connection. */
export interface Listener {
  /** Not used twice within a channel. */
  readonly id: string;
  hear(heard: Heard): void;
}

/** A message for everybody who hears its topic, or for only one of them. */
export interface Delivery {
  readonly topic: string;
  readonly text: string;
  /** A listener's id; null for all. */
  readonly to: string | null;
}

/** A message as text, and as the bytes of a server-sent event, which are made once and only when somebody needs them. */
export class Heard {
  readonly text: string;
  #event: Uint8Array | null = null;

  constructor(text: string) {
    this.text = text;
  }

  get event(): Uint8Array {
    this.#event ??= new TextEncoder().encode(`data: ${this.text}\n\n`);
    return this.#event;
  }
}

export class Audience {
  readonly #byTopic = new Map<string, Set<Listener>>();
  readonly #topics = new Map<Listener, readonly string[]>();

  get size(): number {
    return this.#topics.size;
  }

  has(listener: Listener): boolean {
    return this.#topics.has(listener);
  }

  /** Makes a listener hear exactly these topics. */
  set(listener: Listener, topics: readonly string[]): void {
    this.remove(listener);
    this.#topics.set(listener, topics);
    for (const topic of topics) {
      const listeners = this.#byTopic.get(topic);
      if (listeners === undefined) this.#byTopic.set(topic, new Set([listener]));
      else listeners.add(listener);
    }
  }

  remove(listener: Listener): void {
    for (const topic of this.#topics.get(listener) ?? []) {
      const listeners = this.#byTopic.get(topic);
      listeners?.delete(listener);
      if (listeners?.size === 0) this.#byTopic.delete(topic);
    }
    this.#topics.delete(listener);
  }

  /** The topics of these that anybody hears. */
  heard(topics: readonly string[]): string[] {
    return topics.filter((topic) => this.#byTopic.has(topic));
  }

  /** Hands a message to everybody who hears its topic. */
  deliver({ topic, text, to }: Delivery): void {
    const listeners = this.#byTopic.get(topic);
    if (listeners === undefined) return;
    const heard = new Heard(text);
    for (const listener of listeners) {
      if (to === null || to === listener.id) listener.hear(heard);
    }
  }
}
