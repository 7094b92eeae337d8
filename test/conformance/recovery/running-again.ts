/**
 * What the scenarios of running again share: asking for a rerun or a replay, and looking at what came of it.
 */
import * as z from "zod";
import type { RunJson } from "../harness/engine.ts";
import type { Scenario } from "../harness/scenario.ts";

const rerunSchema = z.object({ data: z.looseObject({ run_id: z.string(), original_run_id: z.string() }) });
const dryRunSchema = z.object({ data: z.object({ dry_run: z.literal(true), count: z.number(), exact: z.boolean() }) });

const replaySchema = z.looseObject({
  id: z.string(),
  status: z.enum(["running", "completed", "stopped"]),
  total: z.number(),
  started: z.number(),
  remaining: z.number(),
  dropped: z.number(),
  ended: z.object({ completed: z.number(), failed: z.number(), cancelled: z.number() }),
});

/** A replay as `GET /v1/replays/:id` shows it (CR-24). */
export type ReplayJson = z.infer<typeof replaySchema>;

/** Reruns a run; answers the new run's id. Throws, with the engine's words, when it was refused. */
export async function rerun({ api }: Scenario, runId: string, body: object = {}): Promise<string> {
  const { status, text, json } = await api("POST", `/v1/runs/${runId}/rerun`, body);
  if (status !== 200) throw new Error(`The rerun was refused: ${status} ${text}`);
  return rerunSchema.parse(json).data.run_id;
}

/** The run once it has ended. */
export async function endedRun({ engine, until }: Scenario, runId: string): Promise<RunJson> {
  return await until(async () => {
    const run = await engine.run(runId);
    return run.ended_at === null ? null : run;
  });
}

/** How many runs a replay would start. */
export async function previewOf({ api }: Scenario, body: object): Promise<number> {
  const { status, text, json } = await api("POST", "/v1/replays", { ...body, dry_run: true });
  if (status !== 200) throw new Error(`The preview was refused: ${status} ${text}`);
  return dryRunSchema.parse(json).data.count;
}

/** Begins a replay. Throws, with the engine's words, when it was refused. */
export async function replay({ api }: Scenario, body: object): Promise<ReplayJson> {
  const { status, text, json } = await api("POST", "/v1/replays", { name: "again", ...body });
  if (status !== 200) throw new Error(`The replay was refused: ${status} ${text}`);
  return z.object({ data: replaySchema }).parse(json).data;
}

/** The replay as it is now. */
export async function replayNow({ api }: Scenario, id: string): Promise<ReplayJson> {
  return z.object({ data: replaySchema }).parse((await api("GET", `/v1/replays/${id}`)).json).data;
}

/** The replay once it is over. */
export async function replayed(scenario: Scenario, id: string, timeoutMs = 60_000): Promise<ReplayJson> {
  return await scenario.until(async () => {
    const replay = await replayNow(scenario, id);
    return replay.status === "running" ? null : replay;
  }, timeoutMs);
}
