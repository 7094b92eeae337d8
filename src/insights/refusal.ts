/**
 * Why a question in SQL is refused, and where in it. Pure.
 */

/** A question that is not understood, or not allowed. `at` is the offset in its text. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** A place in a text as people count: both from 1; columns in UTF-16 units. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Where an offset is. */
export function placeOf(text: string, at: number): Place {
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: (before.at(-1) ?? "").length + 1 };
}
