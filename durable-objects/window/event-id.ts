/**
 * The claim on one sender's event id (EV-15), or on the id of a request (CR-28). A thin shell around `src/decide/window/claim.ts`.
 * Guarantees that an answer is given only when its decision is stored.
 */
import { type Claim, type ClaimAnswer, claimId, type Standing, settleClaim } from "../../src/decide/window/claim.ts";
import { CountedSql } from "../counted-sql.ts";
import type { Part, PartContext } from "./part.ts";

const SCHEMA = `CREATE TABLE IF NOT EXISTS claim (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  owner      TEXT    NOT NULL,
  holder     TEXT    NOT NULL,
  held_at    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  settled    INTEGER NOT NULL
);`;

type ClaimRow = { owner: string; holder: string; held_at: number; expires_at: number; settled: number };

export class EventIdWindow implements Part {
  readonly #context: PartContext;
  readonly #sql: CountedSql;
  /** The stored claim; undefined while not read. */
  #claim: Claim | null | undefined;
  /** Wakes each claimant that waits for the first event's starts. */
  readonly #waiting = new Set<() => void>();

  constructor(context: PartContext) {
    this.#context = context;
    this.#sql = new CountedSql(context.storage);
  }

  // methods

  /** Claims the id for an event at `now` (ms). */
  ask(internalId: string, now: number): ClaimAnswer {
    const { claim, answer } = claimId(this.#load(), internalId, now);
    this.#save(claim);
    return answer;
  }

  /** Claims the id and waits, while the first event with it is still being started, for at most the grace. */
  async claim(internalId: string): Promise<Standing> {
    let now = Date.now();
    for (;;) {
      const answer = this.ask(internalId, now);
      if (answer.standing !== "wait") return answer;
      await this.#settledOrAfter(answer.until - now);
      now = Math.max(Date.now(), answer.until);
    }
  }

  /** Claims the id at `now` (ms) for something that may be done twice: whoever comes later does the same again, under the first one's id. */
  first(id: string, now: number): string {
    const current = this.#load();
    if (current !== null && now < current.expiresAt) return current.owner;
    const { claim } = claimId(current, id, now);
    this.#save(claim);
    return claim.owner;
  }

  /** The runs of the event that claimed the id are durable. */
  settle(internalId: string): void {
    const current = this.#load();
    const settled = settleClaim(current, internalId);
    if (settled === null || settled === current) return;
    this.#save(settled);
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

  // alarm

  /** Forgets the claim when it has expired. */
  async wake(now: number): Promise<void> {
    const claim = this.#load();
    if (claim !== null && now < claim.expiresAt) return this.#context.setAlarm(claim.expiresAt);
    this.#claim = undefined;
    await this.#context.storage.deleteAll();
  }

  // apply

  #load(): Claim | null {
    if (this.#claim === undefined) this.#claim = this.#read();
    return this.#claim;
  }

  #read(): Claim | null {
    const [row] = this.#sql.has("claim") ? this.#sql.read<ClaimRow>("SELECT * FROM claim") : [];
    if (row === undefined) return null;
    const { owner, holder, held_at: heldAt, expires_at: expiresAt, settled } = row;
    return { owner, holder, heldAt, expiresAt, settled: settled === 1 };
  }

  /** Stores a decision: one commit, together with the alarm when the claim is a new one. */
  #save(claim: Claim): void {
    const before = this.#claim ?? null;
    if (claim === before) return;
    this.#sql.transaction(() => {
      this.#sql.write(SCHEMA);
      this.#sql.write(
        "INSERT OR REPLACE INTO claim (id, owner, holder, held_at, expires_at, settled) VALUES (1, ?, ?, ?, ?, ?)",
        claim.owner,
        claim.holder,
        claim.heldAt,
        claim.expiresAt,
        claim.settled ? 1 : 0,
      );
    });
    if (claim.expiresAt !== before?.expiresAt) this.#context.setAlarm(claim.expiresAt);
    this.#claim = claim;
  }
}
