/**
 * The app's own record of what really executed, independent of everything the engine says. One per scenario, so that scenarios that
 * run side by side never see each other's marks.
 */
import { setTimeout as sleep } from "node:timers/promises";

/** One thing that happened in the app. */
export interface Mark {
  readonly name: string;
  /** ms since 1970, by the clock engine and app share. */
  readonly at: number;
}

/** What a scenario's functions write and its checks read. The functions need no `this`. */
export interface Ledger {
  /** Notes that `name` happened now. */
  readonly mark: (name: string) => void;
  /** All marks whose name begins with `prefix`, oldest first. */
  readonly marks: (prefix: string) => Mark[];
  /** The names of {@link marks}. */
  readonly names: (prefix: string) => string[];
  /** A body that takes `ms` and is counted as going on under `name` meanwhile. */
  readonly peak: (name: string, ms: number) => Promise<void>;
  /** The largest number of {@link peak} bodies with this prefix that went on at one moment. */
  readonly maxPeak: (prefix: string) => number;
}

interface Span {
  readonly name: string;
  readonly from: number;
  until: number;
}

/** An empty ledger. */
export function createLedger(): Ledger {
  const marks: Mark[] = [];
  const spans: Span[] = [];
  const marked = (prefix: string): Mark[] => marks.filter(({ name }) => name.startsWith(prefix));
  return {
    mark: (name) => {
      marks.push({ name, at: Date.now() });
    },
    marks: marked,
    names: (prefix) => marked(prefix).map(({ name }) => name),
    peak: async (name, ms) => {
      const span: Span = { name, from: performance.now(), until: Number.POSITIVE_INFINITY };
      spans.push(span);
      await sleep(ms);
      span.until = performance.now();
    },
    maxPeak: (prefix) => {
      const counted = spans.filter(({ name }) => name.startsWith(prefix));
      // The number of spans that go on can only be largest where one of them begins.
      const overlaps = counted.map(
        ({ from }) => counted.filter((span) => span.from <= from && from < span.until).length,
      );
      return Math.max(0, ...overlaps);
    },
  };
}
