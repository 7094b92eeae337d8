/**
 * Environment: the durable list of what an environment still has to fan out. A chunk is here from the moment its events are
 * accepted until its runs are started (EV-8); queue messages are only nudges and may be lost or doubled.
 * Knows no events and starts no runs: the queue's consumer does, and reports with `done`. It also tells the schedules of functions which
 * crons they have (`environment/schedules.ts`), and is where the minute's sweep happens (`src/sweep`, `environment/retention.ts`).
 */
import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../src/bindings.ts";
import { counters } from "../src/counters.ts";
import { messageOf } from "../src/errors.ts";
import { type Chunk, resendAt } from "../src/events/chunk.ts";
import type { FanoutMessage } from "../src/events/fanout.ts";
import { ensureSchema } from "../src/history/schema.ts";
import { FANOUT } from "../src/limits.ts";
import { rouseOverdue } from "../src/sweep/overdue.ts";
import { patrol } from "../src/sweep/patrol.ts";
import { Retention } from "./environment/retention.ts";
import { Schedules } from "./environment/schedules.ts";

// ---- schema

const SCHEMA = `CREATE TABLE IF NOT EXISTS chunks (
  id        TEXT    NOT NULL PRIMARY KEY,
  event_ids TEXT    NOT NULL,             -- internal ids, separated by commas
  attempt   INTEGER NOT NULL,             -- how often it was sent again
  due       INTEGER NOT NULL              -- when it is sent again, ms since 1970
) WITHOUT ROWID`;

type ChunkRow = { id: string; event_ids: string; attempt: number; due: number };

export class Environment extends DurableObject<Bindings> {
  /** The alarm as this instance set it; null when it set none since it was loaded. */
  #armed: number | null = null;
  readonly #schedules = new Schedules(this.ctx.storage, this.#id());
  readonly #retention = new Retention(this.ctx.storage, this.#id());
  /** The sweep under way. */
  #sweeping: Promise<void> | null = null;

  // ---- load

  #id(): string {
    const environmentId = this.ctx.id.name;
    if (environmentId === undefined) throw new Error("An environment's object is always addressed by name.");
    return environmentId;
  }

  #chunks(dueBy: number): ChunkRow[] {
    this.ctx.storage.sql.exec(SCHEMA);
    return this.ctx.storage.sql.exec<ChunkRow>("SELECT * FROM chunks WHERE due <= ? ORDER BY due", dueBy).toArray();
  }

  // ---- methods

  /**
   * Takes responsibility for chunks: once this resolves, their events are fanned out whatever happens. Registering a chunk that is
   * already here changes nothing.
   */
  async register(chunks: readonly Chunk[]): Promise<void> {
    counters.objectRequests++;
    const due = resendAt(Date.now(), 0);
    this.ctx.storage.transactionSync(() => {
      this.ctx.storage.sql.exec(SCHEMA);
      for (const { id, eventIds } of chunks) {
        this.#write(
          "INSERT OR IGNORE INTO chunks (id, event_ids, attempt, due) VALUES (?, ?, 0, ?)",
          id,
          eventIds.join(","),
          due,
        );
      }
    });
    this.#arm();
    await this.#send(chunks);
  }

  /** All runs of the chunk are started and its other events are in history. */
  done(chunkId: string): void {
    counters.objectRequests++;
    this.ctx.storage.sql.exec(SCHEMA);
    this.#write("DELETE FROM chunks WHERE id = ?", chunkId);
  }

  /** Resolves when this object can read its storage and has nothing left to write (API-27); writes nothing. */
  async alive(): Promise<void> {
    counters.objectRequests++;
    this.ctx.storage.sql.exec("SELECT 1").one();
    await this.ctx.storage.sync();
  }

  /** How many chunks are not done yet. */
  pending(): number {
    return this.#chunks(Number.MAX_SAFE_INTEGER).length;
  }

  /** Sets the schedules of all functions as the catalog says now (TR-14). Throws when not all of them could be told; asking again does it. */
  async reschedule(): Promise<void> {
    counters.objectRequests++;
    await this.#schedules.reconcile(this.env);
  }

  /**
   * Looks after everything whose alarm the platform may have given up, completes syncs that died before they reached every schedule, and
   * removes what is past its retention; called once a minute from the cron trigger. What fails keeps nothing else from being done, and is
   * thrown at the end. A sweep that takes longer than a minute is not joined by another.
   */
  async sweep(): Promise<void> {
    counters.objectRequests++;
    this.#sweeping ??= this.#sweep().finally(() => {
      this.#sweeping = null;
    });
    await this.#sweeping;
  }

  async #sweep(): Promise<void> {
    this.#armed = null;
    this.#arm();
    const failures: unknown[] = [];
    for (const part of [
      () => ensureSchema(this.env.DB),
      () => this.#schedules.reconcile(this.env),
      () => this.#schedules.patrol(this.env, Date.now()),
      () => rouseOverdue(this.env, this.#id()),
      () => patrol(this.env, this.#id(), Date.now()),
      () => this.#retention.prune(this.env),
    ]) {
      await part().catch((error: unknown) => {
        console.error(`sweep: ${messageOf(error)}`);
        failures.push(error);
      });
    }
    if (failures.length > 0) throw failures[0];
  }

  // ---- alarm

  /** Sends again what is due. Never throws and always leaves an alarm while there are chunks. */
  override async alarm(): Promise<void> {
    counters.alarms++;
    this.#armed = null;
    try {
      const due = this.#postpone(Date.now());
      this.#arm();
      await this.#send(due);
    } catch (error) {
      console.error("Pending chunks could not be sent again:", messageOf(error));
      await this.ctx.storage.setAlarm(Date.now() + FANOUT.retry);
    }
  }

  // ---- apply

  /** Takes the chunks due at `now` and moves each to its next time, in one commit. */
  #postpone(now: number): Chunk[] {
    return this.ctx.storage.transactionSync(() => {
      const rows = this.#chunks(now);
      for (const { id, attempt } of rows) {
        const due = resendAt(now, attempt + 1);
        this.#write("UPDATE chunks SET attempt = ?, due = ? WHERE id = ?", attempt + 1, due, id);
      }
      return rows.map((row) => ({ id: row.id, eventIds: row.event_ids.split(","), attempt: row.attempt + 1 }));
    });
  }

  /** Sets the alarm to the earliest due chunk, in the same commit as what was written before; without chunks leaves it alone. */
  #arm(): void {
    const { sql } = this.ctx.storage;
    sql.exec(SCHEMA);
    const { due } = sql.exec<{ due: number | null }>("SELECT MIN(due) AS due FROM chunks").one();
    if (due === null || due === this.#armed) return;
    this.#armed = due;
    counters.rowsWritten++;
    void this.ctx.storage.setAlarm(due);
  }

  #write(statement: string, ...values: (string | number)[]): void {
    counters.rowsWritten += this.ctx.storage.sql.exec(statement, ...values).rowsWritten;
  }

  async #send(chunks: readonly Chunk[]): Promise<void> {
    const environmentId = this.#id();
    const messages = chunks.map(({ id, eventIds, attempt }): { body: FanoutMessage } => ({
      body: { environmentId, chunkId: id, eventIds, ...(attempt === undefined ? {} : { attempt }) },
    }));
    for (let i = 0; i < messages.length; i += FANOUT.messages) {
      try {
        const some = messages.slice(i, i + FANOUT.messages);
        await this.env.FANOUT.sendBatch(some);
        counters.queueMessages += some.length;
      } catch (error) {
        // The chunks are stored; the alarm sends them again.
        console.error("The fan-out queue took no message:", messageOf(error));
      }
    }
  }
}
