/**
 * `matches`: RE2 patterns in linear time (XP-7). Never hands a user's pattern to the JavaScript engine, whose matching is exponential.
 * Guarantees that compiling and matching are charged, and that no pattern's automaton grows without bound.
 */
import { RE2JS } from "@bufbuild/re2";
import { messageOf } from "../errors.ts";
import { EXPRESSION } from "../limits.ts";
import { type Evaluation, Fault } from "./evaluation.ts";

/** A compiled pattern. */
export class Pattern {
  private readonly source: string;
  private automaton: RE2JS;

  /** Throws Fault when the text is not a pattern of RE2 syntax. */
  constructor(source: string) {
    this.source = source;
    this.automaton = compile(source);
  }

  /** Instructions of the compiled program: what each character of a text may cost. */
  get instructions(): number {
    return this.automaton.re2().prog.numInst();
  }

  /** States the automaton keeps at the moment. */
  get states(): number {
    return this.automaton.re2().dfa.stateCount;
  }

  /** {@link test}, where nobody counts what it costs. */
  testFreely(text: string): boolean {
    const found = this.automaton.test(text);
    // The library keeps every state it has met; starting afresh is the only way to make it forget.
    if (this.states > EXPRESSION.patternStates) this.automaton = compile(this.source);
    return found;
  }

  /** True when any part of the text matches. */
  test(text: string, evaluation: Evaluation): boolean {
    evaluation.read(text.length * this.instructions * EXPRESSION.patternCharacters);
    return this.testFreely(text);
  }
}

function compile(source: string): RE2JS {
  try {
    return RE2JS.compile(source);
  } catch (thrown) {
    throw new Fault(`"matches" has a bad pattern: ${messageOf(thrown)}`, { cause: thrown });
  }
}

/**
 * Matches against a pattern that is computed, and therefore compiled here: short, and without Unicode classes, whose tables take long
 * to build. Messages do not quote it, because it comes from the event.
 */
export function matches(text: string, source: string, evaluation: Evaluation): boolean {
  if (source.length > EXPRESSION.computedPattern) {
    throw new Fault(
      `a computed pattern may have at most ${EXPRESSION.computedPattern} characters; write it as a literal`,
    );
  }
  if (/\\p/i.test(source)) throw new Fault("a computed pattern cannot use Unicode classes; write it as a literal");
  let pattern: Pattern;
  try {
    pattern = new Pattern(source);
  } catch (thrown) {
    throw new Fault('"matches" has a computed pattern that is not of RE2 syntax', { cause: thrown });
  }
  evaluation.read(pattern.instructions * EXPRESSION.compileCharacters);
  return pattern.test(text, evaluation);
}
