/**
 * Operation: one thing done to many runs (CR-9, CR-22), page by page, until it is over or somebody stops it. A thin shell around
 * `src/decide/operation`; what a page is and what is done there is `src/operations`'.
 * Guarantees that an operation that was accepted goes on whatever happens, and that progress never falls: a page that was interrupted is
 * done again.
 */
import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../src/bindings.ts";
import { counters } from "../src/counters.ts";
import {
  begin,
  hindered,
  type OperationRequest,
  type OperationState,
  paged,
  stopped,
  watched,
} from "../src/decide/operation/operation.ts";
import { messageOf } from "../src/errors.ts";
import { storeOperation } from "../src/history/operations.ts";
import { ensureSchema } from "../src/history/schema.ts";
import { OPERATION } from "../src/limits.ts";
import { endedRuns, nextPage } from "../src/operations/page.ts";
import { settingsOf } from "../src/settings.ts";
import { CountedSql } from "./counted-sql.ts";
import { isLost } from "./lost-alarm.ts";

// ---- schema

const SCHEMA = `CREATE TABLE IF NOT EXISTS operation (
  one  INTEGER NOT NULL PRIMARY KEY,       -- 1: there is one row
  body TEXT    NOT NULL                    -- JSON of the operation as it stands
)`;

export class Operation extends DurableObject<Bindings> {
  readonly #sql = new CountedSql(this.ctx.storage);
  #state: OperationState | null | undefined;

  // ---- load

  #load(): OperationState | null {
    this.#state ??= this.#read();
    return this.#state;
  }

  #read(): OperationState | null {
    if (!this.#sql.has("operation")) return null;
    const [row] = this.#sql.read<{ body: string }>("SELECT body FROM operation");
    // Only `#save` writes the text, from a value of this type.
    return row === undefined ? null : (JSON.parse(row.body) as OperationState);
  }

  // ---- methods

  /** Accepts the operation and begins it. One that exists is left alone. Resolves when it is durable and listed. */
  async begin(request: OperationRequest): Promise<OperationState> {
    counters.objectRequests++;
    const known = this.#load();
    if (known !== null) return known;
    const state = begin(request);
    this.#save(state);
    // It is accepted, whatever becomes of the list: its end is recorded in any case.
    await this.#record(state).catch((error: unknown) => this.#failed(error));
    return state;
  }

  /** The operation as it stands; null when this object holds none. */
  view(): OperationState | null {
    counters.objectRequests++;
    return this.#load();
  }

  /** Stops it; one that has ended stays as it is. Null when this object holds none. */
  stop(): OperationState | null {
    counters.objectRequests++;
    const state = this.#load();
    if (state?.status === "running") this.#save(stopped(state, Date.now()));
    return this.#load();
  }

  /** Sets the alarm again, should the platform have given it up; called by the sweep. */
  async rouse(): Promise<void> {
    counters.objectRequests++;
    const now = Date.now();
    if (isLost(await this.ctx.storage.getAlarm(), now) && this.#load() !== null) await this.#set(now);
  }

  // ---- alarm

  /** Does the next page, or what is due after the end. Never throws: the platform drops an alarm that keeps failing. */
  override async alarm(): Promise<void> {
    counters.alarms++;
    const state = this.#load();
    if (state === null) return;
    try {
      if (state.status === "running") await this.#goOn(state);
      else await this.#close(state);
    } catch (error) {
      this.#failed(error);
      this.#save(hindered(this.#load() ?? state, Date.now()));
    }
  }

  /** The next page, or a look at the runs that were started. It may be stopped meanwhile. */
  async #goOn(state: OperationState): Promise<void> {
    await ensureSchema(this.env.DB);
    if (state.watch !== null) {
      const ended = await endedRuns(this.env, state.request);
      return this.#save(watched(this.#load() ?? state, ended, Date.now(), settingsOf(this.env).retention));
    }
    const page = await nextPage(this.env, state);
    this.#save(paged(this.#load() ?? state, page, Date.now()));
  }

  /** An operation that is over leaves itself to history, and goes when its time is over. */
  async #close(state: OperationState): Promise<void> {
    const gone = (state.endedAt ?? 0) + settingsOf(this.env).retention;
    if (Date.now() >= gone) {
      this.#state = null;
      return await this.ctx.storage.deleteAll();
    }
    await this.#record(state);
    await this.#set(gone);
  }

  // ---- apply

  /** One row and the alarm, in one commit. When it is over the alarm tells history so. */
  #save(state: OperationState): void {
    this.#sql.write(SCHEMA);
    this.#sql.write("INSERT OR REPLACE INTO operation (one, body) VALUES (1, ?)", JSON.stringify(state));
    this.#state = state;
    const delay = state.status === "running" ? 0 : OPERATION.retry.first;
    void this.#set(Math.max(state.due, state.endedAt ?? 0) + delay);
  }

  async #set(at: number): Promise<void> {
    counters.rowsWritten++;
    await this.ctx.storage.setAlarm(at);
  }

  /** History has it as it stands now. */
  async #record(state: OperationState): Promise<void> {
    await ensureSchema(this.env.DB);
    await storeOperation(this.env.DB, state);
  }

  #failed(error: unknown): void {
    console.error(`operation ${this.ctx.id.name}: ${messageOf(error)}`);
  }
}
