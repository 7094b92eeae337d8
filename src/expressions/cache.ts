/**
 * Compiled expressions by source and place, because triggers are evaluated for every event. Bounded: the one unused for longest goes first.
 * Compiling is a function of its input alone, so what an isolate remembers changes speed and nothing else.
 */
import { EXPRESSION } from "../limits.ts";
import { type CompileResult, compile } from "./expression.ts";
import type { Place } from "./place.ts";

const compiled = new Map<string, CompileResult>();

/** {@link compile}, remembered; errors too, as far as the source is of legal size. */
export function compileCached(source: string, place: Place): CompileResult {
  if (source.length > EXPRESSION.sourceBytes) return compile(source, place);
  const name = `${place} ${source}`;
  const result = compiled.get(name) ?? compile(source, place);
  // Entries keep the order in which they were set: setting again on every use leaves the oldest first.
  compiled.delete(name);
  compiled.set(name, result);
  if (compiled.size > EXPRESSION.cached) {
    const oldest = compiled.keys().next();
    if (oldest.done !== true) compiled.delete(oldest.value);
  }
  return result;
}
