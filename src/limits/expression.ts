/**
 * Limits of expressions. Each number with its unit and its reason.
 */
import { KIB, MIB } from "./units.ts";

/** Expressions (XP-17). What an evaluation may cost is counted, never timed, so that every process decides alike. */
export const EXPRESSION = {
  /** Bytes of the source text. */
  sourceBytes: 4 * KIB,
  /** Nodes of the syntax tree. */
  nodes: 200,
  /** Nesting of brackets and operators. */
  depth: 32,
  /** Operators, calls, accesses and list elements one evaluation may go through. */
  steps: 10_000,
  /** Characters of text one evaluation may read or build: with the steps this stands in for 1 ms of CPU. */
  characters: 1 * MIB,
  /** Steps charged for a fault that `&&`, `||` or a list macro absorbs, which costs far more than an operator. */
  faultSteps: 50,
  /** Characters charged per instruction of a pattern and character of its text: the slowest automaton measured. */
  patternCharacters: 8,
  /** Characters charged per instruction of a pattern that an evaluation has to compile. */
  compileCharacters: 100,
  /** Characters charged per character decoded from JSON or base64: building values costs far more than scanning. */
  decodedCharacters: 8,
  /** Characters charged per character that is looked at one by one instead of by the platform's own search. */
  countedCharacters: 4,
  /** Characters of a text read as a number: more digits only make a huge integer that is refused anyway. */
  numberCharacters: 400,
  /** Characters of a text read as a date or a duration; none is longer. */
  dateCharacters: 64,
  /** Characters of a `matches` pattern that is computed and so must be compiled anew by every evaluation. */
  computedPattern: 128,
  /** States a pattern's automaton may keep between evaluations; beyond it is thrown away and built again. */
  patternStates: 256,
  /** Depth of a value that is compared or printed: deeper than any event, so only `json_parse` can reach it. */
  valueDepth: 128,
  /** Compiled expressions an isolate remembers. */
  cached: 1000,
  /** Characters of a text that go into an index key as they are; of longer ones only a prefix and the length. */
  indexCharacters: 200,
} as const;
