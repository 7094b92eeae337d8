/**
 * The original of a run that is run again (CR-21): its events and where its steps stand, from its object, or from history where no object
 * holds it, as for skipped entries. Owns the errors for runs of which too little is left.
 */
import type { Bindings } from "../bindings.ts";
import type { Cut } from "../decide/run/fork.ts";
import { MillraceError } from "../errors.ts";
import type { AcceptedEvent } from "../events/event.ts";
import type { Original } from "../events/start-again.ts";
import { loadEvents } from "../history/events.ts";
import type { RunRow } from "../history/message.ts";
import { findRun } from "../history/runs.ts";
import { hex, isUlid } from "../ids.ts";
import { askRun } from "./ask.ts";

/** An original, and where the new run begins when a step was named. */
interface Found {
  readonly functionId: string;
  readonly original: Original;
  readonly cut: Cut | null;
}

/**
 * The run with this id. `fromStep`: a step's id as its user wrote it, with `:<n>` for a repetition, or hashed (protocol/03 §3.7).
 * Throws `run_not_found`; `step_not_found`; `run_deleted` when what is needed is past its retention. The database's schema must be in place.
 */
export async function findOriginal(
  bindings: Bindings,
  environmentId: string,
  runId: string,
  fromStep: string | null,
): Promise<Found> {
  if (!isUlid(runId)) throw notFound(runId);
  const names = fromStep === null ? [] : [await hashedStepId(fromStep), fromStep];
  const origin = await askRun(bindings, environmentId, runId, (run) => run.origin(names));
  if (origin === null) return await fromHistory(bindings, environmentId, runId, fromStep);
  const { identity, cut } = origin;
  if (fromStep !== null && cut === null) throw stepNotFound(runId, fromStep);
  const events = identity.events.map(({ event }) => event);
  return {
    functionId: identity.function.id,
    original: {
      runId,
      events: atLeastOne(events, runId),
      depth: identity.depth,
      ...(identity.endpoint === undefined ? {} : { endpoint: identity.endpoint }),
    },
    cut,
  };
}

async function fromHistory(
  bindings: Bindings,
  environmentId: string,
  runId: string,
  fromStep: string | null,
): Promise<Found> {
  const row = await findRun(bindings.DB, environmentId, runId);
  if (row === null) throw notFound(runId);
  if (isCarried(row.eventName)) throw deleted(runId, "request");
  if (fromStep !== null) throw row.status === "skipped" ? stepNotFound(runId, fromStep) : deleted(runId, "results");
  const events = await loadEvents(bindings.DB, environmentId, row.eventIds);
  return { functionId: row.functionId, original: originalOf(row, events), cut: null };
}

/** Whether an event of this name began a run in the app's own handler (EX-68), of which history knows too little to begin it again. */
export function isCarried(eventName: string): boolean {
  return eventName === "inngest/http.request";
}

/** The original that history knows. Throws `run_deleted` when not all of its events are there. */
export function originalOf({ runId, eventIds }: Pick<RunRow, "runId" | "eventIds">, events: readonly AcceptedEvent[]) {
  if (events.length < eventIds.length) throw deleted(runId, "events");
  return { runId, events: atLeastOne(events, runId), depth: Math.max(0, ...events.map(({ depth = 0 }) => depth)) };
}

function atLeastOne([first, ...others]: readonly AcceptedEvent[], runId: string): Original["events"] {
  if (first === undefined) throw deleted(runId, "events");
  return [first, ...others];
}

/** The id under which SDKs report a step that its author named so (protocol/03 §3.7). */
export async function hashedStepId(name: string): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-1", new TextEncoder().encode(name))));
}

function notFound(runId: string): MillraceError {
  return new MillraceError("run_not_found", `No run has the id "${runId}".`);
}

function stepNotFound(runId: string, step: string): MillraceError {
  return new MillraceError("step_not_found", `The run "${runId}" has no step "${step}".`);
}

function deleted(runId: string, what: string): MillraceError {
  return new MillraceError("run_deleted", `The ${what} of run "${runId}" were deleted after their retention.`);
}
