/**
 * Schedule: the crons of one function and the alarm of their next tick. A thin shell around `src/decide/schedule`: it is told the crons by
 * the environment's object, and publishes what is due before it notes that this is done, which may therefore happen again and has no
 * effect then. Guarantees that an alarm is set while there is a tick to come.
 */
import { DurableObject } from "cloudflare:workers";
import { catalogOf, currentCatalog } from "../src/apps/catalog.ts";
import type { Catalog } from "../src/apps/catalog-index.ts";
import type { RegisteredFunction } from "../src/apps/function.ts";
import type { Bindings } from "../src/bindings.ts";
import { counters } from "../src/counters.ts";
import {
  type CronTrigger,
  type Due,
  dueAt,
  nextDue,
  type Schedule as ScheduleState,
  settle,
  tell,
} from "../src/decide/schedule/schedule.ts";
import { activeCrons } from "../src/decide/schedule/told.ts";
import { messageOf } from "../src/errors.ts";
import { publishTick } from "../src/events/tick.ts";
import { SCHEDULE } from "../src/limits.ts";
import { scheduleNamed } from "../src/objects.ts";
import { settingsOf } from "../src/settings.ts";
import { isLost } from "./lost-alarm.ts";

// ---- schema

const SCHEMA = `CREATE TABLE IF NOT EXISTS schedule (
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  state TEXT    NOT NULL                   -- JSON: revision, and the crons with the time up to which each is done
)`;

export class Schedule extends DurableObject<Bindings> {
  readonly #environmentId: string;
  readonly #functionId: string;
  /** The stored state; undefined while not read. */
  #state: ScheduleState | null | undefined;
  /** The time the alarm is set to, as far as this instance knows. */
  #alarm: number | null = null;
  /** How often in a row something that is due could not be done. */
  #failures = 0;

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env);
    const named = scheduleNamed(ctx.id.name ?? "");
    if (named === null) throw new Error(`No schedule is kept under the name ${ctx.id.name}.`);
    this.#environmentId = named.environmentId;
    this.#functionId = named.functionId;
  }

  // ---- load

  #load(): ScheduleState | null {
    if (this.#state !== undefined) return this.#state;
    const { sql } = this.ctx.storage;
    const exists =
      sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schedule'").toArray().length > 0;
    const row = exists ? sql.exec<{ state: string }>("SELECT state FROM schedule").toArray()[0] : undefined;
    // Written by `#apply`.
    this.#state = row === undefined ? null : (JSON.parse(row.state) as ScheduleState);
    return this.#state;
  }

  // ---- methods

  /** Sets the function's crons from now on, none to stop. A message older than what is known changes nothing. Resolves when it is durable. */
  async tell(crons: readonly CronTrigger[], revision: number): Promise<void> {
    counters.objectRequests++;
    const before = this.#load();
    const state = tell(before, crons, { revision, now: Date.now() });
    if (state === before) return;
    if (state.crons.length === 0) return await this.#forget();
    this.#apply(state);
    this.#arm();
  }

  /** Sets the alarm again in case the platform gave it up or holds it back; called by the environment's patrol. */
  async wake(): Promise<void> {
    counters.objectRequests++;
    if (!isLost(await this.ctx.storage.getAlarm(), Date.now())) return;
    this.#alarm = null;
    this.#arm();
  }

  // ---- alarm

  /** Publishes what is due. Never throws: the platform drops an alarm that keeps failing. */
  override async alarm(): Promise<void> {
    counters.alarms++;
    this.#alarm = null;
    try {
      await this.#fire(Date.now());
      this.#failures = 0;
      this.#arm();
    } catch (error) {
      console.error(`schedule ${this.ctx.id.name}: a tick could not be started: ${messageOf(error)}`);
      const wait = Math.min(SCHEDULE.retry.first * 2 ** this.#failures++, SCHEDULE.retry.max);
      this.#set(Date.now() + wait);
    }
  }

  async #fire(now: number): Promise<void> {
    const state = this.#load();
    const due = state === null ? null : dueAt(state, this.#functionId, now, settingsOf(this.env).cronCatchUp);
    if (due === null) return;
    const registered = await this.#registered(due, now);
    for (const ticks of due.instants) {
      // The catalog knows of a change before this object is told, and this object before the catalog is read again.
      const tick = ticks.find(({ cron }) => hasCron(registered, cron) && this.#isTold(cron));
      if (registered === null || tick === undefined) continue;
      await publishTick(this.env, this.#environmentId, registered, tick, Date.now());
    }
    const current = this.#load();
    if (current !== null) this.#apply(settle(current, due));
  }

  /** The function as the catalog has it; read anew when it seems to know nothing of a cron that is due. Null when it is not there. */
  async #registered({ instants }: Due, now: number): Promise<RegisteredFunction | null> {
    if (instants.length === 0) return null;
    const find = (catalog: Catalog) => catalog.functionById(this.#functionId);
    const known = find(await catalogOf(this.env, this.#environmentId, now));
    if (instants.flat().every(({ cron }) => hasCron(known, cron))) return known;
    return find(await currentCatalog(this.env, this.#environmentId, now));
  }

  #isTold(cron: string): boolean {
    return this.#load()?.crons.some((told) => told.cron === cron) ?? false;
  }

  // ---- apply

  #apply(state: ScheduleState): void {
    this.ctx.storage.transactionSync(() => {
      const { sql } = this.ctx.storage;
      sql.exec(SCHEMA);
      const statement = "INSERT OR REPLACE INTO schedule (id, state) VALUES (1, ?)";
      counters.rowsWritten += sql.exec(statement, JSON.stringify(state)).rowsWritten;
    });
    this.#state = state;
  }

  /** Leaves nothing behind. */
  async #forget(): Promise<void> {
    this.#state = null;
    this.#alarm = null;
    await Promise.all([this.ctx.storage.deleteAlarm(), this.ctx.storage.deleteAll()]);
  }

  /** An alarm that is set too early only wakes for nothing; each move is a written row. */
  #arm(): void {
    const state = this.#load();
    const due = state === null ? null : nextDue(state, this.#functionId);
    if (due !== null && (this.#alarm === null || due < this.#alarm)) this.#set(due);
  }

  // Not awaited, so that it belongs to the same commit as what was written before it.
  #set(at: number): void {
    this.#alarm = at;
    counters.rowsWritten++;
    void this.ctx.storage.setAlarm(at);
  }
}

function hasCron(registered: RegisteredFunction | null, cron: string): boolean {
  return registered !== null && activeCrons(registered).some((active) => active.cron === cron);
}
