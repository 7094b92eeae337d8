/**
 * What an environment's schedules have been told (TR-14): which function has which crons, as of which version of the catalog. Owns these
 * tables, and telling. Guarantees that when `reconcile` resolves every schedule is as the catalog says, and that what a crash left half
 * done is done again the next time: a message is noted as under way before it is sent and as told after it has arrived.
 */
import { readCatalog, readCatalogVersion } from "../../src/apps/store.ts";
import type { Bindings } from "../../src/bindings.ts";
import { counters } from "../../src/counters.ts";
import { patrolled, type Telling, tellings, tellingText } from "../../src/decide/schedule/told.ts";
import { inParallel } from "../../src/events/parallel.ts";
import { ensureSchema } from "../../src/history/schema.ts";
import { FANOUT, SCHEDULE } from "../../src/limits.ts";
import { scheduleStub } from "../../src/objects.ts";

const SCHEMA = `
CREATE TABLE IF NOT EXISTS schedules (
  function_id TEXT NOT NULL PRIMARY KEY,
  crons       TEXT                         -- what it was told last; NULL while nobody knows whether that has arrived
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reconciled (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  version  INTEGER NOT NULL,               -- of the catalog
  revision INTEGER NOT NULL                -- of the latest message
);`;

type ScheduleRow = { function_id: string; crons: string | null };
type ReconciledRow = { version: number; revision: number };

export class Schedules {
  readonly #storage: DurableObjectStorage;
  readonly #environmentId: string;
  /** The turn that was taken last: one reconciliation follows the other, so that none tells what another one has overtaken. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(storage: DurableObjectStorage, environmentId: string) {
    this.#storage = storage;
    this.#environmentId = environmentId;
  }

  // load

  #reconciled(): ReconciledRow {
    this.#storage.sql.exec(SCHEMA);
    const statement = "SELECT version, revision FROM reconciled";
    return this.#storage.sql.exec<ReconciledRow>(statement).toArray()[0] ?? { version: 0, revision: 0 };
  }

  #told(): Map<string, string | null> {
    this.#storage.sql.exec(SCHEMA);
    const rows = this.#storage.sql.exec<ScheduleRow>("SELECT function_id, crons FROM schedules").toArray();
    return new Map(rows.map(({ function_id, crons }) => [function_id, crons]));
  }

  // methods

  /** Tells every schedule that is not as the catalog says. Throws when one could not be told; the others are. */
  reconcile(bindings: Bindings): Promise<void> {
    const turn = this.#last.then(() => this.#reconcile(bindings));
    this.#last = turn.catch(() => {
      // Whoever asked is told of it.
    });
    return turn;
  }

  async #reconcile(bindings: Bindings): Promise<void> {
    const environmentId = this.#environmentId;
    await ensureSchema(bindings.DB);
    if ((await readCatalogVersion(bindings.DB, environmentId)) === this.#reconciled().version) return;
    const { version, functions } = await readCatalog(bindings.DB, environmentId);
    const messages = tellings(functions, this.#told());
    const revision = this.#begin(messages);
    await inParallel(FANOUT.inline, messages, ({ functionId, crons }) =>
      scheduleStub(bindings, environmentId, functionId).tell(crons, revision),
    );
    this.#finish(messages, { version, revision });
  }

  /** Looks after some of the schedules, so that within `SCHEDULE.patrol` an alarm that the platform gave up is found. `now` in ms. */
  async patrol(bindings: Bindings, now: number): Promise<void> {
    const rounds = Math.floor(SCHEDULE.patrol / SCHEDULE.sweep);
    const functionIds = patrolled([...this.#told().keys()], Math.floor(now / SCHEDULE.sweep), rounds);
    await inParallel(FANOUT.inline, functionIds, (functionId) =>
      scheduleStub(bindings, this.#environmentId, functionId).wake(),
    );
  }

  // apply

  /** Notes what is about to be said, and with which revision. */
  #begin(messages: readonly Telling[]): number {
    const { version, revision } = this.#reconciled();
    if (messages.length === 0) return revision;
    // The time, so that a restored copy of this object is listened to as well.
    const next = Math.max(revision + 1, Date.now());
    this.#storage.transactionSync(() => {
      for (const { functionId } of messages) {
        this.#write("INSERT OR REPLACE INTO schedules (function_id, crons) VALUES (?, NULL)", functionId);
      }
      this.#note({ version, revision: next });
    });
    return next;
  }

  #finish(messages: readonly Telling[], reconciled: ReconciledRow): void {
    this.#storage.transactionSync(() => {
      for (const { functionId, crons } of messages) {
        if (crons.length === 0) this.#write("DELETE FROM schedules WHERE function_id = ?", functionId);
        else this.#write("UPDATE schedules SET crons = ? WHERE function_id = ?", tellingText(crons), functionId);
      }
      this.#note(reconciled);
    });
  }

  #note({ version, revision }: ReconciledRow): void {
    this.#write("INSERT OR REPLACE INTO reconciled (id, version, revision) VALUES (1, ?, ?)", version, revision);
  }

  #write(statement: string, ...values: (string | number)[]): void {
    counters.rowsWritten += this.#storage.sql.exec(statement, ...values).rowsWritten;
  }
}
