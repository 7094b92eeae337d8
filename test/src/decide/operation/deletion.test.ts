import { describe, expect, it } from "vitest";
import { type DeleteRequest, type DeletionTarget, ofUser } from "../../../../src/decide/operation/deletion.ts";
import { begin, lasting, type OperationState, paged, stopped } from "../../../../src/decide/operation/operation.ts";
import { compileCached } from "../../../../src/expressions/cache.ts";
import { evaluateCondition } from "../../../../src/expressions/evaluate.ts";
import { OPERATION } from "../../../../src/limits.ts";

const T0 = 1_800_000_000_000;
const CANARY = "canary-user";

const requestOf = (target: DeletionTarget): DeleteRequest => ({
  kind: "delete",
  id: "01JD00000000000000000000PR",
  environmentId: "env",
  target,
  after: null,
  before: T0 + 1,
  cancels: false,
  createdAt: T0,
});
const search = requestOf({ by: "external_id", source: ofUser(CANARY) });
const single = requestOf({ by: "run", runId: "01JD0000000000000000000RUN" });

const page = (count: number, failed = 0) => ({ cursor: null, count, asked: 0, failed });

/** Passes of one page each, at the times the deletion itself names, until it is over. */
function passes(request: DeleteRequest, ...counts: readonly (readonly [count: number, failed: number])[]) {
  let state: OperationState = begin(request);
  for (const [count, failed] of counts) {
    if (state.status === "running") state = paged(state, page(count, failed), state.due);
  }
  return state;
}

describe("a deletion", () => {
  it("OB-25: removes nothing before history knows all that led from it", () => {
    for (const request of [search, single]) expect(begin(request).due).toBe(T0 + OPERATION.settle);
  });

  it("OB-25: adds up its passes, because what is gone is not found again", () => {
    let state = begin(search);
    for (const count of [3, 2, 1, 0]) {
      expect(state.status).toBe("running");
      state = paged(state, page(count), state.due);
    }
    expect(state).toMatchObject({ status: "completed", count: 6 });
    expect(state.endedAt).toBeGreaterThanOrEqual(T0 + OPERATION.settle);
  });

  it("OB-25: searches until a pass finds nothing", () => {
    const endless = Array.from({ length: 8 }, () => [1, 0] as const);
    expect(passes(search, ...endless)).toMatchObject({ status: "running", count: 8 });
    expect(passes(search, [0, 1]).status).toBe("running");
    expect(passes(search, [0, 0]).status).toBe("completed");
  });

  it("OB-25: one run is over when it is gone, and tried again until then", () => {
    expect(passes(single, [1, 0])).toMatchObject({ status: "completed", count: 1 });
    expect(passes(single, [0, 1], [0, 1])).toMatchObject({ status: "running", count: 0, failed: 1 });
    expect(passes(single, [0, 1], [0, 1], [1, 0])).toMatchObject({ status: "completed", count: 1, failed: 0 });
  });

  it("OB-25: a page that did enough is followed by the next one at once, from where it began", () => {
    const state = paged(begin(search), { ...page(5), asked: 10, hold: "more" }, T0);
    expect(state).toMatchObject({ status: "running", count: 5, due: T0 + 10 * OPERATION.pace });
    expect(state.pass).toMatchObject({ number: 1, cursor: null });
  });

  it("OB-25: over or stopped, it keeps the kind of what it looked for and no word of it", () => {
    for (const source of [ofUser(CANARY), `event.data.email == "${CANARY}"`]) {
      for (const by of ["external_id", "expression"] as const) {
        const request = requestOf({ by, source });
        const done = passes(request, ...Array.from({ length: 20 }, () => [0, 0] as const));
        expect(done.status).toBe("completed");
        for (const state of [done, stopped(begin(request), T0)]) {
          expect(JSON.stringify(state)).not.toContain(CANARY);
          expect(state.request).toMatchObject({ target: { by, source: null } });
        }
        // What lists show is kept from the beginning on.
        expect(JSON.stringify(lasting(request))).not.toContain(CANARY);
      }
    }
    expect(lasting(single)).toBe(single);
  });

  it.each(["a", "42", "0", "-7", "1e3", "007", 'say "hi"\\', "new\nline", "ü🙂", "12345678901234567890"])(
    "OB-25: the external id %j is that text, or the number it writes, and nothing else",
    (id) => {
      const compiled = compileCached(ofUser(id), "event_search");
      if (!compiled.ok) throw new Error(compiled.error.message);
      const matches = (external_id: string | number) => {
        const event = { name: "x", data: {}, id: "i", ts: T0, user: { external_id } };
        const result = evaluateCondition(compiled.expression, { event }, T0);
        return result.ok && result.matched;
      };
      expect(matches(id)).toBe(true);
      expect(matches(`${id} `)).toBe(false);
      expect(matches(Number(id))).toBe(String(Number(id)) === id && Number.isSafeInteger(Number(id)));
    },
  );
});
