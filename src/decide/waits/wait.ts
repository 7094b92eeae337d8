/**
 * A run's registered interest in an event (EX-41), as the index of its event name sees it. Pure.
 * The run decides; the index finds. Owns what of a wait the index keeps, and the answer it can give about an event without the run.
 */
import type { AcceptedEvent, EventPayload } from "../../events/event.ts";
import { compileCached } from "../../expressions/cache.ts";
import { evaluateCondition } from "../../expressions/evaluate.ts";
import { WAITS } from "../../limits.ts";

/** What a run registers. Times are ms since 1970. */
export interface Wait {
  readonly runId: string;
  readonly stepId: string;
  /** When the step was reached: events received earlier do not count (EX-45). */
  readonly since: number;
  /** From here on nothing matches. */
  readonly expiresAt: number;
  /** CEL over `event` and `async` that compiles (EX-43, EX-44); null when every event of the name is wanted. */
  readonly expression: string | null;
  /** The run's trigger event, the first of a batch (XP-2); null only when it cannot be given, and then the run judges. */
  readonly event: EventPayload | null;
  /** Internal ids of the run's own trigger events, which never match. */
  readonly triggers: readonly string[];
}

/** What of a wait is looked at when an event comes. */
export type Candidate = Pick<Wait, "since" | "expression" | "event" | "triggers">;

/** Whether an event is the one waited for; `ask` when only the run can tell. */
export type Verdict = "match" | "no" | "ask";

/**
 * The trigger event as JSON, for the index to keep; null when it is not needed or larger than `WAITS.boundBytes`, in which case the run
 * is asked about every event that the index cannot exclude.
 */
export function keptEvent({ expression, event }: Pick<Wait, "expression" | "event">): string | null {
  if (expression === null || event === null) return null;
  const text = JSON.stringify(event);
  return new TextEncoder().encode(text).byteLength > WAITS.boundBytes ? null : text;
}

/** Judges an event of the right name for a wait that has not expired, at `now` (ms). A runtime error is no match (XP-16). */
export function judge(
  { since, expression, event, triggers }: Candidate,
  incoming: AcceptedEvent,
  now: number,
): Verdict {
  if (incoming.receivedAt < since || triggers.includes(incoming.internalId)) return "no";
  if (expression === null) return "match";
  if (event === null) return "ask";
  const compiled = compileCached(expression, "wait");
  if (!compiled.ok) return "no";
  const result = evaluateCondition(compiled.expression, { event, async: incoming.payload }, now);
  if (!result.ok || !result.matched) return "no";
  // The run judges again, a little later. If that could change the answer, the wait must stay registered until then.
  return READS_CLOCK.test(expression) ? "ask" : "match";
}

/** Also true of a text that merely contains such a call, which only costs the question. */
const READS_CLOCK = /\bnow(_plus|_minus)?\s*\(/;
