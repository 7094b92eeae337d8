import { describe, expect, it } from "vitest";
import type { LineRef } from "../../../../src/decide/capacity/line.ts";
import { type Surroundings, whyOf } from "../../../../src/decide/run/why.ts";
import type { Op } from "../../../../src/protocol/opcodes.ts";
import { planned, T0, TestRun } from "./run.ts";

const step = (id: string) => ({ id, label: { name: id, type: null }, race: false, metadata: [] });
const sleep = (id: string, until: string): Op => ({ op: "sleep", until, ...step(id) });
const wait = (id: string, until: string): Op => ({
  op: "wait",
  event: "app/ok",
  condition: "async.data.x == 1",
  until,
  ...step(id),
});

function around(run: TestRun, over: Partial<Surroundings> = {}): Surroundings {
  return { calls: new Map(), lines: new Map(), pausedSince: null, now: run.now, ...over };
}

function causes(run: TestRun, over: Partial<Surroundings> = {}) {
  return whyOf(run.state, around(run, over));
}

const LINE: LineRef = { counts: "steps", scope: "fn", functionId: "fn", expression: "event.data.id", key: "7" };

describe("why a run is not moving", () => {
  it("BY-12: a run of the future says when it starts", () => {
    const run = new TestRun({ startAt: T0 + 60_000 });
    expect(causes(run)).toEqual([{ cause: "scheduled", since: T0, until: T0 + 60_000, step: null }]);
  });

  it("BY-12: a call in flight says since when, and when it is given up", () => {
    const run = new TestRun();
    const { id } = run.job();
    const calls = new Map([[id, { since: T0 + 5, deadline: T0 + 840_000 }]]);
    expect(causes(run, { calls })).toEqual([
      { cause: "call", since: T0 + 5, until: T0 + 840_000, step: null, attempt: 0, request: false },
    ]);
  });

  it("BY-12: sleeps and waits are named with their ends, the first to end in front", () => {
    const run = new TestRun();
    run.ops([wait("w", "1h"), sleep("s", "10s")]);
    expect(causes(run)).toEqual([
      { cause: "sleeping", since: T0, until: T0 + 10_000, step: "s" },
      { cause: "event", since: T0, until: T0 + 3_600_000, step: "w", event: "app/ok", condition: "async.data.x == 1" },
    ]);
  });

  it("BY-12: a retry tells its error and its time, until it is due", () => {
    const run = new TestRun();
    run.error({ message: "boom" });
    expect(causes(run)).toEqual([
      {
        cause: "retry",
        since: T0,
        until: T0 + 1000,
        step: null,
        attempt: 1,
        error: expect.objectContaining({ message: "boom" }),
      },
    ]);
    run.wake(1000);
    expect(causes(run)).toEqual([{ cause: "due", since: T0 + 1000, until: null, step: null }]);
  });

  it("FC-12: a place in a line names the limit, who holds it and who goes first", () => {
    const run = new TestRun();
    const { id } = run.job();
    const standing = {
      line: LINE,
      since: T0,
      limit: 1,
      ahead: 2,
      holders: [{ runId: "R", since: T0 }],
      estimate: null,
    };
    expect(causes(run, { lines: new Map([[id, standing]]) })).toEqual([
      { ...standing, cause: "concurrency", until: null, step: null },
    ]);
    const starts = { ...standing, line: { ...LINE, counts: "starts" as const }, holders: [], estimate: T0 + 40_000 };
    expect(causes(run, { lines: new Map([[id, starts]]) })).toMatchObject([{ cause: "throttle", until: T0 + 40_000 }]);
  });

  it("BY-12: a paused function is named before everything else", () => {
    const run = new TestRun();
    run.ops([sleep("s", "10s")]);
    expect(causes(run, { pausedSince: T0 - 1 }).map(({ cause }) => cause)).toEqual(["paused", "sleeping"]);
  });

  it("BY-12: steps that are planned and due are about to be called; an ended run has no cause", () => {
    const run = new TestRun();
    run.ops([planned("a")]);
    expect(causes(run)).toEqual([{ cause: "due", since: T0, until: null, step: "a" }]);
    run.take({ kind: "failed", error: { name: "E", message: "m" } });
    expect(causes(run)).toEqual([]);
  });
});
