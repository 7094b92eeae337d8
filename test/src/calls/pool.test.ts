import { describe, expect, it, vi } from "vitest";
import type { Bindings } from "../../../src/bindings.ts";
import { CallPool } from "../../../src/calls/pool.ts";
import type { Input } from "../../../src/decide/run/decide.ts";
import type { CallReply } from "../../../src/protocol/call-reply.ts";
import { TestRun } from "../decide/run/run.ts";

vi.mock("../../../src/calls/call.ts", () => ({
  callApp: (): Promise<CallReply> => Promise.resolve({ kind: "output", output: null, version: 2 }),
}));
vi.mock("../../../src/runs/standing.ts", () => ({ standingOf: () => Promise.resolve(undefined) }));

/** A run whose first input cannot be decided. */
function poolOf(run: TestRun, failures: number) {
  const taken: Input[] = [];
  const failed: unknown[] = [];
  const pool = new CallPool({} as Bindings, {
    state: () => run.state,
    take(input) {
      taken.push(input);
      if (taken.length <= failures) return Promise.reject(new RangeError("Invalid time value"));
      run.take(input);
      return Promise.resolve();
    },
    advance: () => undefined,
    failed: (error) => {
      failed.push(error);
    },
  });
  return { pool, taken, failed };
}

describe("a reply that no decision can be made of (SE-15, I4)", () => {
  it("fails its attempt with internal_error, which names what happened, and is reported", async () => {
    const run = new TestRun({ retries: 0 });
    const { pool, taken, failed } = poolOf(run, 1);
    pool.deliver(run.job());
    await vi.waitFor(() => expect(taken).toHaveLength(2));
    expect(run.state.outcome).toMatchObject({
      status: "failed",
      output: { code: "internal_error", message: "The reply could not be dealt with: Invalid time value" },
    });
    expect(failed).toEqual([new RangeError("Invalid time value")]);
    expect(pool.delivering.size).toBe(0);
  });

  it("is left to the watchdog when that cannot be stored either", async () => {
    const run = new TestRun({ retries: 0 });
    const { pool, taken, failed } = poolOf(run, 2);
    pool.deliver(run.job());
    await vi.waitFor(() => expect(failed).toHaveLength(2));
    expect(taken).toHaveLength(2);
    expect(run.state.outcome).toBeNull();
    expect(pool.delivering.size).toBe(0);
  });
});
