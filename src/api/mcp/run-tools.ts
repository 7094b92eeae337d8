/**
 * The tools that look at runs (API-32): one of them with its steps, or several until they have ended.
 */
import * as z from "zod";
import { currentCatalog } from "../../apps/catalog.ts";
import { MillraceError } from "../../errors.ts";
import type { RunRow } from "../../history/message.ts";
import { readRun } from "../../history/read.ts";
import { isFinal } from "../../history/status.ts";
import { INVOKE, MCP } from "../../limits.ts";
import { awaitEnd } from "../../runs/await-end.ts";
import { traceOf } from "../../runs/trace.ts";
import type { Call } from "../v2/operation.ts";
import { outcomeJson, runJson } from "./run.ts";
import { type Tool, tool } from "./tool.ts";

const status = tool({
  name: "get_run_status",
  description: "Shows a run: its status, steps, attempts, outputs, and errors with their stacks.",
  input: z.object({ runId: z.string() }),
  run: async (call, { runId }) => {
    const { bindings, environment } = call;
    const view = await readRun(bindings, environment.id, runId);
    if (view === null) throw new MillraceError("run_not_found", `No run has the id "${runId}".`);
    return runJson(view.row, await traceOf(bindings, environment.id, runId), await nameOf(call, view.row));
  },
});

const poll = tool({
  name: "poll_run_status",
  description: "Waits until all of some runs have ended, or time is up, and shows how each stands.",
  input: z.object({
    runIds: z.array(z.string()).min(1).max(MCP.polled),
    timeout: z.number().min(0).max(INVOKE.wait).default(MCP.wait).describe("Seconds, for all of them together."),
    pollInterval: z
      .number()
      .min(MCP.pollInterval.min)
      .max(MCP.pollInterval.max)
      .default(MCP.pollInterval.default)
      .describe("Accepted for compatibility: runs are not asked again and again, they tell when they have ended."),
  }),
  run: async (call, { runIds, timeout }) => {
    const until = Date.now() + timeout * 1000;
    const found = await Promise.all(runIds.map((runId) => ended(call, runId, until)));
    const count = (...words: readonly RunRow["status"][]) =>
      found.filter((row) => row !== null && words.includes(row.status)).length;
    const runs = await Promise.all(
      found.map(async (row, index) => {
        if (row === null) return { runId: runIds[index] ?? "", status: "NOT_FOUND" };
        return { runId: row.runId, functionName: await nameOf(call, row), ...outcomeJson(row) };
      }),
    );
    const failed = count("failed", "cancelled", "skipped");
    return { runs, completed: count("completed"), running: count("queued", "running"), failed };
  },
});

/** The run once it has ended, or as it is at the time `until`; null when there is none. */
async function ended({ bindings, environment }: Call, runId: string, until: number): Promise<RunRow | null> {
  const view = await readRun(bindings, environment.id, runId);
  if (view === null || isFinal(view.row.status)) return view?.row ?? null;
  const later = await awaitEnd(bindings, environment.id, runId, Math.max(0, until - Date.now()));
  return (later ?? view).row;
}

async function nameOf({ bindings, environment, now }: Call, row: RunRow): Promise<string> {
  const catalog = await currentCatalog(bindings, environment.id, now);
  return catalog.functionById(row.functionId)?.name ?? row.functionSlug;
}

/** The tools. */
export const runTools: readonly Tool[] = [status, poll];
