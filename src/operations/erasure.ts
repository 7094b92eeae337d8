/**
 * Removing one event, or one run, with all that the engine made of it (OB-25): an event's runs with their reruns, a run's end events, deferred
 * calls and invocations, the runs of those, and so on. Owns the order and what may not go yet.
 * Guarantees that whoever is interrupted finds the rest by the same way: what something led to goes first, its object next, its row last.
 */
import type { Bindings } from "../bindings.ts";
import { eraseRows, type RoutedRow, routedRows, statusOf } from "../history/erased.ts";
import { runIdsOf } from "../history/event-runs.ts";
import { rerunsOf } from "../history/reruns.ts";
import { isFinal } from "../history/status.ts";
import { DELETION, OPERATION, RETENTION } from "../limits.ts";
import { askRun } from "../runs/ask.ts";
import type { Kin } from "../runs/kin.ts";

/**
 * What became of it. `kept`: something of it has not ended, and is not to be cancelled. `later`: it is about to end, or history does not know
 * all of it yet. `more`: this page has done enough.
 */
export type Verdict = "gone" | "kept" | "later" | "more";

/** Of several verdicts the first of these counts. */
const WEIGHT: readonly Verdict[] = ["more", "later", "kept", "gone"];

/** One page of a deletion. */
export class Erasure {
  readonly #bindings: Bindings;
  readonly #environmentId: string;
  readonly #cancels: boolean;
  /** What was begun, by id: two ways may lead to one run. */
  readonly #begun = new Map<string, Promise<Verdict>>();
  #left: number = DELETION.page.acts;
  #removed = 0;

  constructor(bindings: Bindings, environmentId: string, { cancels }: { readonly cancels: boolean }) {
    this.#bindings = bindings;
    this.#environmentId = environmentId;
    this.#cancels = cancels;
  }

  /** How much was tried. */
  get acts(): number {
    return this.#begun.size;
  }

  /** How much of it is gone. */
  get removed(): number {
    return this.#removed;
  }

  /** Removes an event and what it led to. */
  async event(row: RoutedRow): Promise<Verdict> {
    return await this.#once(row.internalId, () => this.#event(row));
  }

  /** Removes a run and what it led to. */
  async run(runId: string, kin?: Kin | null): Promise<Verdict> {
    return await this.#once(runId, () => this.#run(runId, kin));
  }

  async #event({ internalId, receivedAt, outcomes, routed }: RoutedRow): Promise<Verdict> {
    const { DB } = this.#bindings;
    if (!routed) return "later";
    const started = runIdsOf(outcomes);
    const again = await rerunsOf(DB, this.#environmentId, started, { cursor: null, limit: DELETION.reruns });
    const runIds = [...new Set([...started, ...again])];
    const kins = new Map<string, Kin | null>();
    for (const runId of runIds) kins.set(runId, await this.#kin(runId));
    const unfinished = [...kins.values()].some((kin) => kin?.endedAt === null);
    // Nothing of it goes before all of it can.
    if (unfinished && !this.#cancels) return "kept";
    if (receivedAt > Date.now() - RETENTION.gathering) {
      for (const outcome of outcomes) {
        if (outcome.outcome !== "batched" && outcome.outcome !== "debounced") continue;
        // Its window is open: the run comes with the event when it closes.
        if (kins.get(outcome.runId) === null && (await this.#statusOf(outcome.runId)) === null) return "kept";
      }
    }
    const verdicts: Verdict[] = [];
    for (const runId of runIds) verdicts.push(await this.run(runId, kins.get(runId)));
    const verdict = heaviest(verdicts);
    if (verdict !== "gone") return verdict;
    if (again.length === DELETION.reruns) return "more";
    await this.#remove([], [internalId]);
    return "gone";
  }

  async #run(runId: string, known: Kin | null | undefined): Promise<Verdict> {
    const kin = known === undefined ? await this.#kin(runId) : known;
    const status = await this.#statusOf(runId);
    if (kin === null) {
      // A skipped run never had an object. Any other one is gone, or its start is under way: in neither case is it to begin.
      if (status !== "skipped") await this.#erase(runId);
      await this.#remove([runId], []);
      return "gone";
    }
    if (kin.endedAt === null) return await this.#cancel(runId);
    // Its end is told to all, and its children's ends to history, which takes them a moment.
    const told = status !== null && isFinal(status) && Date.now() >= kin.endedAt + OPERATION.settle;
    if (!told) return "later";
    const events = await routedRows(this.#bindings.DB, this.#environmentId, kin.eventIds);
    const verdicts: Verdict[] = [];
    for (const event of events) verdicts.push(await this.event(event));
    const verdict = heaviest(verdicts);
    if (verdict !== "gone") return verdict;
    if (!(await this.#erase(runId))) return "later";
    await this.#remove([runId], kin.eventIds);
    return "gone";
  }

  async #cancel(runId: string): Promise<Verdict> {
    if (!this.#cancels) return "kept";
    await askRun(this.#bindings, this.#environmentId, runId, (run) => run.cancel({ by: "api", children: true }));
    return "later";
  }

  async #kin(runId: string): Promise<Kin | null> {
    return await askRun(this.#bindings, this.#environmentId, runId, (run) => run.kin());
  }

  async #erase(runId: string): Promise<boolean> {
    return await askRun(this.#bindings, this.#environmentId, runId, (run) => run.erase());
  }

  async #remove(runIds: readonly string[], eventIds: readonly string[]): Promise<void> {
    await eraseRows(this.#bindings.DB, this.#environmentId, { runIds, eventIds }, Date.now());
    this.#removed++;
  }

  async #statusOf(runId: string) {
    return await statusOf(this.#bindings.DB, this.#environmentId, runId);
  }

  /** Does it once, if this page may still do something. */
  async #once(id: string, work: () => Promise<Verdict>): Promise<Verdict> {
    const begun = this.#begun.get(id);
    if (begun !== undefined) return await begun;
    if (this.#left-- <= 0) return "more";
    const verdict = work();
    this.#begun.set(id, verdict);
    return await verdict;
  }
}

function heaviest(verdicts: readonly Verdict[]): Verdict {
  return WEIGHT.find((verdict) => verdicts.includes(verdict)) ?? "gone";
}
