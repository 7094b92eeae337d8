/**
 * Pause: what the runs of one function still have to hear of its pauses. A thin shell around `src/decide/pause`. The pauses themselves are
 * in the catalog; this object is told that one may have begun or ended, looks, and tells the runs, page by page.
 * Guarantees that a change it was warned of reaches the runs, whatever happens to whoever made it, and that an alarm is set until it has.
 */
import { DurableObject } from "cloudflare:workers";
import { readPause } from "../src/apps/pauses.ts";
import type { Bindings } from "../src/bindings.ts";
import { counters } from "../src/counters.ts";
import {
  dueTelling,
  hindered,
  learn,
  NO_PAUSES,
  nextDue,
  type PauseLog,
  paged,
  watch,
} from "../src/decide/pause/telling.ts";
import { messageOf } from "../src/errors.ts";
import { ensureSchema } from "../src/history/schema.ts";
import { PAUSE } from "../src/limits.ts";
import { pauseNamed } from "../src/objects.ts";
import { tellPage } from "../src/operations/tell-paused.ts";
import { CountedSql } from "./counted-sql.ts";
import { isLost } from "./lost-alarm.ts";

// ---- schema

const SCHEMA = `CREATE TABLE IF NOT EXISTS pauses (
  id  INTEGER PRIMARY KEY CHECK (id = 1),
  log TEXT    NOT NULL                     -- JSON: what is being told, what was told last, when to look again
)`;

export class Pause extends DurableObject<Bindings> {
  readonly #sql = new CountedSql(this.ctx.storage);
  readonly #function: { readonly environmentId: string; readonly functionId: string };
  #log: PauseLog | undefined;

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env);
    const named = pauseNamed(ctx.id.name ?? "");
    if (named === null) throw new Error(`No pauses are kept under the name ${ctx.id.name}.`);
    this.#function = named;
  }

  // ---- load

  #load(): PauseLog {
    this.#log ??= this.#read();
    return this.#log;
  }

  #read(): PauseLog {
    if (!this.#sql.has("pauses")) return NO_PAUSES;
    const [row] = this.#sql.read<{ log: string }>("SELECT log FROM pauses");
    // Only `#apply` writes the text, from a value of this type.
    return row === undefined ? NO_PAUSES : (JSON.parse(row.log) as PauseLog);
  }

  // ---- methods

  /** Somebody is about to pause or resume the function. Resolves when this object will look, even if nobody calls again. */
  async watch(): Promise<void> {
    counters.objectRequests++;
    await this.#apply(watch(this.#load(), Date.now()));
  }

  /** The function was paused or resumed, or may have been. Resolves when its runs are certain to hear of it. */
  async look(): Promise<void> {
    counters.objectRequests++;
    await this.#apply(await this.#learned());
  }

  /** Sets the alarm again, should the platform have given it up; called by the sweep. */
  async rouse(): Promise<void> {
    counters.objectRequests++;
    if (isLost(await this.ctx.storage.getAlarm(), Date.now())) await this.#arm(this.#load());
  }

  // ---- alarm

  /** Looks or tells, whatever is due. Never throws: the platform drops an alarm that keeps failing. */
  override async alarm(): Promise<void> {
    counters.alarms++;
    const before = this.#load();
    try {
      if (before.look !== null && before.look <= Date.now()) this.#log = await this.#learned();
      await this.#tell();
    } catch (error) {
      console.error(`pause ${this.ctx.id.name}: ${messageOf(error)}`);
      this.#log = hindered(this.#load(), Date.now());
    }
    if (this.#load() !== before) await this.#apply(this.#load());
  }

  async #learned(): Promise<PauseLog> {
    const { environmentId, functionId } = this.#function;
    await ensureSchema(this.env.DB);
    const pause = await readPause(this.env.DB, environmentId, functionId);
    return learn(this.#load(), pause, Date.now());
  }

  /** Page after page while there is one due; what a crash forgets of it is told again. */
  async #tell(): Promise<void> {
    await ensureSchema(this.env.DB);
    for (const until = Date.now() + PAUSE.round; Date.now() < until; ) {
      const telling = dueTelling(this.#load(), Date.now());
      if (telling === null) return;
      const { cursor, failed } = await tellPage(this.env, this.#function, telling);
      const log = this.#load();
      const again = failed > 0 && log.failures < PAUSE.retry.times;
      this.#log = again ? hindered(log, Date.now()) : paged(log, telling, cursor, Date.now());
    }
  }

  // ---- apply

  /** One row and the alarm, in one commit. */
  async #apply(log: PauseLog): Promise<void> {
    this.#sql.transaction(() => {
      this.#sql.write(SCHEMA);
      this.#sql.write("INSERT OR REPLACE INTO pauses (id, log) VALUES (1, ?)", JSON.stringify(log));
    });
    this.#log = log;
    await this.#arm(log);
  }

  async #arm(log: PauseLog): Promise<void> {
    const due = nextDue(log);
    if (due === null) return;
    counters.rowsWritten++;
    await this.ctx.storage.setAlarm(due);
  }
}
