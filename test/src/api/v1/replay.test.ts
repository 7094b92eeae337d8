import { describe, expect, it } from "vitest";
import { replayJson } from "../../../../src/api/v1/replay.ts";
import { begin, type OperationState, type ReplayRequest } from "../../../../src/decide/operation/operation.ts";
import type { RunStatus } from "../../../../src/history/message.ts";

const at = Date.UTC(2026, 10, 21, 2);
const request: ReplayRequest = {
  id: "01JD00000000000000000000PR",
  environmentId: "env",
  kind: "replay",
  app: { id: "app-uuid", name: "shop" },
  function: { id: "fn-uuid", slug: "shop-fn" },
  after: null,
  before: at,
  condition: "event.data.n > 1",
  createdAt: at,
  name: "Bug fix 958",
  statuses: ["failed", "completed"],
  preview: 120,
};
const watch = { since: at, ended: 0, changedAt: at };

function shown(over: Partial<OperationState>, tally: readonly (readonly [RunStatus, number])[] = []) {
  return replayJson({ request, state: { ...begin(request), ...over }, tally: new Map(tally) });
}

describe("CR-24: the replay object", () => {
  it("says what was asked for, in the words of replays", () => {
    expect(shown({})).toMatchObject({
      id: request.id,
      name: "Bug fix 958",
      function_id: "fn-uuid",
      function_slug: "shop-fn",
      from: null,
      until: "2026-11-21T02:00:00.000Z",
      statuses: ["Failed", "Succeeded"],
      if: "event.data.n > 1",
      status: "running",
      ended_at: null,
    });
  });

  it("counts on the preview until it has passed over everything", () => {
    expect(shown({ count: 24 }, [["running", 20]])).toMatchObject({ total: 120, started: 24, remaining: 120 });
    expect(shown({ count: 130 })).toMatchObject({ total: 130, started: 130 });
    expect(shown({ count: 118, watch })).toMatchObject({ total: 118, remaining: 118 });
  });

  it("tells ends apart", () => {
    const tally = [
      ["completed", 70],
      ["failed", 20],
      ["cancelled", 5],
      ["running", 25],
    ] as const;
    const ended = { completed: 70, failed: 20, cancelled: 5 };
    expect(shown({ count: 120, watch }, tally)).toMatchObject({ total: 120, started: 120, ended, remaining: 25 });
  });

  it("one that was stopped dropped the rest", () => {
    const stopped = { status: "stopped", count: 48, endedAt: at } as const;
    expect(shown(stopped, [["completed", 40]])).toMatchObject({ total: 120, started: 48, dropped: 72, remaining: 8 });
  });

  it("runs that could not be started remain with nobody", () => {
    const state = { count: 100, failed: 5, lost: 15, watch, status: "completed" } as const;
    expect(shown(state, [["completed", 100]])).toMatchObject({ total: 120, remaining: 0, failed: 5, lost: 15 });
  });
});
