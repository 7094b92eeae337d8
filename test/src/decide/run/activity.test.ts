import { describe, expect, it } from "vitest";
import type { Change, Decision } from "../../../../src/decide/run/change.ts";
import { replay } from "../../../../src/decide/run/evolve.ts";
import { METRICS } from "../../../../src/limits.ts";
import { identity } from "./run.ts";

const T = 1_735_689_600_000;
const MINUTE = METRICS.bucket;
const label = { name: "s", type: null } as never;
const finished = (id: string, memo: unknown, bytes: number, group = 1): Change =>
  ({ is: "finished", id, label, group, race: false, at: 0, memo, bytes }) as Change;

/** What a log counts to. */
function activityOf(...decisions: [number, Change[]][]) {
  const log: Decision[] = [
    {
      at: T,
      changes: [
        { is: "created", identity: identity(), bytes: 2 },
        { is: "queued", stepId: null, due: T },
      ],
    },
    ...decisions.map(([at, changes]) => ({
      at: T + at,
      changes: changes.map((change) => (change.is === "finished" ? { ...change, at: T + at } : change)),
    })),
  ];
  return replay(log)?.activity;
}

const minute = T / MINUTE;
const zero = { scheduled: 0, succeeded: 0, errored: 0, failed: 0, bytes: 0, steps: 0, busy: 0 };

describe("API-28: what a run has done", () => {
  it("is its calls, results and bytes, in the minute of each", () => {
    expect(
      activityOf(
        [30, [finished("a", { data: 1 }, 10), { is: "done", job: 1 }, { is: "queued", stepId: null, due: T + 30 }]],
        [MINUTE + 40, [{ is: "ended", status: "completed", output: null, at: T + MINUTE + 40 }]],
      ),
    ).toEqual([
      { ...zero, minute, scheduled: 2, succeeded: 1, bytes: 10, steps: 1, busy: 30 },
      { ...zero, minute: minute + 1, succeeded: 1, busy: MINUTE + 10 },
    ]);
  });

  it("tells calls that are tried again from those that failed for good", () => {
    const retried: Change = { is: "retried", job: 1, attempt: 1, due: T + 500, error: null, at: T + 100 };
    const failed: Change = { is: "ended", status: "failed", output: null, at: T + 600 };
    expect(activityOf([100, [retried]], [600, [failed]])).toEqual([
      { ...zero, minute, scheduled: 2, errored: 1, failed: 1, busy: 200 },
    ]);
    const caught = [finished("a", { error: { name: "E" } }, 5), { is: "done", job: 1 } as Change];
    expect(activityOf([10, caught])).toMatchObject([{ scheduled: 1, failed: 1, succeeded: 0, steps: 1 }]);
  });

  it("does not count standing in a line, requests of the engine's own, nor what was cancelled", () => {
    expect(
      activityOf(
        [10, [{ is: "lined", job: 1 }]],
        [400, [{ is: "granted", job: 1 }]],
        [
          450,
          [
            { is: "done", job: 1 },
            { is: "queued", stepId: "f", due: T + 450, request: true },
          ],
        ],
        [500, [{ is: "done", job: 2 }]],
        [600, [{ is: "ended", status: "cancelled", output: null, at: T + 600 }]],
      ),
    ).toEqual([{ ...zero, minute, scheduled: 1, succeeded: 1, busy: 50 }]);
  });

  it("OB-19: tells how long after a step's result the next call began, the first call and repeated ones aside", () => {
    const next = (at: number): Change[] => [
      { is: "done", job: 1 },
      { is: "queued", stepId: null, due: T + at },
    ];
    const began = (job: number, at: number): Change => ({ is: "called", job, began: T + at });
    expect(
      activityOf(
        [100, [began(1, 40), finished("a", { data: 1 }, 1), ...next(100)]],
        [200, [began(2, 107), finished("b", { data: 1 }, 1), { is: "queued", stepId: null, due: T + 200 }]],
        [300, [{ is: "delivered", job: 3 }]],
        [400, [began(3, 310)]],
      ),
    ).toMatchObject([{ followed: 1, lag: 7 }]);
  });

  it("OB-19: counts timers that fired late, of what nothing held back", () => {
    const announced = (id: string) => ({ id, label, group: 1, race: false, at: T }) as const;
    const sleeping: Change = { is: "sleeping", ...announced("s"), until: T + 1000 };
    const waiting: Change = {
      is: "waiting",
      ...announced("w"),
      on: { kind: "event", event: "x", condition: null },
      until: T + 9000,
    };
    const late = (...decisions: [number, Change[]][]) => activityOf(...decisions)?.[0]?.late ?? 0;
    const inTime = 1000 + METRICS.late;
    expect(late([10, [sleeping]], [inTime, [finished("s", null, 4)]])).toBe(0);
    expect(late([10, [sleeping]], [inTime + 1, [finished("s", null, 4)]])).toBe(1);
    // Its event came in time.
    expect(late([10, [waiting]], [5000, [finished("w", {}, 4)]])).toBe(0);
    expect(late([10, [waiting]], [9000 + METRICS.late + 1, [finished("w", null, 4)]])).toBe(1);
    const held: Change = { is: "suspended", since: T, at: T + 20 };
    expect(late([10, [sleeping]], [20, [held]], [inTime + 1, [finished("s", null, 4)]])).toBe(0);
    const retried: Change = { is: "retried", job: 1, attempt: 1, due: T + 500, error: null, at: T + 100 };
    const called = (at: number): Change => ({ is: "called", job: 1, began: T + at });
    expect(late([100, [retried]], [600, [called(510)]])).toBe(0);
    expect(late([100, [retried]], [5000, [called(501 + METRICS.late)]])).toBe(1);
  });

  it("tells so many minutes apart, and counts the rest for the last of them", () => {
    const decisions = Array.from({ length: METRICS.minutesOfRun + 10 }, (_, i): [number, Change[]] => {
      return [i * MINUTE, [finished(`s${i}`, { data: 1 }, 1)]];
    });
    const activity = activityOf(...decisions) ?? [];
    expect(activity).toHaveLength(METRICS.minutesOfRun);
    expect(activity.reduce((sum, { steps }) => sum + steps, 0)).toBe(decisions.length);
    expect(activity.at(-1)?.steps).toBe(11);
  });
});
