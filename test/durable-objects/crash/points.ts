/**
 * Crash points (faults.md §4, row 1) without switches in the engine: every commit of an object and every call of the app is one, counted as
 * they come. At the chosen one all objects are aborted. Owns the counting; what a scenario is, its test says.
 */
import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test";
import { vi } from "vitest";
import { runStub } from "../../../src/objects.ts";
import { bindings } from "../records.ts";

/** Whether the chosen thing was done: a crash before it, or between it and what follows. */
export type Moment = "before it" | "after it";

/** Counts points until it is closed. */
export interface Points {
  /** Points so far. */
  readonly count: number;
  /** Aborts all objects if the engine has died; from then on it lives again. To be called often, and from the test only. */
  bury(): Promise<void>;
  /** A point that is none of storage; throws when it is not to be passed. */
  point<T>(act: () => T): T;
  /** Counts no more. */
  close(): void;
}

/**
 * Counts the points of what follows; at number `chosen`, from 1, everything dies. None is chosen by 0. From the chosen one on, or from
 * the next, nothing is written and nobody is called, until the objects are aborted.
 */
export async function countPoints(chosen: number, moment: Moment): Promise<Points> {
  let count = 0;
  let dead = false;
  let inCommit = false;
  /** Does one thing, unless somebody has died. What is written without a pause is one commit, and one point. */
  const point = <T>(act: () => T): T => {
    if (inCommit) return act();
    if (dead) throw new Error("The engine is dead");
    const isChosen = ++count === chosen;
    if (isChosen && moment === "before it") {
      dead = true;
      throw new Error("The engine dies here");
    }
    inCommit = true;
    queueMicrotask(() => {
      inCommit = false;
      if (isChosen) dead = true;
    });
    return act();
  };
  // Every object has the same prototypes, and this test runs where they do.
  const { sql, storage } = await runInDurableObject(runStub(bindings, "points", "any"), (_, { storage }) => ({
    sql: Object.getPrototypeOf(storage.sql) as SqlStorage,
    storage: Object.getPrototypeOf(storage) as DurableObjectStorage,
  }));
  const { exec } = sql;
  const { setAlarm } = storage;
  const spies = [
    vi.spyOn(sql, "exec").mockImplementation(function (this: SqlStorage, query: string, ...values: unknown[]) {
      const act = () => exec.call(this, query, ...values);
      return /^\s*(INSERT|UPDATE|DELETE)/i.test(query) ? point(act) : act();
    } as SqlStorage["exec"]),
    vi.spyOn(storage, "setAlarm").mockImplementation(function (this: DurableObjectStorage, ...values) {
      return point(() => setAlarm.apply(this, values));
    }),
  ];
  return {
    get count() {
      return count;
    },
    async bury() {
      if (!dead) return;
      // Out of the stack of whoever died: the runtime does not survive otherwise.
      await scheduler.wait(1);
      await abortAllDurableObjects();
      dead = false;
    },
    point,
    close() {
      for (const spy of spies) spy.mockRestore();
    },
  };
}
