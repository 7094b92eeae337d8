/**
 * The field `if` of requests that mean many runs (CR-9, CR-22). Owns how a condition is refused.
 */
import { MillraceError } from "../../errors.ts";
import { compileCached } from "../../expressions/cache.ts";
import type { Place } from "../../expressions/place.ts";

/** The condition, which compiles; null for none. Throws `expression_invalid` with its line and column. */
export function checkedCondition(source: string | null, place: Place): string | null {
  if (source === null || source.trim() === "") return null;
  const compiled = compileCached(source, place);
  if (compiled.ok) return source;
  const { message, line, column } = compiled.error;
  const rule = `${message.replace(/\.$/, "")} (line ${line}, column ${column} of "${source}")`;
  throw new MillraceError("expression_invalid", `The field if is not valid: ${rule}.`);
}
