/**
 * Trigger expressions (TR-6, TR-7): joins routing to the expression language. Owns the answer for expressions that do not compile,
 * which registration refuses but an older registration may still hold.
 */
import { compileCached } from "../expressions/cache.ts";
import { evaluateCondition } from "../expressions/evaluate.ts";
import type { EventPayload } from "./event.ts";

/** Whether the event satisfies a trigger's `if`; `now` is the expression's clock, ms. Never throws. */
export function evaluateTrigger(
  source: string,
  event: EventPayload,
  now: number,
): { readonly ok: true; readonly matched: boolean } | { readonly ok: false; readonly error: string } {
  const compiled = compileCached(source, "trigger");
  if (!compiled.ok) return { ok: false, error: compiled.error.message };
  return evaluateCondition(compiled.expression, { event }, now);
}
