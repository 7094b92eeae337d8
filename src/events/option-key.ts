/**
 * The key of an option for one event (FC-41, XP-14): joins flow control to the expression language. Owns what becomes of keys that cannot
 * be computed: the empty key, and a warning for those who look at the event.
 */
import { compileCached } from "../expressions/cache.ts";
import { evaluateKey } from "../expressions/evaluate.ts";
import type { EventPayload, KeyWarning } from "./event.ts";

/** A key's value. */
export interface OptionKey {
  /** Empty without an expression, and when it could not be computed. */
  readonly key: string;
  /** The value was `false`: rate limit, idempotency and singleton are not applied (FC-23, FC-39). */
  readonly disabled: boolean;
  readonly warning: KeyWarning | null;
}

/** Computes the key of `option`; `source` is null when the option has none, `now` is the expression's clock in ms. Never throws. */
export function optionKey(option: string, source: string | null, event: EventPayload, now: number): OptionKey {
  if (source === null) return { key: "", disabled: false, warning: null };
  const compiled = compileCached(source, "key");
  // Registration refuses such a key, but an older registration may still hold it.
  if (!compiled.ok) return { key: "", disabled: false, warning: { option, reason: compiled.error.message } };
  const { key, disabled, warning } = evaluateKey(compiled.expression, { event }, now);
  return { key, disabled, warning: warning === null ? null : { option, reason: warning } };
}
