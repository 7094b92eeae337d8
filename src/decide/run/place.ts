/**
 * Where a run stands among the runs of its function (FC-8, FC-29). Pure: follows from what the run was born with, so that routing, the run
 * and every line it stands in agree without asking each other.
 */
import { isStored } from "../../environments/environment.ts";
import { REPLAY } from "../../limits.ts";
import type { Place } from "../capacity/line.ts";
import type { RunIdentity } from "./identity.ts";

type Born = Pick<
  RunIdentity,
  "environmentId" | "queuedAt" | "events" | "flow" | "gathered" | "originalRunId" | "replayId"
>;

/**
 * The run's place. A positive priority counts as an earlier creation; a negative one has moved the start already (FC-31). Runs of a replay
 * stand behind everything that happens meanwhile (CR-23).
 */
export function placeOf({ environmentId, queuedAt, events, flow, gathered, originalRunId, replayId }: Born): Place {
  const first = events[0]?.event;
  // The runs of a large send are created chunk by chunk, in any order: they stand where their events came in.
  const created = gathered === true || originalRunId !== null ? queuedAt : (first?.receivedAt ?? queuedAt);
  return {
    // What is stored is beside the deployment's own environment, and comes after it where both stand in one line (EV-26).
    rank: isStored({ id: environmentId }) ? 1 : 0,
    score: created - Math.max(flow?.priority ?? 0, 0) * 1000 + (replayId === undefined ? 0 : REPLAY.behind),
    tie: first?.internalId ?? "",
  };
}
