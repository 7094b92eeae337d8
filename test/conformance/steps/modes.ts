/**
 * What the scenarios of this folder share: the ways each of them runs, and looking at a run that waits.
 */
import * as z from "zod";
import type { Scenario, Variant } from "../harness/scenario.ts";

/** Step by step with both SDKs, and v4 as it comes: with checkpointing (EX-66). */
export const MODES: readonly Variant[] = ["v3", "v4", "v4-checkpointed"];

const jobsSchema = z.object({ data: z.array(z.looseObject({ kind: z.string(), at: z.string(), step: z.unknown() })) });

/** ms in which a wait that a run has committed reaches the place where events arrive. */
const REGISTRATION = 150;

/** Resolves with the id of the event's run once that run shows `n` open waits and they are registered. */
export async function waiting(scenario: Scenario, eventId: string, n = 1): Promise<string> {
  const { engine, until, api, pause } = scenario;
  const runId = await until(async () => {
    const [run] = await engine.runsOf(eventId);
    if (run === undefined) return null;
    const { json } = await api("GET", `/v1/runs/${run.run_id}/jobs`);
    const waits = jobsSchema.parse(json).data.filter(({ kind }) => kind === "wait");
    return waits.length >= n ? run.run_id : null;
  });
  await pause(REGISTRATION);
  return runId;
}

/** ms from `from` to the end of a run. */
export function took(run: { readonly ended_at: string | null }, from: number): number {
  return Date.parse(run.ended_at ?? "") - from;
}
