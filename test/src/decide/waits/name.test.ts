import { describe, expect, it } from "vitest";
import {
  announced,
  emptied,
  lookAt,
  looked,
  type NameState,
  registered,
  remembering,
  swept,
  withdrawn,
} from "../../../../src/decide/waits/name.ts";
import { retryAt } from "../../../../src/decide/waits/retry.ts";
import { CATALOG, WAITS } from "../../../../src/limits.ts";
import { NOW } from "./fixtures.ts";

const YEAR = 365 * 24 * 60 * 60 * 1000;
const state: NameState = { announcedAt: NOW, lookFrom: NOW, looks: 0, sweepAt: NOW + YEAR, idle: false };

describe("registered", () => {
  it("the first wait makes a name that is still to be announced", () => {
    expect(registered(null, NOW + 5)).toMatchObject({ announcedAt: null, idle: false });
  });

  it("I4: the sweep comes after the wait's expiry and not much later", () => {
    for (const expiresAt of [NOW, NOW + 1, NOW + WAITS.sweep.every, NOW + YEAR]) {
      const { sweepAt } = registered(null, expiresAt);
      expect(sweepAt).toBeGreaterThan(expiresAt);
      expect(sweepAt).toBeLessThanOrEqual(expiresAt + WAITS.sweep.every);
    }
  });

  it("a wait that expires later than others changes nothing, so that nothing is written", () => {
    const first = registered(null, NOW);
    expect(registered(first, NOW + YEAR)).toBe(first);
    expect(registered(first, NOW - WAITS.sweep.every).sweepAt).toBe(first.sweepAt - WAITS.sweep.every);
    expect(registered({ ...first, idle: true }, NOW + YEAR)).toEqual(first);
  });
});

describe("looking back", () => {
  it("happens when every isolate knows of the name, and once more", () => {
    let now = announced(registered(null, NOW + YEAR), NOW - 7, NOW);
    expect(now.lookFrom).toBe(NOW - 7);
    const times: number[] = [];
    for (let at = lookAt(now); at !== null; at = lookAt(now)) {
      times.push(at - NOW);
      now = looked(now);
    }
    expect(times).toEqual([...WAITS.looks]);
    expect(times[0]).toBeGreaterThan(2 * CATALOG.age);
  });

  it("does not happen for a name that is not announced", () => {
    expect(lookAt(registered(null, NOW))).toBeNull();
    expect(lookAt(withdrawn(state))).toBeNull();
  });
});

describe("swept", () => {
  it.each<[string, Partial<NameState>, Parameters<typeof swept>[1], object | string]>([
    [
      "waits that are left are swept after the next has expired",
      {},
      { waits: NOW + YEAR, events: null },
      { idle: false },
    ],
    [
      "nothing is left for the first time",
      {},
      { waits: null, events: null },
      { idle: true, sweepAt: NOW + WAITS.linger },
    ],
    ["nothing is left again", { idle: true }, { waits: null, events: null }, "withdraw"],
    [
      "nothing is left of a name that could not be announced",
      { announcedAt: null },
      { waits: null, events: null },
      "withdraw",
    ],
    ["events are still remembered", { idle: true }, { waits: null, events: NOW + 1 }, { idle: true }],
    ["a wait came back", { idle: true }, { waits: NOW + YEAR, events: null }, { idle: false }],
  ])("%s", (_, before, remainder, after) => {
    const next = swept({ ...state, ...before }, remainder, NOW);
    if (typeof after === "string") expect(next).toBe(after);
    else expect(next).toMatchObject(after);
  });

  it("I4: the next sweep is always in the future, also when something overdue was left", () => {
    for (const waits of [null, NOW - YEAR, NOW, NOW + 1]) {
      for (const events of [null, NOW - YEAR, NOW, NOW + 1]) {
        const next = swept(state, { waits, events }, NOW);
        if (next !== "withdraw") expect(next.sweepAt).toBeGreaterThan(NOW);
      }
    }
  });
});

describe("emptied", () => {
  it("a name nobody waits for is not kept until its last wait would have timed out", () => {
    expect(emptied(state, NOW).sweepAt).toBe(NOW + WAITS.linger);
    const soon = { ...state, sweepAt: NOW + 1 };
    expect(emptied(soon, NOW)).toBe(soon);
  });
});

describe("remembering", () => {
  it("events are forgotten in time, also when all waits are for a year", () => {
    const { sweepAt } = remembering(state, NOW);
    expect(sweepAt).toBeGreaterThan(NOW + WAITS.remembered);
    expect(sweepAt).toBeLessThanOrEqual(NOW + WAITS.remembered + WAITS.sweep.every);
    const soon = { ...state, sweepAt: NOW + 1 };
    expect(remembering(soon, NOW)).toBe(soon);
  });
});

describe("retryAt", () => {
  it("waits longer after every failure, up to a limit", () => {
    const waits = Array.from({ length: 12 }, (_, i) => retryAt(NOW, i + 1) - NOW);
    expect(waits[0]).toBe(WAITS.retry.first);
    expect(waits[1]).toBe(2 * WAITS.retry.first);
    expect(waits.at(-1)).toBe(WAITS.retry.max);
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
  });
});
