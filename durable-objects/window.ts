/**
 * Window: what must be remembered for a limited time about one key. Today that is the claim on one sender's event id (EV-15).
 * Decides nothing itself (src/decide/window); guarantees that an answer is given only when its decision is stored, and that
 * nothing of the object is left when its time is over.
 */
import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../src/bindings.ts";
import { counters } from "../src/counters.ts";
import { type Claim, claimId, type Standing, settleClaim } from "../src/decide/window/claim.ts";
import { messageOf } from "../src/errors.ts";
import { FANOUT } from "../src/limits.ts";

// ---- schema

const SCHEMA = `CREATE TABLE IF NOT EXISTS claim (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  owner      TEXT    NOT NULL,
  holder     TEXT    NOT NULL,
  held_at    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  settled    INTEGER NOT NULL
)`;

type ClaimRow = { owner: string; holder: string; held_at: number; expires_at: number; settled: number };

export class Window extends DurableObject<Bindings> {
  /** The stored claim; undefined while not read. */
  #claim: Claim | null | undefined;
  /** Wakes each claimant that waits for the first event's starts. */
  readonly #waiting = new Set<() => void>();

  // ---- load

  #load(): Claim | null {
    if (this.#claim !== undefined) return this.#claim;
    const { sql } = this.ctx.storage;
    const exists = sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'claim'").toArray().length > 0;
    const row = exists ? sql.exec<ClaimRow>("SELECT * FROM claim").toArray()[0] : undefined;
    this.#claim =
      row === undefined
        ? null
        : {
            owner: row.owner,
            holder: row.holder,
            heldAt: row.held_at,
            expiresAt: row.expires_at,
            settled: row.settled === 1,
          };
    return this.#claim;
  }

  // ---- methods

  /**
   * Claims the id for an event (internal id) and says where it stands. Answers late, by at most `EVENT.claimGrace`, while the first
   * event with the id is still being started: only then is it known whether there is anything left to do.
   */
  async claim(internalId: string): Promise<Standing> {
    counters.objectRequests++;
    let now = Date.now();
    for (;;) {
      const { claim, answer } = claimId(this.#load(), internalId, now);
      this.#apply(claim);
      if (answer.standing !== "wait") return answer;
      await this.#settledOrAfter(answer.until - now);
      now = Math.max(Date.now(), answer.until);
    }
  }

  /** The runs of the event that claimed the id are durable: from now on every other event with it is a duplicate. */
  settle(internalId: string): void {
    counters.objectRequests++;
    const current = this.#load();
    const settled = settleClaim(current, internalId);
    if (settled === null || settled === current) return;
    this.#apply(settled);
    for (const wake of [...this.#waiting]) wake();
  }

  #settledOrAfter(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#waiting.add(wake);
    });
  }

  // ---- alarm

  /** Forgets the claim when it has expired. Never throws: the platform drops an alarm that keeps failing. */
  override async alarm(): Promise<void> {
    counters.alarms++;
    try {
      const claim = this.#load();
      if (claim !== null && Date.now() < claim.expiresAt) {
        await this.ctx.storage.setAlarm(claim.expiresAt);
        return;
      }
      this.#claim = undefined;
      await this.ctx.storage.deleteAll();
    } catch (error) {
      console.error("A window could not be cleared and will be tried again:", messageOf(error));
      await this.ctx.storage.setAlarm(Date.now() + FANOUT.retry);
    }
  }

  // ---- apply

  /** Stores a decision: one commit, together with the alarm when the claim is a new one. */
  #apply(claim: Claim): void {
    const before = this.#claim ?? null;
    if (claim === before) return;
    this.ctx.storage.transactionSync(() => {
      this.ctx.storage.sql.exec(SCHEMA);
      const { rowsWritten } = this.ctx.storage.sql.exec(
        "INSERT OR REPLACE INTO claim (id, owner, holder, held_at, expires_at, settled) VALUES (1, ?, ?, ?, ?, ?)",
        claim.owner,
        claim.holder,
        claim.heldAt,
        claim.expiresAt,
        claim.settled ? 1 : 0,
      );
      counters.rowsWritten += rowsWritten;
    });
    // Not awaited, so that it belongs to the same commit; the reply is held back until both are durable.
    if (claim.expiresAt !== before?.expiresAt) {
      counters.rowsWritten++;
      void this.ctx.storage.setAlarm(claim.expiresAt);
    }
    this.#claim = claim;
  }
}
