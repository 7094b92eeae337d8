/**
 * I7: nothing happens before its time, and in a calm schedule not long after it (EX-21, EX-37, EX-41). What a function waits for is known from
 * its parts; when it began to, from the call that announced it.
 */
import type { Execution } from "../app.ts";
import { type SinglePart, stepsOf } from "../program.ts";
import type { Rest } from "../rest.ts";
import type { Sent } from "../world.ts";
import type { WorldFunction } from "../world-function.ts";
import { byRun } from "./runs.ts";

/** ms between failed attempts in every world. */
const RETRY = 1000;
/** ms by which the engine's clock, which counts whole ones, may be behind. */
const ROUNDING = 1;

/** Steps that ended too early, or by something that did not happen. */
export function hasty(rest: Rest, functions: readonly WorldFunction[]): string[] {
  return eachStep(rest, functions, ({ runId, own, part, announcedAt }) => {
    const after = own.find(({ memo }) => memo.has(part.id));
    const memo = after?.memo.get(part.id) ?? JSON.stringify(rest.runs.get(runId)?.memo[part.id]);
    if (memo === undefined) return [];
    const at = after?.from ?? rest.runs.get(runId)?.row?.endedAt ?? Number.POSITIVE_INFINITY;
    const early = at < announcedAt + timeOf(part) - ROUNDING;
    const said = (what: string) => [`run ${runId}: ${part.kind} ${part.id} of ${announcedAt.toFixed(1)} ${what}`];
    switch (part.kind) {
      case "run":
        return [];
      case "sleep":
        return early ? said(`was over at ${at.toFixed(1)}`) : [];
      case "wait": {
        if (memo === "null") return early ? said(`timed out at ${at.toFixed(1)}`) : [];
        const sent = eventIn(rest, memo);
        if (sent === null || sent.event.payload.name !== part.event) return said(`was ended by ${memo}`);
        if (sent.acceptedAt !== null && sent.acceptedAt < announcedAt)
          return said(`was ended by an older event ${memo}`);
        return part.keyed && (sent.event.payload.data["key"] ?? null) !== (own[0]?.data["key"] ?? null)
          ? said(`has a wrong key: ${memo}`)
          : [];
      }
      case "signal":
        return memo === "null" && early ? said(`timed out at ${at.toFixed(1)}`) : [];
      case "invoke":
        return memo.includes("InngestInvokeTimeoutError") && early ? said(`timed out at ${at.toFixed(1)}`) : [];
    }
  });
}

/** Retries that came too early, and attempts beyond the last one (EX-19). */
export function impatient({ ledger }: Rest, functions: readonly WorldFunction[]): string[] {
  const retries = new Map(functions.map((fn) => [`sim-${fn.id}`, fn.retries ?? 4]));
  return [...byRun(ledger)].flatMap(([runId, own]) =>
    own.flatMap((one) => {
      if (one.attempt > (retries.get(one.functionId) ?? 0))
        return [`run ${runId}: attempt ${one.attempt} is one too many`];
      if (one.attempt === 0 || one.step === null || one.isShadow) return [];
      const before = own.filter(({ step, attempt, isShadow }) => {
        return step === one.step && attempt === one.attempt - 1 && !isShadow;
      });
      const failed = Math.min(...before.map(({ until, brokenAt }) => Math.min(until, brokenAt() ?? until)));
      return before.length === 0 || one.from >= failed + RETRY - ROUNDING
        ? []
        : [
            `run ${runId}: ${one.step} was tried again at ${one.from.toFixed(1)} after it failed at ${failed.toFixed(1)}`,
          ];
    }),
  );
}

/** Waits that an event should have ended which came while everybody knew of them. `known`: ms until everybody does. */
export function missed(rest: Rest, functions: readonly WorldFunction[], known: number): string[] {
  return eachStep(rest, functions, ({ runId, own, part, announcedAt }) => {
    if (part.kind !== "wait") return [];
    const after = own.find(({ memo }) => memo.has(part.id));
    if (after?.memo.get(part.id) !== "null") return [];
    const events = [...rest.sent.values()].filter(({ event, sentAt, acceptedAt }) => {
      const matches =
        event.payload.name === part.event && (!part.keyed || event.payload.data["key"] === after.data["key"]);
      const isInTime = sentAt > announcedAt + known && (acceptedAt ?? Infinity) < announcedAt + part.ms - known;
      return matches && isInTime;
    });
    return events.map(
      ({ event }) => `run ${runId}: wait ${part.id} of ${announcedAt.toFixed(1)} missed ${event.internalId}`,
    );
  });
}

/** Waits that timed out although a sibling had sent what they wait for (EX-45), more than `slack` ms before. */
export function unheard(rest: Rest, functions: readonly WorldFunction[], slack: number): string[] {
  const sends = new Set(
    functions.flatMap(({ parts }) => stepsOf(parts)).flatMap((part) => ("sends" in part ? [part.id] : [])),
  );
  return eachStep(rest, functions, ({ runId, own, part, announcedAt }) => {
    const memo = own.find(({ memo }) => memo.has(part.id))?.memo.get(part.id);
    if (part.kind !== "wait" || memo !== "null") return [];
    const siblings = own.filter(({ step, value, from }) => {
      return step !== null && value !== null && sends.has(step) && isSibling(step, part.id) && from > announcedAt;
    });
    return siblings.flatMap(({ value }) => {
      const sent = [...rest.sent.values()].find(({ event: { payload } }) => {
        return payload.name === part.event && JSON.stringify(payload.data["value"]) === value;
      });
      const isInTime = (sent?.acceptedAt ?? Number.POSITIVE_INFINITY) + slack < announcedAt + part.ms;
      return isInTime
        ? [`run ${runId}: wait ${part.id} of ${announcedAt.toFixed(1)} missed what its sibling sent`]
        : [];
    });
  });
}

/** Whether two steps are of one group. */
function isSibling(one: string, other: string): boolean {
  return one.includes(".") && one.split(".")[0] === other.split(".")[0];
}

/** Sleeps after which nothing happened for longer than `slack` ms, in functions that nothing holds back. */
export function late(rest: Rest, functions: readonly WorldFunction[], slack: number): string[] {
  return eachStep(rest, functions, ({ runId, own, part, announcedAt, alone }) => {
    if (part.kind !== "sleep" || !alone) return [];
    const next = own.find(({ from }) => from > announcedAt);
    const at = next?.from ?? rest.runs.get(runId)?.row?.endedAt ?? 0;
    return at > announcedAt + part.ms + slack
      ? [`run ${runId}: sleep ${part.id} of ${announcedAt.toFixed(1)} was over no sooner than ${at.toFixed(1)}`]
      : [];
  });
}

/** A step of a run, from the end of the call that announced it first. `alone`: no other step was announced with it. */
interface Announced {
  readonly runId: string;
  readonly own: readonly Execution[];
  readonly part: SinglePart;
  readonly announcedAt: number;
  readonly alone: boolean;
}

function eachStep(
  { ledger }: Rest,
  functions: readonly WorldFunction[],
  check: (announced: Announced) => string[],
): string[] {
  const parts = new Map(functions.map((fn) => [`sim-${fn.id}`, stepsOf(fn.parts)]));
  return [...byRun(ledger)].flatMap(([runId, own]) =>
    (parts.get(own[0]?.functionId ?? "") ?? []).flatMap((part) => {
      const call = own.find(({ announced }) => announced.includes(part.id));
      if (call === undefined) return [];
      return check({ runId, own, part, announcedAt: call.until, alone: call.announced.length === 1 });
    }),
  );
}

function timeOf(part: SinglePart): number {
  return part.ms;
}

/** The sent event that a memo is the payload of; null when there is none. */
function eventIn({ sent }: Rest, memo: string): Sent | null {
  // A sender's id may be that of several events.
  const { id, ts } = JSON.parse(memo) as { id?: string; ts?: number };
  return [...sent.values()].find(({ event: { payload } }) => payload.id === id && payload.ts === ts) ?? null;
}
