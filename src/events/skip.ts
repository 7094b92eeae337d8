/**
 * A start that is skipped (FC-38, CR-20): its outcome, the entry that shows it in lists of runs, and what those are told who wait for it.
 * Owns which skips leave an entry. No run exists: the entry is a row of history and nothing else.
 */
import type { Bindings } from "../bindings.ts";
import { errorMemo } from "../decide/run/state.ts";
import type { RunRow } from "../history/message.ts";
import { runStub } from "../objects.ts";
import type { EventOutcome } from "./event.ts";
import type { FlowPlan } from "./flow.ts";
import type { Candidate } from "./start.ts";

/** Why a start is skipped. */
export type SkipReason = Extract<EventOutcome, { readonly outcome: "skipped" }>["reason"];

/** What a skip leaves. */
export interface Skipped {
  readonly outcome: EventOutcome;
  /** Null for skips that leave no entry. The caller stores it before the event is answered for. */
  readonly row: RunRow | null;
}

/**
 * What a skipped candidate leaves: its outcome, and an entry in the lists of runs where the user is to see it (FC-38, CR-20). The steps that
 * wait for it are answered with an error. Repeatable. Throws when one of them could not be told.
 */
export async function skip(
  bindings: Bindings,
  environmentId: string,
  candidate: Candidate,
  { warnings }: Pick<FlowPlan, "warnings">,
  reason: SkipReason,
  now: number,
): Promise<Skipped> {
  for (const { runId, stepId } of candidate.parents) {
    await runStub(bindings, environmentId, runId).resolve(stepId, refusal(candidate.function.slug, reason));
  }
  const listed = reason === "singleton" || reason === "function_paused";
  const { id, slug } = candidate.function;
  return {
    row: listed ? skippedRow(environmentId, candidate, reason, now) : null,
    outcome: {
      functionId: id,
      functionSlug: slug,
      outcome: "skipped",
      reason,
      ...(listed ? { runId: candidate.runId } : {}),
      ...(warnings.length === 0 ? {} : { warnings }),
    },
  };
}

/** What the step gets that invoked a function which is not run (protocol/06 §6.3). */
function refusal(slug: string, reason: SkipReason) {
  const why: Record<SkipReason, string> = {
    rate_limited: "invoked function is rate limited",
    idempotent: "invoked function has run for this idempotency key already",
    singleton: "invoked function is a singleton and has a run already",
    duplicate_event: "invoked function has run for this event id already",
    function_paused: "invoked function is paused",
    event_loop: "invoked function would go on with an endless chain of runs",
  };
  return errorMemo({ name: "Error", message: `${why[reason]}: ${slug} (${reason})`, code: "invoke_failed" });
}

/** The row of a run that never was. It has taken no decision, so that whatever a run of this id reports is newer. */
function skippedRow(environmentId: string, candidate: Candidate, reason: SkipReason, now: number): RunRow {
  const { runId, function: fn, events, parents } = candidate;
  return {
    environmentId,
    runId,
    appId: fn.app.id,
    functionId: fn.id,
    functionSlug: fn.slug,
    functionVersion: fn.version,
    status: "skipped",
    queuedAt: now,
    startedAt: null,
    endedAt: now,
    eventIds: events.map(({ internalId }) => internalId),
    eventName: events[0].payload.name,
    originalRunId: null,
    replayId: null,
    parentRunId: parents[0]?.runId ?? null,
    cron: null,
    cancelReason: null,
    skipReason: reason,
    output: null,
    sequence: 0,
  };
}
