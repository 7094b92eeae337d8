import { describe, expect, it } from "vitest";
import { type Moment, momentsOf, standing } from "../../../../src/decide/run/life.ts";
import type { AcceptedEvent } from "../../../../src/events/event.ts";
import type { Op } from "../../../../src/protocol/opcodes.ts";
import { completed, errored, failed, planned, ran, slept, T0, TestRun } from "./run.ts";

const step = (id: string) => ({ id, label: { name: id, type: null }, race: false, metadata: [] });
const waitFor: Op = { op: "wait", event: "a/c", condition: null, until: "1h", ...step("w") };

const anEvent: AcceptedEvent = {
  internalId: "01JD00000000000000000000E2",
  receivedAt: T0,
  source: "test",
  deduplicationId: null,
  payload: { name: "a/c", data: { n: 1 }, id: "01JD00000000000000000000E2", ts: T0, user: {} },
};

/** Everything there was to tell about a run. */
function told(run: TestRun): Moment[] {
  return run.log.flatMap((decision, i) => momentsOf(decision, i + 1));
}

const states = (run: TestRun) => told(run).flatMap(({ of, data }) => (of === "life" ? [data["state"]] : []));

describe("a run's life", () => {
  it("BY-9: queued, started, each step, each wait, the end", () => {
    const run = new TestRun();
    run.wake(0);
    run.ops([ran("a", { secret: 1 })]);
    run.ops([slept("s", "10s")]);
    run.wake(10_000);
    run.ops([waitFor]);
    run.wake(3_600_000);
    run.output({ done: true });
    expect(states(run)).toEqual(["queued", "started", "step", "waiting", "step", "waiting", "step", "ended"]);
  });

  it("tells outputs only where they belong, and the end of a run after its output", () => {
    const run = new TestRun();
    run.ops([ran("a", { secret: 1 })]);
    run.output({ secret: 2 });
    const life = told(run).filter(({ of }) => of === "life");
    expect(JSON.stringify(life)).not.toContain("secret");
    expect(told(run).filter(({ of }) => of !== "life")).toEqual([
      { of: "step", data: { secret: 1 }, metadata: { step: { id: "a", name: "a", type: null }, ok: true } },
      { of: "end", data: { secret: 2 }, metadata: { status: "completed" } },
    ]);
    expect(told(run).at(-1)).toMatchObject({ of: "life", data: { state: "ended", status: "completed" } });
  });

  it("tells what a step failed with, and every new attempt", () => {
    const run = new TestRun({ retries: 1 });
    run.ops([planned("a"), planned("b")]);
    run.ops([errored("a", "once")], { job: run.jobOf("a") });
    run.ops([failed("b", "never")], { job: run.jobOf("b") });
    expect(states(run)).toEqual(["queued", "started", "retrying", "step"]);
    const retrying = told(run).find(({ data }) => JSON.stringify(data).includes("retrying"));
    expect(retrying?.data).toMatchObject({ attempt: 1, until: new Date(T0 + 1000).toISOString() });
    expect(told(run).find(({ of }) => of === "step")).toMatchObject({
      data: { name: "NonRetriableError", message: "never" },
      metadata: { ok: false, step: { id: "b" } },
    });
  });

  it("tells the event a step waited for as it is, and nothing of one that never came", () => {
    const run = new TestRun();
    run.ops([waitFor]);
    const { payload } = anEvent;
    run.take({ kind: "event", stepId: "w", event: anEvent });
    expect(told(run).filter(({ of }) => of === "step")).toMatchObject([{ data: payload, metadata: { ok: true } }]);
    const late = new TestRun();
    late.ops([waitFor]);
    late.wake(3_600_000);
    expect(told(late).filter(({ of }) => of === "step")).toMatchObject([{ data: null, metadata: { ok: true } }]);
  });

  it("numbers what it tells by the decision, so that whoever comes in between knows what is new", () => {
    const run = new TestRun();
    run.ops([ran("a")]);
    const now = standing(run.state, T0 + 5);
    expect(now).toEqual({
      of: "life",
      data: {
        state: "now",
        status: "running",
        steps: 1,
        sequence: run.state.sequence,
        at: new Date(T0 + 5).toISOString(),
      },
    });
    run.ops([completed("end")]);
    const numbers = told(run).flatMap(({ of, data }) => (of === "life" ? [Number(data["sequence"])] : []));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(numbers.at(-1)).toBe(run.state.sequence);
    expect(standing(run.state, T0).data).toMatchObject({ status: "completed" });
  });

  it("says nothing about what is between the engine and the app", () => {
    expect(
      momentsOf(
        {
          at: T0,
          changes: [
            { is: "delivered", job: 1 },
            { is: "done", job: 1 },
          ],
        },
        2,
      ),
    ).toEqual([]);
  });
});
