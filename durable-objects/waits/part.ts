/**
 * What the two kinds of `Waits` object have in common: where they are, and how they are woken. Types only.
 */
import type { Bindings } from "../../src/bindings.ts";

/** What the object gives its part. */
export interface PartContext {
  readonly storage: DurableObjectStorage;
  readonly bindings: Bindings;
  readonly environmentId: string;
  /** The event's or the signal's. */
  readonly name: string;
  /** Sets the alarm to what {@link Part.due} says, in the same commit as what was written just before. */
  arm(): void;
  /** Lets work go on that nobody waits for. Its failure is logged; the alarm has to see to it. */
  inBackground(work: Promise<void>): void;
}

/** One kind of waits. */
export interface Part {
  /** When it has to be woken, ms; null when it holds nothing. Asked at `now`. */
  due(now: number): number | null;
  /** Does what is due. May throw: it is woken again after a while. */
  wake(now: number): Promise<void>;
}
