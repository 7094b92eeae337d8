/**
 * What the scenarios of this folder share: looking at runs on their way to an end, and at the events of that end.
 */
import { expect } from "vitest";
import * as z from "zod";
import type { RunJson } from "../harness/engine.ts";
import type { Scenario } from "../harness/scenario.ts";

const jobsSchema = z.object({ data: z.array(z.looseObject({ kind: z.string() })) });
const eventsSchema = z.object({ data: z.array(z.looseObject({ name: z.string(), data: z.looseObject({}) })) });

/** The one run of an event. */
export async function onlyRun({ engine, until }: Scenario, eventId: string): Promise<RunJson> {
  const [run, ...others] = await until(async () => {
    const runs = await engine.runsOf(eventId);
    return runs.length > 0 ? runs : null;
  });
  expect(others).toEqual([]);
  if (run === undefined) throw new Error(`The event ${eventId} started no run`);
  return run;
}

/** Resolves with the run of an event once it sleeps. */
export async function sleeping(scenario: Scenario, eventId: string): Promise<RunJson> {
  const run = await onlyRun(scenario, eventId);
  await scenario.until(async () => {
    const { json } = await scenario.api("GET", `/v1/runs/${run.run_id}/jobs`);
    return jobsSchema.parse(json).data.some(({ kind }) => kind === "sleep");
  });
  return run;
}

/** The stored events of one kind about a run, once there is one. */
export async function endEvents({ api, until }: Scenario, name: string, runId: string) {
  const path = `/v1/events?limit=100&name=${encodeURIComponent(name)}`;
  return await until(async () => {
    const { data } = eventsSchema.parse((await api("GET", path)).json);
    const events = data.filter((event) => event.data["run_id"] === runId);
    return events.length > 0 ? events : null;
  });
}

/** Checks that a run was cancelled for this reason, with exactly one event of each kind about it (CR-13, CR-33). */
export async function expectCancelled(scenario: Scenario, runId: string, reason: string): Promise<RunJson> {
  const run = await scenario.until(async () => {
    const run = await scenario.engine.run(runId);
    return run.status === "Cancelled" ? run : null;
  });
  expect(run).toMatchObject({ cancel_reason: reason });
  const cancelled = await endEvents(scenario, "inngest/function.cancelled", runId);
  expect(cancelled).toHaveLength(1);
  expect(cancelled[0]?.data).toMatchObject({
    error: { error: "function cancelled", message: "function cancelled", name: "Error" },
    function_id: run.function_slug,
    _inngest: { status: "Cancelled" },
  });
  expect(await endEvents(scenario, "inngest/function.finished", runId)).toHaveLength(1);
  return run;
}
