/**
 * Checks of single runs that hold in every schedule, whatever went wrong (faults.md I2, I4, I5, I6). They read what is left at rest, and
 * each answers what it found wrong, in words.
 */
import type { RunRow } from "../../../src/history/message.ts";
import { isFinal } from "../../../src/history/status.ts";
import type { Execution } from "../app.ts";
import type { Rest } from "../rest.ts";

/** The executions of each run, in their order. */
export function byRun(ledger: readonly Execution[]): Map<string, Execution[]> {
  const runs = new Map<string, Execution[]>();
  for (const one of ledger) {
    const known = runs.get(one.runId);
    if (known === undefined) runs.set(one.runId, [one]);
    else known.push(one);
  }
  return runs;
}

/** I2: what calls carry for a step never changes, is what a body of that step returned, and is what the run says at the end. */
export function rewritten({ ledger, runs }: Rest): string[] {
  const returned = new Map<string, Set<string>>();
  for (const { step, value } of ledger) {
    if (step !== null && value !== null) returned.set(step, (returned.get(step) ?? new Set()).add(`{"data":${value}}`));
  }
  const found: string[] = [];
  for (const [runId, own] of byRun(ledger)) {
    const known = new Map<string, string>();
    const last = runs.get(runId)?.memo ?? {};
    const final = Object.entries(last).map(([id, memo]) => [id, JSON.stringify(memo)] as const);
    for (const memo of [...own.map((one) => one.memo), final]) {
      for (const [id, value] of memo) {
        const before = known.get(id);
        if (before !== undefined && before !== value)
          found.push(`run ${runId}: ${id} was ${before} and became ${value}`);
        known.set(id, value);
      }
    }
    for (const [id, value] of known) {
      if (own.some(({ step }) => step === id) && value.startsWith('{"data"') && returned.get(id)?.has(value) !== true)
        found.push(`run ${runId}: ${id} has ${value}, which no body returned`);
    }
  }
  return [...new Set(found)];
}

/** I4: every run has ended, and nothing is left to be fanned out. */
export function stuck({ runs, pending, sent }: Rest): string[] {
  const open = [...runs].flatMap(([runId, { row, history }]) => {
    const status = row?.status ?? history?.status ?? "gone";
    return isFinal(status as RunRow["status"]) ? [] : [`run ${runId} is ${status}`];
  });
  const refused = [...sent.values()].filter(({ acceptedAt }) => acceptedAt === null);
  return [
    ...open,
    ...refused.map(({ event }) => `event ${event.internalId} was never accepted`),
    ...(pending === 0 ? [] : [`${pending} events or chunks are not fanned out`]),
  ];
}

/** I5: at rest nobody holds anything. */
export function leaked({ held }: Pick<Rest, "held">): string[] {
  return [...held].flatMap(([line, units]) => (units === 0 ? [] : [`${units} units of ${line} are held by nobody`]));
}

/** I6: history has every run that the app saw, and says of each what its object says. */
export function disagreeing({ runs }: Rest): string[] {
  return [...runs].flatMap(([runId, { row, history }]) => {
    if (history === null) return [`run ${runId} is not in history`];
    if (row === null) return history.status === "skipped" ? [] : [`run ${runId} has no object`];
    const differing = (Object.keys(history) as (keyof RunRow)[]).filter((name) => {
      return JSON.stringify(history[name]) !== JSON.stringify(row[name]);
    });
    const words = differing.map((name) => `${name}: ${JSON.stringify(history[name])} / ${JSON.stringify(row[name])}`);
    return words.length === 0 ? [] : [`run ${runId} is not in history as it is: ${words.join(", ")}`];
  });
}

/** EX-12: what a run returned is what one of its calls returned, and it ended no sooner. */
export function invented({ runs, ledger }: Rest): string[] {
  const returned = byRun(ledger);
  return [...runs].flatMap(([runId, { row }]) => {
    if (row === null || row.status !== "completed") return [];
    const output = JSON.stringify(row.output);
    const call = returned.get(runId)?.find(({ value, step }) => step === null && value === output);
    if (call === undefined) return [`run ${runId} returned ${output}, which the app did not`];
    return (row.endedAt ?? 0) + 1 >= call.until ? [] : [`run ${runId} ended before its last call did`];
  });
}

/** CR-1, final is final: once a run has ended the app is called no more for it. `slack`: ms a call may have been on its way. */
export function disturbed({ runs, ledger }: Rest, slack: number): string[] {
  return ledger.flatMap(({ runId, from, isShadow }) => {
    if (isShadow) return [];
    const endedAt = runs.get(runId)?.row?.endedAt ?? null;
    return endedAt === null || from <= endedAt + slack
      ? []
      : [`run ${runId} had ended at ${endedAt} and was called at ${from.toFixed(1)}`];
  });
}

/** I8: what the app was called with belongs to its environment. Events that clients send carry its id as a canary. */
export function crossed({ ledger }: Rest, environmentId: string): string[] {
  return ledger.flatMap(({ runId, data, memo }) => {
    const texts = [JSON.stringify(data), ...memo.values()];
    const canaries = texts.flatMap((text) => [...text.matchAll(/"canary":"([^"]+)"/g)].map(([, id]) => id));
    const foreign = canaries.find((id) => id !== environmentId);
    return foreign === undefined ? [] : [`run ${runId} of ${environmentId} got something of ${foreign}`];
  });
}
