/**
 * What waits and cancel listeners are indexed by (XP-19): the parts `async.<path> == <something known when the wait is registered>` of a
 * conjunction. Sound by construction: an event outside every index key of a part makes that part false, so the full evaluation would not
 * have matched. Whoever finds a candidate must still evaluate it.
 */
import { EXPRESSION } from "../limits.ts";
import { readsClock } from "./check.ts";
import { evaluationOf, outcome, type Variables } from "./evaluate.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Expression } from "./expression.ts";
import { plan } from "./plan.ts";
import { fieldName, type Node, reads } from "./syntax.ts";
import { ABSENT, fieldOf, isList, isMap, isNumber, isTruthy, MISSING, Uint, type Value } from "./value.ts";

/** One equality of a conjunction. */
export interface EqualityPart {
  /** Fields from `async` on: `["data", "userId"]`. */
  readonly asyncPath: readonly string[];
  /** What it must equal: the same for every run, or computed from the run's trigger event. */
  readonly from: "constant" | "event";
  /** For this folder only. */
  readonly value: Node;
}

/** A part whose value is known. */
export interface IndexPart {
  readonly asyncPath: readonly string[];
  /** The wait is a candidate for exactly the events whose {@link incomingKeys} at the path contain this. */
  readonly key: string;
}

/** What a registered wait is indexed by. */
export type Binding =
  /** No event can match. `reason` is a fault to note on the run's trace (XP-16), or null when the answer is simply no. */
  | { readonly kind: "never"; readonly reason: string | null }
  /** The best part first. None: the wait is a candidate for every event of its name. */
  | { readonly kind: "parts"; readonly parts: readonly IndexPart[] };

/** The equalities every match must satisfy, in the order of the source; none for anything but a conjunction that has some. */
export function equalities(expression: Expression): readonly EqualityPart[] {
  return conjuncts(expression.tree).flatMap((node) => equalityOf(node) ?? []);
}

/** Resolves the event side of an expression at the moment its wait is registered. */
export function bind(expression: Expression, event: Variables["event"]): Binding {
  // Time functions are excluded from everything evaluated here, so no particular time can show.
  const evaluation = (): Evaluation => evaluationOf({ event }, 0);
  const parts: (IndexPart & { readonly rank: number })[] = [];
  for (const node of conjuncts(expression.tree)) {
    const equality = equalityOf(node);
    if (equality === null && (reads(node, "async") || readsClock(node))) continue;
    const known = equality?.value ?? node;
    const result = outcome(() => plan(known, "value")(evaluation()));
    // A fault or a falsehood in one part of a conjunction keeps the whole from ever being true.
    if (!result.ok) return { kind: "never", reason: result.error };
    if (equality === null) {
      if (!isTruthy(result.value)) return { kind: "never", reason: null };
      continue;
    }
    const key = boundKey(result.value);
    if (key === null) return { kind: "never", reason: null };
    parts.push({ asyncPath: equality.asyncPath, key, rank: rankOf(equality, result.value) });
  }
  // The sort is stable: parts of one rank keep their order.
  const ranked = parts.sort((a, b) => a.rank - b.rank).map(({ asyncPath, key }) => ({ asyncPath, key }));
  return { kind: "parts", parts: ranked };
}

/** The keys an incoming event is looked up by at a path: those of all values that `==` would find equal. */
export function incomingKeys(asyncPath: readonly string[], async: NonNullable<Variables["async"]>): readonly string[] {
  const { scope } = evaluationOf({ event: null, async }, 0);
  let value = scope.async;
  for (const field of asyncPath) value = fieldOf(value, field);
  if (value === MISSING) return [NULL];
  if (value === null) return [NULL, UNSET];
  const key = boundKey(value);
  return key === null ? [] : [key];
}

/** The operands of the top-level `&&`s. */
function conjuncts(node: Node): readonly Node[] {
  return node.kind === "logic" && node.operator === "&&" ? [...conjuncts(node.left), ...conjuncts(node.right)] : [node];
}

function equalityOf(node: Node): EqualityPart | null {
  if (node.kind !== "binary" || node.operator !== "==") return null;
  for (const [side, value] of [
    [node.left, node.right],
    [node.right, node.left],
  ] as const) {
    const asyncPath = pathFrom("async", side);
    if (asyncPath === null || reads(value, "async") || readsClock(value)) continue;
    return { asyncPath, from: reads(value, "event") ? "event" : "constant", value };
  }
  return null;
}

/** The fields between a variable and an access of it; null when the node is anything else. */
function pathFrom(variable: string, node: Node): readonly string[] | null {
  if (node.kind === "name") return node.name === variable ? [] : null;
  if (node.kind !== "member" && node.kind !== "index") return null;
  const name = fieldName(node);
  const path = name === null ? null : pathFrom(variable, node.target);
  return name === null || path === null ? null : [...path, name];
}

/** The key of waits for `null`: met by an event with `null` there, or with nothing. */
const NULL = "null";
/** The key of waits for a field their own trigger does not have: met only by `null` (XP-12: `x == null`, but not `x == y`). */
const UNSET = "unset";

/**
 * One text per class of values that equal each other; null for values that nothing in an event can equal. Lists and maps share one key
 * each and long texts of one length and beginning as well: too many candidates are only slow, too few would be wrong.
 */
function boundKey(value: Value): string | null {
  if (value === MISSING) return UNSET;
  if (value === null) return NULL;
  if (value === ABSENT || typeof value === "boolean") return String(value === true);
  if (isNumber(value)) {
    // Beside a JSON number every integer counts as a 64-bit float (XP-10). Adding 0 makes −0 into 0.
    const number = Number(value instanceof Uint ? value.value : value) + 0;
    return Number.isNaN(number) ? null : `number ${number}`;
  }
  if (typeof value === "string") {
    if (value.length <= EXPRESSION.indexCharacters) return `text ${value}`;
    return `long ${value.length} ${value.slice(0, EXPRESSION.indexCharacters)}`;
  }
  return isList(value) ? "list" : isMap(value) ? "map" : null;
}

/** Lower is rarer among waits of one function: values of the run's own event before constants, and specific ones before coarse ones. */
function rankOf(part: EqualityPart, value: Value): number {
  const specific = isNumber(value) || (typeof value === "string" && value !== "");
  return (specific ? 0 : 2) + (part.from === "event" ? 0 : 1);
}
