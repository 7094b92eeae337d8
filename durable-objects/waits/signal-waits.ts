/**
 * The waits for one signal (EX-48, EX-49): which run has the name, and the data on its way to it. A thin shell around
 * `src/decide/waits/signal.ts`. Guarantees that a signal that was answered with a run's id reaches that run.
 */
import {
  claimSignal,
  receiverOf,
  type SignalClaim,
  type SignalState,
  type SignalWait,
} from "../../src/decide/waits/signal.ts";
import type { Json } from "../../src/json.ts";
import { WAITS } from "../../src/limits.ts";
import { runStub } from "../../src/objects.ts";
import { CountedSql } from "../counted-sql.ts";
import type { Part, PartContext } from "./part.ts";
import { Telling } from "./telling.ts";

const SCHEMA = `
CREATE TABLE IF NOT EXISTS signal_waits (
  run_id     TEXT    NOT NULL,
  step_id    TEXT    NOT NULL,
  state      TEXT    NOT NULL,            -- waiting, replaced, sent, told
  expires_at INTEGER NOT NULL,            -- ms since 1970
  data       TEXT,                        -- JSON of what was sent, until the run has it
  PRIMARY KEY (run_id, step_id)
) WITHOUT ROWID;`;

type SignalRow = { run_id: string; step_id: string; state: string; expires_at: number };

export class SignalWaits implements Part {
  readonly #context: PartContext;
  readonly #sql: CountedSql;
  readonly #telling = new Telling();
  #delivering = false;

  constructor(context: PartContext) {
    this.#context = context;
    this.#sql = new CountedSql(context.storage);
  }

  // methods

  /** Registers a wait; true when another run waits and keeps the name. Registering again changes nothing. */
  register(claim: SignalClaim): boolean {
    const now = Date.now();
    const decision = claimSignal(this.#known(), claim, now);
    if (decision.kind !== "registered") return decision.kind === "conflict";
    const { runId, stepId, expiresAt } = claim;
    this.#sql.transaction(() => {
      this.#sql.write(SCHEMA);
      if (decision.replaced !== null) this.#remember(decision.replaced, "replaced", null, now);
      this.#sql.write(
        "INSERT INTO signal_waits (run_id, step_id, state, expires_at) VALUES (?, ?, 'waiting', ?)",
        runId,
        stepId,
        expiresAt,
      );
    });
    this.#context.arm();
    return false;
  }

  /** Sends the signal to the run that waits for it and gives that run's id; null when nobody waits, and nothing is stored. */
  send(data: Json): string | null {
    const now = Date.now();
    const receiver = receiverOf(this.#known(), now);
    if (receiver === null) return null;
    this.#remember(receiver, "sent", JSON.stringify(data), now);
    this.#context.arm();
    this.#context.inBackground(this.#deliver());
    return receiver.runId;
  }

  /** Removes waits that nobody needs any more. */
  forget(runId: string, stepIds: readonly string[]): void {
    if (this.#known().length === 0) return;
    for (const stepId of stepIds) {
      this.#sql.write("DELETE FROM signal_waits WHERE run_id = ? AND step_id = ? AND state = 'waiting'", runId, stepId);
    }
    this.#context.arm();
  }

  // alarm

  due(now: number): number | null {
    const known = this.#known();
    if (known.length === 0) return null;
    const sent = known.some(({ state }) => state === "sent");
    const retry = sent ? this.#telling.retryAt(now) : Number.POSITIVE_INFINITY;
    return Math.min(retry, ...known.map(({ expiresAt }) => expiresAt));
  }

  async wake(now: number): Promise<void> {
    if (this.#known().length === 0) return;
    if (this.#telling.isDue(now)) {
      await this.#deliver();
      this.#telling.tried(!this.#known().some(({ state }) => state === "sent"));
    }
    this.#sql.write("DELETE FROM signal_waits WHERE expires_at <= ?", now);
    if (this.#known().length === 0) await this.#context.storage.deleteAll();
  }

  // apply

  async #deliver(): Promise<void> {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (let sent = this.#sent(); sent.length > 0; sent = this.#sent()) {
        const failed = await this.#telling.all(sent, (wait) => this.#tell(wait));
        if (failed.length > 0) return;
      }
    } finally {
      this.#delivering = false;
    }
  }

  async #tell(wait: SignalWait): Promise<void> {
    const { bindings, environmentId, name } = this.#context;
    const query = "SELECT data FROM signal_waits WHERE run_id = ? AND step_id = ?";
    const [row] = this.#sql.read<{ data: string | null }>(query, wait.runId, wait.stepId);
    // Made by `send` from a JSON value.
    const data = JSON.parse(row?.data ?? "null") as Json;
    await runStub(bindings, environmentId, wait.runId).resolve(wait.stepId, { data: { signal: name, data } });
    this.#remember(wait, "told", null, Date.now());
  }

  /** What is no longer waiting is remembered for a while, so that a repeated registration is recognised. */
  #remember({ runId, stepId, expiresAt }: SignalWait, state: SignalState, data: string | null, now: number): void {
    this.#sql.write(
      "UPDATE signal_waits SET state = ?, expires_at = ?, data = ? WHERE run_id = ? AND step_id = ?",
      state,
      Math.max(expiresAt, now + WAITS.remembered),
      data,
      runId,
      stepId,
    );
  }

  #sent(): SignalWait[] {
    return this.#known().filter(({ state }) => state === "sent");
  }

  #known(): SignalWait[] {
    if (!this.#sql.has("signal_waits")) return [];
    const rows = this.#sql.read<SignalRow>("SELECT run_id, step_id, state, expires_at FROM signal_waits");
    return rows.map((row) => ({
      runId: row.run_id,
      stepId: row.step_id,
      // Only this file writes states.
      state: row.state as SignalState,
      expiresAt: row.expires_at,
    }));
  }
}
