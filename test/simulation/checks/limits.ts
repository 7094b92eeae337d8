/**
 * I3 of the app's ledger: at no instant more executions than a limit allows (FC-10). A call whose engine has died counts for as long as the
 * engine promises to wait for it; one whose connection broke has ended for the engine.
 */
import type { Execution } from "../app.ts";

/** ms for which a call that nobody hears holds what it was given. The promise itself: the engine's own number may be the mistake. */
const TRUST = 5000;

/** One limit as the checkers hold it against the ledger. */
export interface Limit {
  /** Functions that share its count. */
  readonly functions: readonly string[];
  /** Each function's own number (FC-7). */
  readonly limits: Readonly<Record<string, number>>;
  /** Whether each value of `data.key` has a count of its own. */
  readonly keyed: boolean;
}

/**
 * Instants at which more executes than is allowed. Where functions share a line with limits of their own (FC-7), each is held against its own
 * when it is let in, so that what others began within the last `way` ms, the time of messages, does not count against it.
 */
export function exceeded(ledger: readonly Execution[], limits: readonly Limit[], way: number): string[] {
  return limits.flatMap(({ functions, limits: numbers, keyed }) => {
    const counted = ledger.filter(({ functionId, isShadow }) => functions.includes(functionId) && !isShadow);
    const ends = new Map(counted.map((one) => [one, countedUntil(one)]));
    const begun = new Set<number>();
    return counted.flatMap((one) => {
      // A call is let in once, also one that goes on after a checkpoint; those that nobody hears are let in by nobody.
      const isLetIn = !begun.has(one.call) && (ends.get(one) ?? 0) > one.from;
      begun.add(one.call);
      if (!isLetIn) return [];
      const others = counted.filter((other) => {
        const same = !keyed || other.data["key"] === one.data["key"];
        return same && other.from <= one.from && one.from < (ends.get(other) ?? 0);
      });
      const limit = numbers[one.functionId] ?? 0;
      const before = others.filter((other) => other.functionId === one.functionId || other.from < one.from - way);
      if (before.length <= limit && others.length <= Math.max(...Object.values(numbers))) return [];
      const who = others.map(({ runId, step, from }) => `${runId.slice(-4)}/${step}@${from.toFixed(1)}`).join(" ");
      return [`${one.functionId} executes ${others.length} at ${one.from.toFixed(1)}, its limit is ${limit}: ${who}`];
    });
  });
}

/** Until when an execution counts, ms. */
function countedUntil(one: Execution): number {
  const [brokenAt, orphanedAt] = [one.brokenAt() ?? one.until, one.orphanedAt()];
  // A call that still reports what it has finished is trusted anew each time (EX-66).
  const trustedUntil = orphanedAt === null ? one.until : Math.max(orphanedAt, one.from) + TRUST;
  return Math.min(one.until, brokenAt, trustedUntil);
}
