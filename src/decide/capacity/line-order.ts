/**
 * The one order in which every run takes its lines, so that no two runs wait for each other. Pure. Owns what tells lines apart.
 */
import type { ConcurrencyLimit } from "../../apps/function.ts";
import type { Counted, LineRef } from "./line.ts";

// What holds a run back for longest comes first, then the narrow before the wide: whoever waits for a customer's one unit must not keep a
// unit from all the others meanwhile.
const COUNTED: readonly Counted[] = ["starts", "runs", "steps"];
const SCOPES: readonly ConcurrencyLimit["scope"][] = ["fn", "env", "account"];

/**
 * The text that two references have in common exactly when they lead to the same line. Lines of a function are told apart by the key's
 * expression too; shared ones by its value alone, and the account's ceiling, which has no key, is none of them (FC-14).
 */
export function lineName({ counts, scope, functionId, expression, key }: LineRef): string {
  const limit = expression === null ? "unkeyed" : `keyed ${scope === "fn" ? expression : ""}`;
  return [COUNTED.indexOf(counts), SCOPES.indexOf(scope), functionId, limit, key].join("\n");
}

/** The lines in the order of acquisition: starts, runs, steps; fn, env, account; those with a key first. Each line once. */
export function inOrderOfAcquisition(lines: readonly LineRef[]): LineRef[] {
  const named = new Map<string, LineRef>();
  for (const line of lines) if (!named.has(lineName(line))) named.set(lineName(line), line);
  return [...named].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, line]) => line);
}
