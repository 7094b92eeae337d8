/**
 * Which runs a replay chooses (CR-22). Pure. Owns that it never chooses a run that did not exist when it was asked for, or had not ended by
 * then: what it starts itself is not among them.
 */
import type { ReplayableRun, ReplayFilter } from "../../history/replayable.ts";
import { REPLAY } from "../../limits.ts";
import type { ReplayRequest } from "./operation.ts";

/** What a replay chooses by. */
export function filterOf(request: Pick<ReplayRequest, "statuses" | "after" | "before" | "createdAt">): ReplayFilter {
  const { statuses, after, before, createdAt } = request;
  return { statuses, from: after, until: Math.min(before, createdAt), endedBy: createdAt + REPLAY.skew };
}

/** Whether the filter chooses the run. */
export function isChosen(
  { statuses, from, until, endedBy }: ReplayFilter,
  { status, queuedAt, endedAt }: Pick<ReplayableRun, "status" | "queuedAt" | "endedAt">,
): boolean {
  if (!statuses.includes(status) || endedAt === null || endedAt > endedBy) return false;
  return queuedAt >= (from ?? 0) && queuedAt < until;
}
