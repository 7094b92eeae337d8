/**
 * The waits for events of one name, by the key their event must have. Owns two tables and how candidates are found; what a candidate
 * is worth is decided in `src/decide/waits`.
 * Guarantees that an event costs one look-up per indexed field and the waits found there, however many others there are (XP-19).
 */
import { keyRange, lookupKeys, placeOf } from "../../src/decide/waits/index-key.ts";
import { judge, keptEvent, type Wait } from "../../src/decide/waits/wait.ts";
import type { AcceptedEvent, EventPayload } from "../../src/events/event.ts";
import type { IndexPart } from "../../src/expressions/equality-index.ts";
import { WAITS } from "../../src/limits.ts";
import type { CountedSql } from "../counted-sql.ts";

/**
 * Two entries per wait, because rows written are the bill: by key for events, by run for everything else. None is by expiry; the sweep
 * reads all waits instead, at most once in `WAITS.sweep.every`.
 */
export const WAIT_SCHEMA = `
CREATE TABLE waits (
  index_key  TEXT    NOT NULL,
  expires_at INTEGER NOT NULL,            -- ms since 1970, like every time here
  run_id     TEXT    NOT NULL,
  step_id    TEXT    NOT NULL,
  since      INTEGER NOT NULL,
  expression TEXT,
  event      TEXT,                        -- JSON of the trigger event; NULL: not needed, or too large and the run judges
  triggers   TEXT    NOT NULL,            -- JSON array of internal ids
  PRIMARY KEY (index_key, expires_at, run_id, step_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX waits_by_run ON waits (run_id, step_id);
CREATE TABLE paths (
  path TEXT NOT NULL PRIMARY KEY          -- fields that keys are made of, as a JSON array
) WITHOUT ROWID;`;

/** The step of a run that is to hear of an event. */
export interface Target {
  readonly runId: string;
  readonly stepId: string;
  /** ms since 1970: when the wait times out. */
  readonly expiresAt: number;
}

type WaitRow = {
  expires_at: number;
  run_id: string;
  step_id: string;
  since: number;
  expression: string | null;
  event: string | null;
  triggers: string;
};

export class WaitTable {
  readonly #sql: CountedSql;
  /** The fields in use; null while not read. */
  #paths: Set<string> | null = null;

  constructor(sql: CountedSql) {
    this.#sql = sql;
  }

  /** Adds a wait under the best of its parts, unless it is here already. The caller has the transaction. */
  add(wait: Wait, parts: readonly IndexPart[]): void {
    const paths = this.#load();
    const { key, path } = placeOf(parts, paths);
    if (path !== null && !paths.has(path)) {
      this.#sql.write("INSERT INTO paths (path) VALUES (?)", path);
      paths.add(path);
    }
    this.#sql.write(
      `INSERT OR IGNORE INTO waits (index_key, expires_at, run_id, step_id, since, expression, event, triggers)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      key,
      wait.expiresAt,
      wait.runId,
      wait.stepId,
      wait.since,
      wait.expression,
      keptEvent(wait),
      JSON.stringify(wait.triggers),
    );
  }

  /**
   * The waits an event resolves at `now` (ms), and those whose runs have to judge it. The former are removed: the first match wins.
   * The caller has the transaction, in which it stores them.
   */
  take(event: AcceptedEvent, now: number): Target[] {
    const targets: Target[] = [];
    const matched: Target[] = [];
    for (const row of this.#candidates(event.payload, now)) {
      // Both texts were made by `add` from values of these types.
      const trigger = row.event === null ? null : (JSON.parse(row.event) as EventPayload);
      const triggers = JSON.parse(row.triggers) as string[];
      const verdict = judge({ since: row.since, expression: row.expression, event: trigger, triggers }, event, now);
      if (verdict === "no") continue;
      const target = { runId: row.run_id, stepId: row.step_id, expiresAt: row.expires_at };
      targets.push(target);
      if (verdict === "match") matched.push(target);
    }
    for (const { runId, stepId } of matched) this.remove(runId, stepId);
    return targets;
  }

  /** Removes a wait; none is fine. */
  remove(runId: string, stepId: string): void {
    this.#sql.write("DELETE FROM waits WHERE run_id = ? AND step_id = ?", runId, stepId);
  }

  isEmpty(): boolean {
    return this.#sql.read("SELECT 1 FROM waits LIMIT 1").length === 0;
  }

  /** When the earliest of the waits was reached, ms; null without waits. Reads them all. */
  earliest(): number | null {
    return this.#minimum("since");
  }

  /** When the next of the waits expires, ms; null without waits. Reads them all. */
  nextExpiry(): number | null {
    return this.#minimum("expires_at");
  }

  /** Removes up to `WAITS.sweep.rows` waits that have expired at `now` (ms); true when there may be more. The caller has the transaction. */
  sweep(now: number): boolean {
    const expired = this.#sql.read<{ run_id: string; step_id: string }>(
      "SELECT run_id, step_id FROM waits WHERE expires_at <= ? LIMIT ?",
      now,
      WAITS.sweep.rows,
    );
    for (const { run_id, step_id } of expired) this.remove(run_id, step_id);
    return expired.length === WAITS.sweep.rows;
  }

  /** Removes the fields that no wait is indexed by any more. */
  sweepPaths(): void {
    const paths = this.#load();
    for (const path of [...paths]) {
      const query = "SELECT 1 FROM waits WHERE index_key >= ? AND index_key < ? LIMIT 1";
      if (this.#sql.read(query, ...keyRange(path)).length > 0) continue;
      this.#sql.write("DELETE FROM paths WHERE path = ?", path);
      paths.delete(path);
    }
  }

  *#candidates(payload: EventPayload, now: number): Generator<WaitRow> {
    for (const key of lookupKeys(this.#load(), payload)) {
      yield* this.#sql.each<WaitRow>(
        `SELECT expires_at, run_id, step_id, since, expression, event, triggers FROM waits
         WHERE index_key = ? AND expires_at > ?`,
        key,
        now,
      );
    }
  }

  #minimum(column: "since" | "expires_at"): number | null {
    const [row] = this.#sql.read<{ value: number | null }>(`SELECT MIN(${column}) AS value FROM waits`);
    return row?.value ?? null;
  }

  #load(): Set<string> {
    this.#paths ??= new Set(this.#sql.read<{ path: string }>("SELECT path FROM paths").map(({ path }) => path));
    return this.#paths;
  }
}
