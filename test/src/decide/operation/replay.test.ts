import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  begin,
  type OperationState,
  paged,
  type ReplayRequest,
  stopped,
  watched,
} from "../../../../src/decide/operation/operation.ts";
import { OPERATION, REPLAY } from "../../../../src/limits.ts";

const T0 = 1_800_000_000_000;
const DAY = 86_400_000;
const request: ReplayRequest = {
  id: "01JD00000000000000000000PR",
  environmentId: "env",
  kind: "replay",
  app: { id: "app-uuid", name: "shop" },
  function: { id: "fn-uuid", slug: "shop-fn" },
  after: null,
  before: T0,
  condition: null,
  createdAt: T0,
  name: "Bug fix 958",
  statuses: ["failed"],
  preview: 600,
};

const page = (asked: number, cursor: string | null) => ({ cursor, count: asked, asked, failed: 0 });

/** A replay of so many runs to the end of its passes; each page takes `took` ms. Answers when each run was started. */
function replayed(runs: number, took: (page: number) => number): { state: OperationState; starts: number[] } {
  let state = begin(request);
  let now = state.due;
  let left = runs;
  const starts: number[] = [];
  for (let n = 0; state.watch === null && state.status === "running"; n++) {
    now = Math.max(now, state.due);
    const acts = Math.min(left, REPLAY.page.acts);
    left -= acts;
    const ms = took(n);
    for (let i = 0; i < acts; i++) starts.push(now + (ms * i) / Math.max(acts - 1, 1));
    now += ms;
    const known = state.pass.number > 1 ? runs : acts;
    state = paged(state, { ...page(acts, left > 0 ? `0${n}` : null), count: known }, now);
  }
  return { state, starts };
}

describe("a replay", () => {
  it("CR-23: 600 runs take at least 12 s to start", () => {
    const { starts } = replayed(600, () => 5);
    expect(starts).toHaveLength(600);
    expect((starts.at(-1) ?? 0) - (starts[0] ?? 0)).toBeGreaterThanOrEqual(12_000);
  });

  it("CR-23: at most 50 start within any second, however long pages take", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1 }),
        fc.integer({ min: 1, max: 400 }),
        (ms, runs) => {
          const { starts } = replayed(runs, (n) => ms[n % ms.length] ?? 0);
          for (const [i, from] of starts.entries()) {
            const later = starts[i + 50];
            if (later !== undefined) expect(later - from).toBeGreaterThanOrEqual(1000);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it("CR-24: is completed when every run that it started has ended", () => {
    const { state } = replayed(120, () => 5);
    expect(state).toMatchObject({ status: "running", count: 120 });
    expect(state.watch).not.toBeNull();
    const later = watched(state, 119, state.due + 1, DAY);
    expect(later).toMatchObject({ status: "running", endedAt: null, watch: { ended: 119 } });
    expect(watched(later, 120, later.due, DAY)).toMatchObject({ status: "completed", endedAt: later.due });
  });

  it("CR-24: looks more seldom while nothing ends, and gives up when history cannot tell any more", () => {
    let { state } = replayed(2, () => 5);
    const since = state.watch?.since ?? 0;
    const waits: number[] = [];
    while (state.status === "running") {
      const now = state.due;
      state = watched(state, now < since + 60_000 ? 0 : 1, now, DAY);
      waits.push(state.due - now);
    }
    expect(Math.min(...waits.slice(0, -1))).toBe(REPLAY.watch.first);
    expect(Math.max(...waits)).toBe(REPLAY.watch.max);
    expect(waits.length).toBeLessThan(DAY / REPLAY.watch.max + 50);
    expect(state).toMatchObject({ status: "completed", count: 2 });
  });

  it("CR-24: one that is stopped starts nothing more; what a page under way has started counts", () => {
    const running = paged(begin(request), page(24, "01A"), T0 + 10);
    const state = paged(stopped(running, T0 + 20), page(24, "01B"), T0 + 30);
    expect(state).toMatchObject({ status: "stopped", endedAt: T0 + 20, count: 48 });
    expect(watched(state, 48, T0 + 40, DAY)).toBe(state);
  });

  it("FC-43: waits where a singleton or a pause holds it, longer each time, and goes on from there", () => {
    let state = paged(begin(request), page(3, "01A"), T0);
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      const now = state.due;
      state = paged(state, { cursor: "01A", asked: 0, count: 0, failed: 0, hold: "wait" }, now);
      waits.push(state.due - now);
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect(state).toMatchObject({ count: 3, pass: { number: 1, cursor: "01A" } });
    const first = paged(begin(request), { cursor: null, asked: 0, count: 0, failed: 0, hold: "wait" }, T0);
    expect(first).toMatchObject({ status: "running", pass: { number: 1, cursor: null, count: 0 } });
    expect(paged(state, page(1, "01B"), state.due)).toMatchObject({ count: 4, waits: 0 });
  });

  it("ends when its function is gone", () => {
    const held = { cursor: "01A", asked: 0, count: 0, failed: 0, hold: "stop" } as const;
    expect(paged(begin(request), held, T0 + 5)).toMatchObject({ status: "stopped", endedAt: T0 + 5 });
  });

  it("CR-25: runs whose events are gone are told apart, and nobody waits for them", () => {
    let state = begin(request);
    while (state.watch === null) state = paged(state, { ...page(0, null), count: 1, lost: 2 }, state.due);
    expect(state).toMatchObject({ count: 1, lost: 2, failed: 0 });
    expect(state.pass.number).toBeLessThan(OPERATION.passes);
    expect(watched(state, 1, state.due, DAY).status).toBe("completed");
  });
});
