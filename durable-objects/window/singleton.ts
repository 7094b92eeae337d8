/**
 * The runs that claimed the singleton of one function and key (FC-37): one row each, so that a claim that is repeated gets the same answer.
 * A thin shell around `src/decide/window/singleton.ts`. Guarantees that a run which has ended, or never came to exist, keeps nobody out.
 */
import {
  type Claimant,
  claimSingleton,
  type Heard,
  heard,
  isOpen,
  type SingletonAnswer,
  type SingletonMode,
} from "../../src/decide/window/singleton.ts";
import { isFinal } from "../../src/history/status.ts";
import { WINDOW } from "../../src/limits.ts";
import { runStub } from "../../src/objects.ts";
import { CountedSql } from "../counted-sql.ts";
import type { Part, PartContext } from "./part.ts";

const SCHEMA = `CREATE TABLE IF NOT EXISTS claimants (
  run_id   TEXT    NOT NULL PRIMARY KEY,
  standing TEXT    NOT NULL,              -- holds, replaced, ended, skipped, void
  since    INTEGER NOT NULL               -- ms since 1970
) WITHOUT ROWID;`;

type ClaimantRow = { run_id: string; standing: string; since: number };

export class SingletonWindow implements Part {
  readonly #context: PartContext;
  readonly #sql: CountedSql;
  /** Those that hold or are replaced, by run; null without a table, undefined while not read. */
  #open: Map<string, Claimant> | null | undefined;
  /** When each of them was last heard to go on, ms. */
  readonly #alive = new Map<string, number>();
  /** The questions under way, by run: nobody is asked twice at the same time. */
  readonly #asking = new Map<string, Promise<void>>();

  constructor(context: PartContext) {
    this.#context = context;
    this.#sql = new CountedSql(context.storage);
  }

  // methods

  /** What a run that is about to start is told. The same run always gets the same answer. */
  async claim(runId: string, mode: SingletonMode): Promise<SingletonAnswer> {
    for (;;) {
      const now = Date.now();
      const open = [...(this.#load()?.values() ?? [])];
      const isAlive = (other: string) => now < (this.#alive.get(other) ?? 0) + WINDOW.trust;
      const decision = claimSingleton({ own: this.#find(runId), open, isAlive }, runId, mode, now);
      if ("answer" in decision) {
        this.#save(decision.changed, now);
        return decision.answer;
      }
      await this.#ask(decision.ask);
    }
  }

  /** The run has ended (`ended`), or was let in and does not exist (`unknown`). */
  async leave(runId: string, why: Exclude<Heard, "alive">): Promise<void> {
    if (!this.#hear(runId, why, Date.now())) return;
    // While a run goes on the next look is far away.
    const at = Date.now() + WINDOW.remembered;
    const alarm = await this.#context.storage.getAlarm();
    if (alarm === null || alarm > at) this.#context.setAlarm(at);
  }

  // alarm

  /** Forgets what is over, and asks those that hold the singleton whether they still exist. */
  async wake(now: number): Promise<void> {
    for (const runId of [...(this.#load()?.keys() ?? [])]) await this.#ask(runId);
    if (this.#load() !== null) {
      this.#sql.write(
        "DELETE FROM claimants WHERE standing NOT IN ('holds', 'replaced') AND since <= ?",
        now - WINDOW.remembered,
      );
    }
    const rest = this.#load() === null ? [] : this.#sql.read<{ n: number }>("SELECT COUNT(*) AS n FROM claimants");
    const count = rest[0]?.n ?? 0;
    if (count === 0) {
      this.#open = undefined;
      return await this.#context.storage.deleteAll();
    }
    const open = this.#load()?.size ?? 0;
    this.#context.setAlarm(now + (count > open ? WINDOW.remembered : WINDOW.check));
  }

  // load

  #load(): Map<string, Claimant> | null {
    if (this.#open === undefined) {
      const query = "SELECT * FROM claimants WHERE standing IN ('holds', 'replaced')";
      const rows = this.#sql.has("claimants") ? this.#sql.read<ClaimantRow>(query) : null;
      this.#open = rows === null ? null : new Map(rows.map((row) => [row.run_id, restore(row)]));
    }
    return this.#open;
  }

  #find(runId: string): Claimant | null {
    const open = this.#load();
    if (open === null) return null;
    const [row] = this.#sql.read<ClaimantRow>("SELECT * FROM claimants WHERE run_id = ?", runId);
    return open.get(runId) ?? (row === undefined ? null : restore(row));
  }

  // apply

  /** Asks the object of a run that has the singleton. Fails when it cannot be reached. */
  async #ask(runId: string): Promise<void> {
    let asking = this.#asking.get(runId);
    if (asking === undefined) {
      asking = this.#listen(runId).finally(() => this.#asking.delete(runId));
      this.#asking.set(runId, asking);
    }
    await asking;
  }

  async #listen(runId: string): Promise<void> {
    const { bindings, environmentId } = this.#context;
    const view = await runStub(bindings, environmentId, runId).view();
    const now = Date.now();
    this.#alive.set(runId, now);
    this.#hear(runId, view === null ? "unknown" : isFinal(view.row.status) ? "ended" : "alive", now);
  }

  /** Takes note of what was heard of a run; false when that changes nothing. */
  #hear(runId: string, said: Heard, now: number): boolean {
    const before = this.#load()?.get(runId);
    if (before === undefined) return false;
    const after = heard(before, said, now);
    if (after === before) return false;
    this.#save([after], now);
    return true;
  }

  /** Stores what changed: one commit. */
  #save(changed: readonly Claimant[], now: number): void {
    if (changed.length === 0) return;
    const first = this.#load() === null;
    this.#sql.transaction(() => {
      if (first) this.#sql.write(SCHEMA);
      const upsert = "INSERT OR REPLACE INTO claimants (run_id, standing, since) VALUES (?, ?, ?)";
      for (const { runId, standing, since } of changed) this.#sql.write(upsert, runId, standing, since);
    });
    if (first) this.#context.setAlarm(now + WINDOW.remembered);
    this.#open ??= new Map();
    for (const claimant of changed) {
      this.#alive.delete(claimant.runId);
      if (isOpen(claimant)) this.#open.set(claimant.runId, claimant);
      else this.#open.delete(claimant.runId);
    }
  }
}

function restore({ run_id: runId, standing, since }: ClaimantRow): Claimant {
  // Only this file writes standings.
  return { runId, standing: standing as Claimant["standing"], since };
}
