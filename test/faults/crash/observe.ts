/**
 * What the engine says when a campaign is over: everything, read over REST like anybody could. Owns the reading, and when there is nothing
 * more to come; judges nothing.
 */
import { setTimeout as sleep } from "node:timers/promises";
import * as z from "zod";
import { type Note, readNotes } from "./notes.ts";
import { KEYS, slugOf } from "./plan.ts";
import type { Subject } from "./subject.ts";
import type { Sent } from "./workload.ts";

const eventSchema = z.looseObject({
  internal_id: z.string(),
  id: z.string(),
  name: z.string(),
  duplicate: z.boolean(),
  outcomes: z.array(
    z.looseObject({
      function_slug: z.string(),
      outcome: z.string(),
      reason: z.string().nullable(),
      run_id: z.string().nullable(),
    }),
  ),
});
const runSchema = z.looseObject({
  run_id: z.string(),
  run_started_at: z.string().nullable(),
  ended_at: z.string().nullable(),
  queued_at: z.string(),
  status: z.enum(["Scheduled", "Running", "Completed", "Failed", "Cancelled", "Skipped"]),
  output: z.unknown(),
  function_slug: z.string(),
  event_id: z.string().nullable(),
  event_ids: z.array(z.string()),
  original_run_id: z.string().nullable(),
});
const loadSchema = z.object({ data: z.looseObject({ in_use: z.number(), holding: z.number(), waiting: z.number() }) });
const listSchema = z.object({
  data: z.array(z.unknown()),
  metadata: z.looseObject({ next_cursor: z.string().nullable() }),
});

/** An event as lists show it. */
export type ListedEvent = z.infer<typeof eventSchema>;

/** A run, in a list or by itself. */
export type ObservedRun = z.infer<typeof runSchema>;

/** Whether a run will never change again. */
export function hasEnded({ status }: ObservedRun): boolean {
  return status !== "Scheduled" && status !== "Running";
}

/** What is used of a limit, in a word, and how much. */
export interface Load {
  readonly line: string;
  readonly used: number;
  readonly waiting: number;
}

/** Everything there is to see. */
export interface Observed {
  readonly notes: readonly Note[];
  readonly events: readonly ListedEvent[];
  /** As the list shows them, and as each shows itself. */
  readonly listed: readonly ObservedRun[];
  readonly views: ReadonlyMap<string, ObservedRun>;
  readonly lines: readonly Load[];
  /** ms from the last kill until nothing more was to come; null when that did not happen in time. */
  readonly rested: number | null;
}

/** Waits until everything has ended and history shows it, at most `patience` ms, and reads it all. */
export async function observe(
  subject: Subject,
  notesPath: string,
  sent: readonly Sent[],
  patience: number,
): Promise<Observed> {
  const began = performance.now();
  let rested: number | null = null;
  while (rested === null && performance.now() - began < patience) {
    await sleep(1000);
    if (await isAtRest(subject, notesPath, sent)) rested = performance.now() - began;
  }
  // First, because crons go on ticking: what comes later is not looked at.
  const notes = await readNotes(notesPath);
  const listed = await listedRuns(subject);
  const views = new Map<string, ObservedRun>();
  for (const { run_id } of listed) {
    const { data } = z.object({ data: runSchema }).parse(await subject.read(`/v1/runs/${run_id}`));
    views.set(run_id, data);
  }
  return { notes, events: await listedEvents(subject), listed, views, lines: await linesOf(subject), rested };
}

/** Statuses of runs that lists call ended now, by their ids. */
export async function endedNow(subject: Subject): Promise<Map<string, string>> {
  const page = await subject.read("/v1/runs?limit=100&status=Completed,Failed,Cancelled,Skipped");
  const { data } = z.object({ data: z.array(runSchema) }).parse(page);
  return new Map(data.map((run) => [run.run_id, run.status]));
}

async function isAtRest(subject: Subject, notesPath: string, sent: readonly Sent[]): Promise<boolean> {
  const unfinished = listSchema.parse(await subject.read("/v1/runs?limit=1&status=Running,Scheduled"));
  if (unfinished.data.length > 0) return false;
  const runs = new Map((await listedRuns(subject)).map((run) => [run.run_id, run]));
  const notes = await readNotes(notesPath);
  const known = (id: string) => {
    const run = runs.get(id);
    return run !== undefined && hasEnded(run);
  };
  if (!notes.every(({ run }) => known(run))) return false;
  const events = await listedEvents(subject);
  const ids = new Set(events.flatMap(({ id, outcomes }) => (outcomes.length > 0 ? [id] : [])));
  if (!sent.every(({ id }) => ids.has(id))) return false;
  return events.every(({ outcomes }) => outcomes.every(({ run_id }) => run_id === null || known(run_id)));
}

async function listedRuns(subject: Subject): Promise<ObservedRun[]> {
  return (await all(subject, "/v1/runs")).map((run) => runSchema.parse(run));
}

async function listedEvents(subject: Subject): Promise<ListedEvent[]> {
  return (await all(subject, "/v1/events")).map((event) => eventSchema.parse(event));
}

/** All pages of a list. */
async function all(subject: Subject, path: string): Promise<unknown[]> {
  const items: unknown[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const page = listSchema.parse(await subject.read(`${path}?limit=100${query}`));
    items.push(...page.data);
    cursor = page.metadata.next_cursor;
  }
  return items;
}

/** Every line of every limited function. */
async function linesOf(subject: Subject): Promise<Load[]> {
  const shared = `counts=steps&scope=account&expression=${encodeURIComponent('"crash-shared"')}&key=crash-shared`;
  const keyed = KEYS.map((key) => ["keyed", `counts=steps&scope=fn&expression=event.data.k&key=${key}`] as const);
  const asked = [["limited", "counts=steps&scope=fn"], ["shared", shared], ["keyed", shared], ...keyed] as const;
  const loads: Load[] = [];
  for (const [fn, query] of asked) {
    const load = loadSchema.parse(await subject.read(`/v1/functions/${slugOf(fn)}/lines/one?${query}`));
    const { in_use, holding, waiting } = load.data;
    loads.push({ line: `${fn} ${query}`, used: Math.max(in_use, holding), waiting });
  }
  return loads;
}
