/**
 * What the scenarios of this folder share: the ways each of them runs, and looking at a run that waits.
 */
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import type { TestEngine } from "../harness/engine.ts";
import type { Scenario, Variant } from "../harness/scenario.ts";

/** Step by step with both SDKs, and v4 as it comes: with checkpointing (EX-66). */
export const MODES: readonly Variant[] = ["v3", "v4", "v4-checkpointed"];

const jobsSchema = z.object({ data: z.array(z.looseObject({ kind: z.string(), at: z.string(), step: z.unknown() })) });

/** ms in which a wait that a run has committed reaches the place where events arrive. */
const REGISTRATION = 150;
/** ms a run may need to come to its wait on a busy machine. */
const PATIENCE = 40_000;

/** Resolves with the id of the event's run once that run shows `n` open waits and they are registered. */
export async function waitingRun(engine: TestEngine, eventId: string, n = 1): Promise<string> {
  const runId = await engine.until(async () => {
    const [run] = await engine.runsOf(eventId);
    if (run === undefined) return null;
    const { json } = await engine.api("GET", `/v1/runs/${run.run_id}/jobs`);
    const waits = jobsSchema.parse(json).data.filter(({ kind }) => kind === "wait");
    return waits.length >= n ? run.run_id : null;
  }, PATIENCE);
  await sleep(REGISTRATION);
  return runId;
}

/** The same, of a scenario. */
export function waiting({ engine }: Scenario, eventId: string, n = 1): Promise<string> {
  return waitingRun(engine, eventId, n);
}

/** ms from `from` to the end of a run. */
export function took(run: { readonly ended_at: string | null }, from: number): number {
  return Date.parse(run.ended_at ?? "") - from;
}
