/**
 * What must hold of a schedule, whatever went wrong in it (faults.md I1–I5). Reads the app's own ledger and what runs say of themselves
 * at the end, nothing else. Each check answers what it found wrong, in words.
 */
import type { Execution } from "../app.ts";
import type { Plan, Throttle } from "./plan.ts";

/** What is left when everything has come to rest. */
export interface Rest {
  readonly ledger: readonly Execution[];
  /** Events that were accepted, in the order in which they were made, by internal id. */
  readonly accepted: ReadonlyMap<string, { readonly functionId: string; readonly key: unknown; readonly at: number }>;
  /** Statuses of the runs that the ledger names. */
  readonly statuses: ReadonlyMap<string, string>;
  /** Units that lines still give out, by line. */
  readonly held: ReadonlyMap<string, number>;
}

/** FC-16, of functions that are limited in nothing else: no window of one period holds more than `limit + burst − 1` starts. `slack` ms for messages on their way. */
export function rushed({ ledger }: Rest, throttles: readonly Throttle[], slack: number): string[] {
  return throttles.flatMap(({ function: functionId, limit, period, burst, keyed }) => {
    const starts = new Map<string, Execution>();
    for (const one of ledger) if (one.functionId === functionId && !starts.has(one.runId)) starts.set(one.runId, one);
    const times = [...starts.values()].toSorted((a, b) => a.from - b.from);
    return times.flatMap((one) => {
      const inside = times.filter((other) => {
        const same = !keyed || other.data["key"] === one.data["key"];
        return same && other.from >= one.from && other.from < one.from + period - slack;
      });
      return inside.length <= limit + burst - 1
        ? []
        : [`${functionId} starts ${inside.length} from ${one.from.toFixed(1)} on`];
    });
  });
}

/** I1, I4: every accepted event of these functions has one run, and every run has ended. */
export function lost({ ledger, accepted, statuses }: Rest, functions: readonly string[]): string[] {
  const runs = new Map<string, Set<string>>();
  for (const { events, runId } of ledger) for (const id of events) runs.set(id, (runs.get(id) ?? new Set()).add(runId));
  const expected = [...accepted].filter(([, { functionId }]) => functions.includes(functionId));
  const without = expected.map(([id]) => id).filter((id) => runs.get(id)?.size !== 1);
  const open = [...statuses].filter(([, status]) => status !== "completed");
  return [
    ...without.map((id) => `event ${id} has ${runs.get(id)?.size ?? 0} runs`),
    ...open.map(([runId, status]) => `run ${runId} is ${status}`),
  ];
}

/**
 * FC-8: with one limit per function, runs begin in the order of their events. Those whose events, or whose grants, are `apart` ms or less apart
 * may have overtaken each other on their way.
 */
export function overtaken({ ledger, accepted }: Rest, plan: Plan, apart: number): string[] {
  return plan.ordered.flatMap((functionId) => {
    const begun = new Map<string, Execution>();
    for (const one of ledger) {
      const id = one.events[0];
      if (one.functionId === functionId && id !== undefined && !begun.has(id)) begun.set(id, one);
    }
    const runs = [...begun].map(([id, one]) => ({ one, at: accepted.get(id)?.at ?? 0 }));
    return runs.flatMap((older) => {
      const before = runs.filter((newer) => {
        return (
          newer.one.data["key"] === older.one.data["key"] &&
          newer.at > older.at + apart &&
          newer.one.from < older.one.from - apart
        );
      });
      return before.map(
        (newer) => `${functionId}: the event of ${newer.at.toFixed(0)} began before that of ${older.at.toFixed(0)}`,
      );
    });
  });
}
