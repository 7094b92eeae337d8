/**
 * A line on disk: one row per run and line, one for the line itself where it is needed, one per function whose limit has changed. Owns the
 * tables and their encoding; knows nothing of what they mean.
 * Guarantees that a run which nobody makes wait costs one row when it comes and one when it goes.
 */
import type { LineLimit, LineRef } from "../../src/decide/capacity/line.ts";
import type { Entry } from "../../src/decide/capacity/member.ts";
import type { Changes } from "../../src/decide/capacity/roster.ts";
import type { StoredStarts } from "../../src/decide/capacity/starts.ts";
import type { StoredLine } from "../../src/decide/capacity/waiting-line.ts";
import type { CountedSql } from "../counted-sql.ts";

/**
 * Times are ms since 1970. No index: everything is read at once, and only then. Statements name their columns, because a later version, from
 * which a deployment was rolled back, may have added one.
 */
const SCHEMAS = {
  members: `
CREATE TABLE members (
  environment_id TEXT    NOT NULL,
  run_id         TEXT    NOT NULL,
  function_id    TEXT    NOT NULL,
  sequence       INTEGER NOT NULL,          -- the fence
  stamp          INTEGER NOT NULL,
  held           INTEGER NOT NULL,
  wants          INTEGER NOT NULL,
  held_since     INTEGER NOT NULL,
  waits_since    INTEGER NOT NULL,
  owed           INTEGER NOT NULL,
  rank           INTEGER NOT NULL,          -- the place
  score          REAL    NOT NULL,
  tie            TEXT    NOT NULL,
  version        INTEGER NOT NULL,          -- the limit
  units          INTEGER NOT NULL,
  period         INTEGER NOT NULL,
  burst          INTEGER NOT NULL,
  PRIMARY KEY (environment_id, run_id)
) WITHOUT ROWID;`,
  limits: `
CREATE TABLE limits (
  function_id TEXT    NOT NULL PRIMARY KEY,
  version     INTEGER NOT NULL,
  units       INTEGER NOT NULL,
  period      INTEGER NOT NULL,
  burst       INTEGER NOT NULL
) WITHOUT ROWID;`,
  line: `
CREATE TABLE line (
  id     INTEGER PRIMARY KEY CHECK (id = 1),
  ref    TEXT,                              -- JSON; NULL while nobody ever waited
  listed TEXT NOT NULL,                     -- JSON: ids of functions whose directory lists the line, each with its environment
  starts TEXT                               -- JSON; NULL where no starts are given out
);`,
} as const;

type MemberRow = {
  environment_id: string;
  run_id: string;
  function_id: string;
  sequence: number;
  stamp: number;
  held: number;
  wants: number;
  held_since: number;
  waits_since: number;
  owed: number;
  rank: number;
  score: number;
  tie: string;
} & LimitColumns;
type LimitColumns = { version: number; units: number; period: number; burst: number };
type LimitRow = { function_id: string } & LimitColumns;
type LineRow = { ref: string | null; listed: string; starts: string | null };

/** The line's own row. */
export interface LineMark {
  /** What the line is; null while nobody ever waited. */
  readonly ref: LineRef | null;
  /** Functions whose directory lists it, each with its environment. */
  readonly listed: ReadonlyMap<string, string>;
}

const UNMARKED: LineMark = { ref: null, listed: new Map() };

export class LineStore {
  readonly #sql: CountedSql;
  readonly #tables: Set<string>;
  #mark: LineMark = UNMARKED;
  #starts: StoredStarts | null = null;

  constructor(sql: CountedSql) {
    this.#sql = sql;
    const query = "SELECT name FROM sqlite_master WHERE type = 'table'";
    this.#tables = new Set(sql.read<{ name: string }>(query).map(({ name }) => name));
    const [row] = this.#has("line") ? sql.read<LineRow>("SELECT ref, listed, starts FROM line") : [];
    if (row === undefined) return;
    // Texts that this file has written.
    this.#mark = { ref: row.ref === null ? null : JSON.parse(row.ref), listed: new Map(JSON.parse(row.listed)) };
    this.#starts = row.starts === null ? null : JSON.parse(row.starts);
  }

  get mark(): LineMark {
    return this.#mark;
  }

  /** Everything but the mark. */
  load(): StoredLine {
    const limits = this.#has("limits") ? this.#sql.read<LimitRow>("SELECT * FROM limits") : [];
    return {
      entries: this.#has("members") ? this.#sql.read<MemberRow>("SELECT * FROM members").map(entryOf) : [],
      limits: new Map(limits.map((row) => [row.function_id, limitOf(row)])),
      starts: this.#starts,
    };
  }

  /** Stores what has changed; the caller has the transaction. */
  save({ gone, put, forgotten, limits, starts }: Changes & { readonly starts: StoredStarts | null }): void {
    for (const { environmentId, runId } of gone) {
      this.#sql.write("DELETE FROM members WHERE environment_id = ? AND run_id = ?", environmentId, runId);
    }
    for (const member of put) this.#put(member);
    for (const functionId of forgotten) this.#sql.write("DELETE FROM limits WHERE function_id = ?", functionId);
    for (const { functionId, limit } of limits) {
      this.#make("limits");
      const values = [functionId, limit.version, limit.limit, limit.period, limit.burst];
      const columns = "function_id, version, units, period, burst";
      this.#sql.write(`INSERT OR REPLACE INTO limits (${columns}) VALUES (?, ?, ?, ?, ?)`, ...values);
    }
    if (starts === null) return;
    this.#starts = starts;
    this.#putLine();
  }

  /** Stores the line's own row; the same one again is not written. */
  saveMark(mark: LineMark): void {
    if (mark === this.#mark) return;
    this.#mark = mark;
    this.#putLine();
  }

  #put(member: Entry): void {
    this.#make("members");
    const { fence, place, limit } = member;
    this.#sql.write(
      `INSERT OR REPLACE INTO members (environment_id, run_id, function_id, sequence, stamp, held, wants, held_since, waits_since, owed,
         rank, score, tie, version, units, period, burst)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      member.environmentId,
      member.runId,
      member.functionId,
      fence.sequence,
      fence.stamp,
      member.held,
      member.wants,
      member.heldSince,
      member.waitsSince,
      member.owed ? 1 : 0,
      place.rank,
      place.score,
      place.tie,
      limit.version,
      limit.limit,
      limit.period,
      limit.burst,
    );
  }

  #putLine(): void {
    this.#make("line");
    const { ref, listed } = this.#mark;
    this.#sql.write(
      "INSERT OR REPLACE INTO line (id, ref, listed, starts) VALUES (1, ?, ?, ?)",
      ref === null ? null : JSON.stringify(ref),
      JSON.stringify([...listed]),
      this.#starts === null ? null : JSON.stringify(this.#starts),
    );
  }

  #has(table: keyof typeof SCHEMAS): boolean {
    return this.#tables.has(table);
  }

  #make(table: keyof typeof SCHEMAS): void {
    if (this.#tables.has(table)) return;
    this.#sql.write(SCHEMAS[table]);
    this.#tables.add(table);
  }
}

function entryOf(row: MemberRow): Entry {
  return {
    environmentId: row.environment_id,
    runId: row.run_id,
    functionId: row.function_id,
    fence: { sequence: row.sequence, stamp: row.stamp },
    held: row.held,
    wants: row.wants,
    heldSince: row.held_since,
    waitsSince: row.waits_since,
    owed: row.owed === 1,
    place: { rank: row.rank, score: row.score, tie: row.tie },
    limit: limitOf(row),
  };
}

function limitOf({ version, units, period, burst }: LimitColumns): LineLimit {
  return { version, limit: units, period, burst };
}
