/**
 * What clients were promised: a cancelled run stays cancelled and begins nothing (CR-1, CR-2, CR-9), a paused function rests (CR-15), a rerun
 * is one run that goes on from its original (CR-21, CR-26), and what was seen once is not taken back (I6).
 */

import type { RunStatus } from "../../../src/history/message.ts";
import { isFinal } from "../../../src/history/status.ts";
import type { Done } from "../deeds.ts";
import type { Rest } from "../rest.ts";
import { CATALOG_AGE, type LivesRest, WAY } from "./checks.ts";
import { STOP } from "./functions.ts";

/** ms after which a call of a troubled schedule may still begin that was made before. */
const STRAY = 60_000;

/** Promises that were broken. */
export function broken(rest: LivesRest): string[] {
  return [
    ...rest.deeds.flatMap((done) => brokenBy(rest, done)),
    ...revived(rest),
    ...(rest.plan.calm ? uncancelled(rest) : []),
  ];
}

function brokenBy(rest: LivesRest, done: Done): string[] {
  const { deed, answeredAt, refused, runId, newRunId } = done;
  if (answeredAt === null || refused !== null) return [];
  switch (deed.kind) {
    case "cancel": {
      const status = rest.runs.get(runId ?? "")?.row?.status;
      const wrong =
        status === "cancelled" ? [] : [`run ${runId} was cancelled at ${answeredAt.toFixed(1)} and is ${status}`];
      const later = begun(rest, ({ runId: id }) => id === runId, answeredAt, answeredAt + STRAY);
      return [...wrong, ...later.map((what) => `${what}, cancelled at ${answeredAt.toFixed(1)}`)];
    }
    case "pause": {
      const resume = rest.deeds.find((other) => other.deed.kind === "resume" && other.at > done.at);
      const until = resume?.at ?? Number.POSITIVE_INFINITY;
      return begun(rest, ({ functionId }) => functionId === deed.function, answeredAt + CATALOG_AGE, until).map(
        (what) => `${what}, whose function was paused at ${answeredAt.toFixed(1)}`,
      );
    }
    case "rerun": {
      const row = rest.runs.get(newRunId ?? "")?.row ?? null;
      if (row === null) return [`the rerun ${newRunId} of ${runId} does not exist`];
      return row.originalRunId === runId ? [] : [`the rerun ${newRunId} has the original ${row.originalRunId}`];
    }
    case "bulk": {
      return [...rest.runs.values()].flatMap(({ row }) => {
        if (row?.cancelReason?.by !== "bulk" || row.queuedAt <= answeredAt) return [];
        return [`run ${row.runId} of ${row.queuedAt} was cancelled with those before ${answeredAt.toFixed(1)}`];
      });
    }
    case "send":
    case "signal":
    case "resume":
    case "register":
    case "look":
      return [];
  }
}

/** Calls that began in a span of time in which none should. In a troubled schedule calls may have been on their way for long. */
function begun(
  { ledger, plan }: LivesRest,
  of: (one: Rest["ledger"][number]) => boolean,
  from: number,
  until: number,
): string[] {
  if (!plan.calm) return [];
  const wrong = ledger.filter(
    (one) => of(one) && one.from > from + WAY && one.from < until && !isUnderWay(ledger, one, from),
  );
  return wrong.map(({ runId, step, from: at }) => `run ${runId} began ${step} at ${at.toFixed(1)}`);
}

/** Whether a body belongs to a call that had begun before: it learns at its next checkpoint that it has to stop (EX-67). */
function isUnderWay(ledger: Rest["ledger"], one: Rest["ledger"][number], at: number): boolean {
  return ledger.some((other) => other.call === one.call && other.from <= at);
}

/** I6: what was seen as ended has ended so, and no later look saw an older state. */
function revived({ deeds, runs }: LivesRest): string[] {
  const looks = deeds.filter(({ deed, saw }) => deed.kind === "look" && saw !== null);
  return looks.flatMap(({ runId, saw, at, answeredAt }) => {
    const row = runs.get(runId ?? "")?.row;
    if (row === null || row === undefined || saw === null) return [];
    const wrong = isFinal(saw.status as RunStatus) && saw.status !== row.status;
    const older = looks.some((other) => {
      return other.runId === runId && other.at > (answeredAt ?? at) && (other.saw?.sequence ?? 0) < saw.sequence;
    });
    return [
      ...(wrong ? [`run ${runId} was ${saw.status} at ${at.toFixed(1)} and is ${row.status}`] : []),
      ...(older || saw.sequence > row.sequence ? [`run ${runId} went back behind ${saw.sequence}`] : []),
    ];
  });
}

/** CR-2, when nothing goes wrong: runs that an event should have cancelled and that went on. */
function uncancelled({ sent, runs, plan, ledger }: LivesRest): string[] {
  const stops = [...sent.values()].filter(({ event }) => event.payload.name === STOP);
  const listening = new Set(
    plan.cast.workers.filter(({ options }) => "cancel" in options).map(({ id }) => `sim-${id}`),
  );
  return [...runs].flatMap(([runId, { row }]) => {
    if (row === null || !listening.has(row.functionSlug)) return [];
    const key = sent.get(row.eventIds[0] ?? "")?.event.payload.data["key"];
    const acceptedAt = sent.get(row.eventIds[0] ?? "")?.acceptedAt ?? Number.POSITIVE_INFINITY;
    const stop = stops.find(({ event, sentAt }) => {
      return event.payload.data["key"] === key && sentAt > Math.max(acceptedAt, row.queuedAt) + CATALOG_AGE;
    });
    if (stop === undefined || row.status === "cancelled") return [];
    // What executes ends first (CR-1).
    const busy = ledger.some((one) => one.runId === runId && one.from <= stop.sentAt + WAY && one.until >= stop.sentAt);
    return busy || (row.endedAt ?? 0) <= stop.sentAt + WAY
      ? []
      : [`run ${runId} was not cancelled by ${stop.event.internalId}`];
  });
}
