import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { counters } from "../../src/counters.ts";
import { CAPACITY } from "../../src/limits.ts";
import {
  alarmOf,
  crash,
  environmentId,
  hears,
  jump,
  leaves,
  line,
  on,
  PATIENCE,
  rows,
  runs,
  says,
  setStage,
  settled,
  tables,
  told,
  use,
} from "./capacity/lines.ts";

setStage();

const rowsWrittenBy = async (work: () => Promise<unknown>) => {
  const before = counters.rowsWritten;
  await work();
  return counters.rowsWritten - before;
};

describe("a line that nobody waits in", () => {
  it("costs one row for each run that comes and one for each that goes, and no alarm", async () => {
    await says("warm", { limit: 5 });
    await leaves("warm", { limit: 5 });
    expect(await rowsWrittenBy(() => says("a", { limit: 5 }))).toBe(1);
    expect(await rowsWrittenBy(() => says("a", { limit: 5, busy: 1, wants: 0 }))).toBe(0);
    expect(await rowsWrittenBy(() => leaves("a", { limit: 5 }))).toBe(1);
    expect(await alarmOf()).toBeNull();
    expect(await tables()).toEqual(["members"]);
    expect(await rows("members")).toBe(0);
  });

  it("asked about, makes no tables", async () => {
    const stub = await line();
    expect(await stub.view(environmentId)).toMatchObject({ inUse: 0, waiting: 0 });
    expect(await stub.standing("env", "nobody")).toBeNull();
    expect(await stub.summary("f")).toBeNull();
    await stub.relimit("f", { version: 2, limit: 1, period: 0, burst: 0 });
    expect(await tables()).toEqual([]);
  });

  it("I3: knows what is held after it has left memory", async () => {
    expect(await says("a")).toBe(1);
    await crash();
    expect(await says("b", { score: 1 })).toBe(0);
    await leaves("a");
    await hears("b 1");
  });
});

describe("FC-4: lines", () => {
  it.each([
    ["of different values of a key", { key: "b" }],
    ["of different limits of a function", { expression: "event.data.other" }],
    ["of different functions", { functionId: "g" }],
    ["of steps and of whole runs", { counts: "runs" as const }],
  ])("%s are different lines", async (_, other) => {
    expect(await says("a")).toBe(1);
    on(other);
    expect(await says("b")).toBe(1);
  });

  it("SE-8: the same key in two environments is two lines, unless the account's", async () => {
    on({ scope: "env", functionId: "" });
    expect(await says("a")).toBe(1);
    const stub = await line();
    await runInDurableObject(stub, (_, { id }) => expect(id.name).toMatch(/^env-line-\d+:steps:env::/));
  });
});

describe("telling runs", () => {
  it("FC-8: who waits is told in the order of their places, as units come back", async () => {
    await says("a", { score: 1 });
    await says("c", { score: 3 });
    await says("b", { score: 2 });
    await leaves("a", { score: 1 });
    await hears("b 1");
    await leaves("b", { score: 2 });
    await hears("b 1", "c 1");
    await leaves("c", { score: 3 });
    expect(await rows("members")).toBe(0);
  });

  it("I1: what was granted outlives the instance, and is told by the alarm", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    runs.answer = () => {
      throw new Error("down");
    };
    await says("a", { score: 1 });
    await says("b", { score: 2 });
    await leaves("a", { score: 1 });
    await settled();
    await crash();
    expect(told).toEqual([]);
    runs.answer = use;
    expect(await alarmOf()).not.toBeNull();
    await jump(CAPACITY.lease);
    await hears("b 1");
    expect(await says("c", { score: 3 })).toBe(0);
  });

  it("a run that cannot be reached is called ever more rarely and keeps its unit; everybody else goes on", async () => {
    const complaint = vi.spyOn(console, "error").mockImplementation(() => {});
    let broken = true;
    runs.answer = (runId, held) => {
      if (broken && runId === "b") throw new Error("partition");
      return use(runId, held);
    };
    const limit = 2;
    await says("a", { score: 1, limit });
    await says("x", { score: 1, limit });
    await says("b", { score: 2, limit });
    await says("c", { score: 3, limit });
    await leaves("a", { score: 1, limit });
    await settled();
    await leaves("x", { score: 1, limit });
    await hears("c 1");
    expect(complaint).toHaveBeenCalledWith("capacity steps fn f: run b was not told: partition");
    expect(await alarmOf()).toBeLessThanOrEqual(Date.now() + CAPACITY.retry.first);
    await jump(CAPACITY.retry.first);
    await settled();
    expect(await (await line()).view(environmentId)).toMatchObject({ inUse: 2, waiting: 0 });
    const due = ((await alarmOf()) ?? 0) - Date.now();
    expect(due).toBeGreaterThan(CAPACITY.retry.first);
    expect(due).toBeLessThanOrEqual(2 * CAPACITY.retry.first);
    broken = false;
    await jump(2 * CAPACITY.retry.first);
    await hears("c 1", "b 1");
  });

  it("I5: a run that has ended or never was gives its unit back, and the next one is told", async () => {
    runs.answer = (runId, held) => (runId === "b" ? null : use(runId, held));
    await says("a", { score: 1 });
    await says("b", { score: 2 });
    await says("c", { score: 3 });
    await leaves("a", { score: 1 });
    await hears("b 1", "c 1");
    expect(await rows("members")).toBe(1);
  });

  it("a lost answer leads to a repetition, which the run is free to ignore", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    let lost = true;
    runs.answer = (runId, held) => {
      if (!lost) return use(runId, held);
      lost = false;
      throw new Error("lost");
    };
    await says("a", { score: 1 });
    await says("b", { score: 2 });
    await leaves("a", { score: 1 });
    await settled();
    expect(await says("c", { score: 3 })).toBe(0);
    await jump(CAPACITY.retry.first);
    await hears("b 1");
    expect(await (await line()).view(environmentId)).toMatchObject({ inUse: 1, waiting: 1 });
  });

  it("FC-8: a holder is told when an older run waits", async () => {
    await says("young", { score: 5 });
    await says("old", { score: 1 });
    await hears("young 1 yields");
    expect(await says("young", { score: 5 })).toBe(0);
    await hears("young 1 yields", "old 1");
  });
});

describe("silent holders", () => {
  it("I5: are asked while somebody waits, also after the line has left memory, and what they do not need goes on", async () => {
    await says("a", { score: 1 });
    await crash();
    await says("b", { score: 2 });
    const due = (await alarmOf()) ?? 0;
    expect(due - Date.now()).toBeLessThanOrEqual(CAPACITY.lease);
    await crash();
    // Whoever speaks meanwhile does not put the alarm off.
    await says("c", { score: 3 });
    expect(await alarmOf()).toBe(due);
    await crash();
    runs.answer = (runId, held) => (runId === "a" ? null : use(runId, held));
    await jump(CAPACITY.lease);
    await hears("a 1", "b 1");
  });

  it("I5: a claim that comes late, after its run has left and its line was lost, gives its unit back by itself", async () => {
    const late = { fence: { sequence: 1, stamp: Date.now() - 20_000 } };
    await says("a");
    await leaves("a");
    await crash();
    expect(await says("a", late)).toBe(1);
    const due = (await alarmOf()) ?? 0;
    expect(due - Date.now()).toBeLessThanOrEqual(CAPACITY.lease);
    await crash();
    expect(told).toEqual([]);
    runs.answer = () => null;
    await jump(CAPACITY.lease);
    await hears("a 1");
    await vi.waitFor(async () => expect(await rows("members")).toBe(0), PATIENCE);
  });

  it("nobody is woken when nobody waits any more, and the line is cleared away when all have left", async () => {
    await says("a", { score: 1 });
    await says("b", { score: 2 });
    await leaves("b", { score: 2 });
    await jump(CAPACITY.lease);
    await jump(CAPACITY.linger);
    expect(told).toEqual([]);
    expect(await alarmOf()).toBeNull();
    expect(await rows("members")).toBe(1);
    await leaves("a", { score: 1 });
    await jump(CAPACITY.linger + 1);
    expect(await tables()).toEqual([]);
    expect(await alarmOf()).toBeNull();
    expect(await says("c")).toBe(1);
  });
});

describe("FC-11: a changed limit", () => {
  it("lets those go who wait, and is known after the line has left memory", async () => {
    for (let i = 0; i < 4; i++) await says(`r${i}`, { score: i });
    await (await line()).relimit("f", { version: 2, limit: 3, period: 0, burst: 0 });
    await hears("r1 1", "r2 1");
    await crash();
    expect(await says("r4", { score: 4, limit: 9 })).toBe(0);
    expect(await (await line()).view(environmentId)).toMatchObject({
      inUse: 3,
      waiting: 2,
      limits: [{ limit: { limit: 3 } }],
    });
  });
});

describe("a throttle", () => {
  const limit = { version: 1, limit: 1, period: 5000, burst: 1 };
  const start = (runId: string, score: number) => says(runId, { limit, score });

  it("FC-15: starts come one after the other, each when it is due", async () => {
    on({ counts: "starts" });
    expect(await start("a", 1)).toBe(1);
    const first = Date.now();
    expect(await start("b", 2)).toBe(0);
    expect(await start("c", 3)).toBe(0);
    const due = (await alarmOf()) ?? 0;
    expect(due).toBeLessThanOrEqual(first + 5000);
    expect(due).toBeGreaterThan(first + 5000 - PATIENCE);
    await runDurableObjectAlarm(await line());
    expect(told).toEqual([]);
    await jump(5000);
    await hears("b 1");
    // Counted from when it was due, not from when the alarm came to it.
    expect(((await alarmOf()) ?? 0) - due).toBeGreaterThanOrEqual(5000);
    await crash();
    await jump(5000);
    await hears("b 1", "c 1");
    await settled();
    expect(await rows("members")).toBe(0);
  });

  it("costs one row when nobody waits, and a repeated claim none", async () => {
    on({ counts: "starts" });
    await start("warm", 1);
    await jump(5000);
    expect(await rowsWrittenBy(() => start("a", 2))).toBe(1);
    expect(await rowsWrittenBy(() => start("a", 2))).toBe(0);
    expect(await alarmOf()).toBeNull();
    await crash();
    expect(await rowsWrittenBy(() => start("a", 2))).toBe(0);
  });

  it("is cleared away when nothing needs to be remembered", async () => {
    on({ counts: "starts" });
    await start("a", 1);
    await start("b", 2);
    await jump(5000);
    await hears("b 1");
    await settled();
    await jump(CAPACITY.linger);
    expect(await tables()).toContain("line");
    await jump(CAPACITY.remembered.age);
    expect(await tables()).toEqual([]);
  });

  it("BY-10: says where a run stands and when it will start", async () => {
    on({ counts: "starts" });
    for (let i = 0; i < 5; i++) await start(`r${i}`, i);
    const last = await (await line()).standing(environmentId, "r4");
    expect(last).toMatchObject({ ahead: 3, wants: 1 });
    expect(((last?.startsAt ?? 0) - Date.now()) / 1000).toBeCloseTo(20, 0);
  });
});

describe("many", () => {
  it("I4: 1,000 waiters are there after a restart, and are served in their order", { timeout: 60_000 }, async () => {
    const limit = 10;
    for (let i = 0; i <= limit; i++) await says(`r${i}`, { score: i, limit });
    const counted =
      "WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 999) SELECT n FROM counted";
    await runInDurableObject(await line(), (_, { storage }) => {
      storage.sql.exec(
        `INSERT INTO members SELECT environment_id, 'r' || (10 + n), function_id, sequence, stamp, held, wants, held_since, waits_since,
           owed, rank, 10 + n, tie, version, units, period, burst FROM members, (${counted}) WHERE run_id = 'r10'`,
      );
    });
    await crash();
    const stub = await line();
    const view = await stub.view(environmentId);
    expect(view).toMatchObject({ inUse: limit, holding: limit, waiting: 1000 });
    expect(view.waiters.map(({ runId }) => runId)).toEqual(
      Array.from({ length: CAPACITY.shown.runs }, (_, i) => `r${limit + i}`),
    );
    // Runs that end as soon as they begin, the first 100 of them: each answer lets the next one in.
    const order: number[] = [];
    runs.answer = (runId, held) => (order.push(Number(runId.slice(1))) <= 100 ? null : use(runId, held));
    for (let i = 0; i < limit; i++) await leaves(`r${i}`, { score: i, limit });
    await vi.waitFor(() => expect(order).toHaveLength(100 + limit), 30_000);
    // So many are told at the same time, and may overtake each other.
    for (const [at, i] of order.entries()) expect(Math.abs(i - limit - at)).toBeLessThanOrEqual(CAPACITY.parallel);
    await vi.waitFor(
      async () => expect(await stub.view(environmentId)).toMatchObject({ inUse: limit, waiting: 890 }),
      PATIENCE,
    );
  });
});
