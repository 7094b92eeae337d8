/**
 * One campaign (faults.md §4, rows 1, 2, 6, 7, 8, 28; layer P): a real engine on a directory, real apps in another process, and `kill -9` of
 * the engine on a seeded schedule while events keep coming. In the end faults stop, everything comes to rest, and the checks are made
 * (phases "safety" and "liveness"). Owns the schedule and the figures; judges nothing itself.
 */
import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { temporaryState } from "../../../cli/state.ts";
import { seeded } from "../../simulation/platform/random.ts";
import { startApps } from "./app-process.ts";
import type { Campaign, Verdict } from "./checks/check.ts";
import { checkLimits } from "./checks/limits.ts";
import { checkRest } from "./checks/rest.ts";
import { checkResults } from "./checks/results.ts";
import { checkRuns } from "./checks/runs.ts";
import { endedNow, observe } from "./observe.ts";
import { startSubject } from "./subject.ts";
import { Workload } from "./workload.ts";

/** What is played. */
export interface CampaignOptions {
  readonly kills: number;
  readonly seed: number;
  /** ms the engine is left to work before the next kill: from, to. */
  readonly life?: readonly [number, number];
  /** ms that everything may take to end after the last kill. */
  readonly patience: number;
  /** Versions of the engine that take turns; default: this one only. */
  readonly bundles?: readonly [string, ...string[]];
  /** Hears how far it is. */
  readonly onKill?: (kills: number) => void;
}

/** What came of it. */
export interface Outcome {
  readonly options: Pick<CampaignOptions, "kills" | "seed">;
  readonly figures: Readonly<Record<string, number | null>>;
  readonly verdicts: readonly Verdict[];
}

/** Plays one campaign. Leaves nothing behind. */
export async function playCampaign(options: CampaignOptions): Promise<Outcome> {
  const [least, most] = options.life ?? [350, 1100];
  const random = seeded(options.seed);
  const [subject, state] = await Promise.all([startSubject(options.bundles), temporaryState()]);
  const notesPath = `${state.dir}/notes`;
  const workload = new Workload(subject.url, seeded(options.seed + 1));
  const apps = await startApps(subject.url, notesPath, (message) => workload.hear(message)).catch(
    async (error: unknown) => {
      await subject.stop();
      throw error;
    },
  );
  try {
    const from = Date.now();
    const began = performance.now();
    const back: number[] = [];
    const witnessed = new Map<string, string>();
    workload.begin();
    for (let kills = 1; kills <= options.kills; kills++) {
      await sleep(random.integer(least, most));
      for (const [run, status] of await endedNow(subject)) if (!witnessed.has(run)) witnessed.set(run, status);
      const killed = performance.now();
      await subject.kill();
      back.push(performance.now() - killed);
      options.onKill?.(kills);
    }
    const duration = performance.now() - began;
    await workload.end(options.patience);
    const until = Date.now();
    const observed = await observe(subject, notesPath, workload.sent, options.patience);
    const { sent, reruns, client } = workload;
    const campaign: Campaign = { ...observed, sent, reruns, witnessed, from, until };
    return {
      options: { kills: options.kills, seed: options.seed },
      figures: figuresOf(campaign, back, duration, client.repeated),
      verdicts: [...checkRuns(campaign), ...checkResults(campaign), ...checkLimits(campaign), ...checkRest(campaign)],
    };
  } finally {
    await Promise.all([apps.stop(), subject.stop()]);
    await rm(state.dir, { recursive: true, force: true });
  }
}

function figuresOf(
  campaign: Campaign,
  back: readonly number[],
  duration: number,
  repeated: number,
): Outcome["figures"] {
  const inOrder = back.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(inOrder[Math.floor((inOrder.length - 1) * share)] ?? 0);
  const bodies = campaign.notes.filter(({ is }) => is === "began");
  const results = new Set(campaign.notes.flatMap((note) => (note.is === "began" ? [`${note.run} ${note.step}`] : [])));
  return {
    "seconds under fire": Math.round(duration / 1000),
    "ms from kill to answer, p50": at(0.5),
    "ms from kill to answer, p95": at(0.95),
    "ms from kill to answer, most": at(1),
    "events accepted": campaign.sent.length,
    "requests repeated": repeated,
    runs: campaign.views.size,
    "handlers entered": campaign.notes.filter(({ is }) => is === "called").length,
    "step bodies": bodies.length,
    "step bodies executed again": bodies.length - results.size,
    "seconds to rest": campaign.rested === null ? null : Math.round(campaign.rested / 1000),
  };
}
