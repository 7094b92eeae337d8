/**
 * The starts that passed a rate limit or an idempotency key of one function and value (FC-19 … FC-21): one row each, because a start that
 * is asked about again takes no second token. A thin shell around `src/decide/window/rate-limit.ts`.
 */
import type { Tat } from "../../src/decide/gcra.ts";
import { forgetAt, type Pass, passRateLimit, type RateLimit } from "../../src/decide/window/rate-limit.ts";
import { WINDOW } from "../../src/limits.ts";
import { CountedSql } from "../counted-sql.ts";
import type { Part, PartContext } from "./part.ts";

/** One entry per pass, because rows written are the bill. */
const SCHEMA = `CREATE TABLE IF NOT EXISTS passes (
  id        TEXT    NOT NULL PRIMARY KEY,
  passed_at INTEGER NOT NULL,             -- ms since 1970
  tat_at    INTEGER NOT NULL,             -- the debt after it
  tat_part  INTEGER NOT NULL
) WITHOUT ROWID;`;

type PassRow = { passed_at: number; tat_at: number; tat_part: number };

export class RateLimitWindow implements Part {
  readonly #context: PartContext;
  readonly #sql: CountedSql;
  /** The debt of the newest pass, null without passes; undefined while not read. */
  #debt: Tat | null | undefined;
  /** This instance knows that the alarm is set. */
  #armed = false;

  constructor(context: PartContext) {
    this.#context = context;
    this.#sql = new CountedSql(context.storage);
  }

  // methods

  /** Whether the start with this id passes, of an event that came at `at` (ms). The same id always gets the same answer. */
  pass(id: string, at: number, limit: RateLimit): boolean {
    const debt = this.#load();
    if (debt !== null && this.#sql.read("SELECT 1 FROM passes WHERE id = ?", id).length > 0) return true;
    const pass = passRateLimit(debt, { at, now: Date.now() }, limit);
    if (pass === null) return false;
    this.#sql.transaction(() => {
      if (debt === null) this.#sql.write(SCHEMA);
      const { passedAt, tat } = pass;
      // The debt was given up, because the clock was set back or the limit was changed.
      if (debt !== null && tat.at < debt.at) this.#sql.write("UPDATE passes SET tat_at = 0, tat_part = 0");
      const insert = "INSERT INTO passes (id, passed_at, tat_at, tat_part) VALUES (?, ?, ?, ?)";
      this.#sql.write(insert, id, passedAt, tat.at, tat.part);
    });
    // Later passes are seen to by the alarm of the first.
    if (debt === null) this.#context.setAlarm(forgetAt(pass));
    else if (!this.#armed) void this.#rearm();
    this.#armed = true;
    this.#debt = pass.tat;
    return true;
  }

  /** No list leads to this object: should the platform have given up its alarm, a key in use notices it itself. */
  async #rearm(): Promise<void> {
    if ((await this.#context.storage.getAlarm()) === null) this.#context.setAlarm(Date.now() + WINDOW.remembered);
  }

  // alarm

  /** Forgets the passes that are over. */
  async wake(now: number): Promise<void> {
    const passes = this.#load() === null ? [] : this.#all();
    const next = Math.min(...passes.map(forgetAt).filter((at) => at > now));
    if (next === Number.POSITIVE_INFINITY) {
      this.#debt = undefined;
      return await this.#context.storage.deleteAll();
    }
    this.#sql.write("DELETE FROM passes WHERE passed_at <= ? AND tat_at < ?", now - WINDOW.remembered, now);
    // Not for every single pass: they may be many.
    this.#context.setAlarm(Math.max(next, now + WINDOW.remembered));
  }

  // load

  #load(): Tat | null {
    if (this.#debt === undefined) {
      const [newest] = this.#sql.has("passes") ? this.#all().sort((a, b) => compare(b.tat, a.tat)) : [];
      this.#debt = newest?.tat ?? null;
    }
    return this.#debt;
  }

  #all(): Pass[] {
    return this.#sql
      .read<PassRow>("SELECT passed_at, tat_at, tat_part FROM passes")
      .map(({ passed_at, tat_at, tat_part }) => ({ passedAt: passed_at, tat: { at: tat_at, part: tat_part } }));
  }
}

function compare(a: Tat, b: Tat): number {
  return a.at - b.at || a.part - b.part;
}
