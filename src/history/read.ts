/**
 * Fresh reads of single runs and events (API-6, EV-8). A run is asked of its object first, because the object is the truth; D1 answers
 * for objects that are gone. An event is looked for in D1, with patience while it is young.
 */
import type { Bindings } from "../bindings.ts";
import { isUlid, ulidTime } from "../ids.ts";
import { FANOUT } from "../limits.ts";
import { askRun } from "../runs/ask.ts";
import { findEvent } from "./events.ts";
import type { RunRow, StoredEvent } from "./message.ts";
import { findRun } from "./runs.ts";
import type { RunView } from "./view.ts";

/** A run with what it has queued; null when neither its object nor history knows it. An id that is no ULID is never asked for. */
export async function readRun(bindings: Bindings, environmentId: string, runId: string): Promise<RunView | null> {
  if (!isUlid(runId)) return null;
  const view = await askRun(bindings, environmentId, runId, (run) => run.view());
  if (view !== null) return view;
  const row = await findRun(bindings.DB, environmentId, runId);
  return row === null ? null : { row, jobs: [], metadata: [] };
}

/** The runs an event started, newest first, each as fresh as {@link readRun}; `runIds` are those of its outcomes. */
export async function readRuns(
  bindings: Bindings,
  environmentId: string,
  runIds: readonly string[],
): Promise<RunRow[]> {
  const views = await Promise.all(runIds.map((runId) => readRun(bindings, environmentId, runId)));
  return views.filter((view) => view !== null).map((view) => view.row);
}

/**
 * The event with this id (internal or its sender's), or null. Waits up to `FANOUT.readWait` while the event was received within that
 * time and is not recorded yet, or while its fan-out is pending (EV-8); then gives what there is.
 */
export async function readEvent(bindings: Bindings, environmentId: string, id: string): Promise<StoredEvent | null> {
  const began = Date.now();
  const young = isUlid(id) && began - ulidTime(id) < FANOUT.readWait;
  for (;;) {
    const event = await findEvent(bindings.DB, environmentId, id);
    const settled = event === null ? !young : event.routed;
    if (settled || Date.now() - began >= FANOUT.readWait) return event;
    await scheduler.wait(FANOUT.readPoll);
  }
}
