import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  begin,
  hindered,
  type OperationRequest,
  type OperationState,
  paged,
  stopped,
} from "../../../../src/decide/operation/operation.ts";
import { OPERATION } from "../../../../src/limits.ts";

const T0 = 1_800_000_000_000;
const request: OperationRequest = {
  id: "01JD00000000000000000000PR",
  environmentId: "env",
  kind: "cancel",
  app: { id: "app-uuid", name: "shop" },
  function: { id: "fn-uuid", slug: "shop-fn" },
  after: null,
  before: T0,
  condition: null,
  createdAt: T0,
};

const page = (count: number, cursor: string | null = null, failed = 0) => ({ cursor, count, asked: 0, failed });

/** Passes of one page each, at the times the operation itself names, until it is over. */
function passes(...counts: readonly (number | { count: number; failed: number })[]): OperationState {
  let state = begin(request);
  for (const one of counts) {
    const { count, failed } = typeof one === "number" ? { count: one, failed: 0 } : one;
    if (state.status === "running") state = paged(state, page(count, null, failed), state.due);
  }
  return state;
}

describe("a bulk operation", () => {
  it("CR-9: goes from page to page at once and counts what was done", () => {
    let state = begin(request);
    expect(state).toMatchObject({ status: "running", count: 0, due: T0 });
    state = paged(state, page(200, "01A"), T0 + 100);
    expect(state).toMatchObject({ count: 200, due: T0 + 100, pass: { number: 1, cursor: "01A" } });
    state = paged(state, page(50, "01B"), T0 + 200);
    expect(state).toMatchObject({ count: 250, pass: { cursor: "01B" } });
  });

  it("gives what it woke some time before it wakes more", () => {
    const state = paged(begin(request), { ...page(200, "01A"), asked: 200 }, T0);
    expect(state.due).toBe(T0 + 200 * OPERATION.pace);
  });

  it("CR-9: looks again until history must have shown every run, then it is completed", () => {
    const looks: number[] = [];
    let state = begin(request);
    while (state.status === "running") {
      looks.push(state.due - T0);
      state = paged(state, page(3), state.due);
    }
    expect(state).toMatchObject({ status: "completed", count: 3, endedAt: T0 + OPERATION.settle });
    expect(looks.at(-1)).toBe(OPERATION.settle);
    expect(looks.length).toBeGreaterThan(2);
    expect(looks.length).toBeLessThan(6);
  });

  it("CR-9: what a late pass finds makes it look once more", () => {
    const settled = passes(1, 1, 1, 1);
    expect(settled.status).toBe("completed");
    const late = passes(1, 1, 1, 2);
    expect(late).toMatchObject({ status: "running", count: 2 });
    expect(late.due).toBeGreaterThan(T0 + OPERATION.settle);
    expect(passes(1, 1, 1, 2, 2)).toMatchObject({ status: "completed", count: 2 });
  });

  it("row 22: runs that cannot be reached are tried again, but not for ever", () => {
    expect(passes(1, 1, 1, { count: 1, failed: 1 })).toMatchObject({ status: "running", failed: 1 });
    expect(passes(1, 1, 1, { count: 1, failed: 1 }, 2, 2)).toMatchObject({ status: "completed", failed: 0, count: 2 });
    const poisoned = passes(...Array.from({ length: 50 }, () => ({ count: 1, failed: 1 })));
    expect(poisoned).toMatchObject({ status: "completed", failed: 1, count: 1 });
  });

  it("row 25: a page that fails is repeated after a while, later each time", () => {
    let state = paged(begin(request), page(5, "01A"), T0);
    const waits: number[] = [];
    for (let i = 0; i < 10; i++) {
      state = hindered(state, T0);
      waits.push(state.due - T0);
    }
    expect(waits[0]).toBe(OPERATION.retry.first);
    expect(waits.at(-1)).toBe(OPERATION.retry.max);
    expect(state).toMatchObject({ count: 5, pass: { cursor: "01A", count: 5 } });
    expect(paged(state, page(1, "01B"), T0)).toMatchObject({ failures: 0, count: 6 });
  });

  it("API-12: stopping is final; a page that was under way still counts", () => {
    const state = stopped(paged(begin(request), page(5, "01A"), T0), T0 + 1);
    expect(state).toMatchObject({ status: "stopped", endedAt: T0 + 1, count: 5 });
    expect(paged(state, page(2, "01B"), T0 + 2)).toMatchObject({ status: "stopped", endedAt: T0 + 1, count: 7 });
    expect(stopped(state, T0 + 9)).toBe(state);
    const completed = passes(0, 0, 0, 0);
    expect(stopped(completed, T0 + 99)).toBe(completed);
  });

  it("I6: whatever pages come, the count never falls and the operation comes to an end", () => {
    const pages = fc.record({ count: fc.nat(5), failed: fc.nat(1), last: fc.boolean() });
    fc.assert(
      fc.property(fc.array(pages, { minLength: 1, maxLength: 100 }), (all) => {
        let state = begin(request);
        for (const { count, failed, last } of all) {
          const next = paged(state, page(count, last ? null : "01A", failed), state.due);
          expect(next.count).toBeGreaterThanOrEqual(state.count);
          expect(next.due).toBeGreaterThanOrEqual(state.due);
          state = next;
        }
        for (let i = 0; i < OPERATION.passes; i++) state = paged(state, page(0, null, 1), state.due);
        expect(state.status).toBe("completed");
      }),
    );
  });
});
