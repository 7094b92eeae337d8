/**
 * `match: "data.userId"` as an expression (XP-4, EX-42).
 */

/**
 * The condition that `match` stands for: the path present in both events, and equal. The path is not checked here; one that is no field
 * access makes a text that does not compile.
 */
export function matchExpression(path: string): string {
  return `has(event.${path}) && has(async.${path}) && event.${path} == async.${path}`;
}
