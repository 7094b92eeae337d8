/**
 * Runs that stand in lines, for tests.
 */
import type { Counted, LineRef } from "../../../../src/decide/capacity/line.ts";
import type { RunIdentity } from "../../../../src/decide/run/identity.ts";

/** A line of the run's function, or one that is shared by its key's value. */
export function line(counts: Counted, key = "", scope: LineRef["scope"] = "fn"): LineRef {
  const functionId = scope === "fn" ? "fn-uuid" : "";
  return { counts, scope, functionId, expression: key === "" ? null : "event.data.key", key };
}

/** What a run is born with that these lines limit. */
export function limitedBy(...lines: readonly LineRef[]): Partial<RunIdentity> {
  const timeouts = { start: null, finish: null };
  return { flow: { lines, priority: 0, priorityError: null, singleton: null, timeouts, cancelOn: [] } };
}
