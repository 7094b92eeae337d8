import { describe, expect, it } from "vitest";
import { endEvent, endEventNames } from "../../../../src/decide/run/end-events.ts";
import type { CancelCause } from "../../../../src/decide/run/flow.ts";
import { identity, T0, TestRun } from "./run.ts";

const triggeredBy = (name: string) => {
  const [first] = identity().events;
  if (first === undefined) throw new Error("a run has a trigger");
  return { events: [{ ...first, event: { ...first.event, payload: { ...first.event.payload, name } } }] };
};

describe("end events (CR-29 … CR-34)", () => {
  it("CR-34: a completed run announces its result once, and nothing before its end", () => {
    const run = new TestRun();
    expect(endEventNames(run.state)).toEqual([]);
    run.output(3);
    expect(endEventNames(run.state)).toEqual(["inngest/function.finished"]);
    expect(endEvent(run.state, "inngest/function.finished", "ID")).toEqual({
      name: "inngest/function.finished",
      id: "ID",
      ts: T0,
      user: {},
      data: {
        result: 3,
        event: identity().events[0]?.event.payload,
        events: [identity().events[0]?.event.payload],
        function_id: "shop-fn",
        run_id: identity().runId,
        _inngest: { status: "Completed" },
      },
    });
  });

  it("CR-30: a failed run names the slug, the run, the original event and the error with its text", () => {
    const run = new TestRun({ retries: 0 });
    run.error({
      name: "TypeError",
      message: "kaput",
      stack: "TypeError: kaput\n at x",
      cause: { name: "Error", message: "in" },
    });
    expect(endEventNames(run.state)).toEqual(["inngest/function.finished", "inngest/function.failed"]);
    expect(endEvent(run.state, "inngest/function.failed", "ID").data).toMatchObject({
      function_id: "shop-fn",
      error: {
        name: "TypeError",
        message: "kaput",
        error: "TypeError: kaput",
        stack: "TypeError: kaput\n at x",
        __serialized: true,
      },
      event: { data: { n: 1 } },
      _inngest: { status: "Failed" },
    });
  });

  it.each<[CancelCause, string]>([
    [{ by: "event", eventId: "01J", eventName: "a/stop" }, "event"],
    [{ by: "start_timeout" }, "timeout_start"],
    [{ by: "finish_timeout" }, "timeout_finish"],
    [{ by: "user" }, "user"],
    [{ by: "api" }, "api"],
    [{ by: "bulk", cancellationId: "01K" }, "bulk"],
    [{ by: "pause" }, "pause"],
    [{ by: "singleton", runId: "01L" }, "singleton"],
    [{ by: "parent", runId: "01M" }, "parent"],
  ])("CR-33: a cancelled run says so in the same words, whatever the cause: %j", (cause, word) => {
    const run = new TestRun();
    run.take({ kind: "cancel", cause, executing: new Set() });
    expect(endEventNames(run.state)).toEqual(["inngest/function.finished", "inngest/function.cancelled"]);
    expect(endEvent(run.state, "inngest/function.cancelled", "ID").data).toEqual({
      error: { error: "function cancelled", message: "function cancelled", name: "Error" },
      event: identity().events[0]?.event.payload,
      events: [identity().events[0]?.event.payload],
      function_id: "shop-fn",
      run_id: identity().runId,
      _inngest: { status: "Cancelled", cause: word },
    });
  });

  it("spec/00: a transport failure's text is the transport error itself", () => {
    const run = new TestRun({ retries: 0 });
    run.error({ name: "app_unreachable", code: "app_unreachable", message: "invalid status code: 500" });
    expect(endEvent(run.state, "inngest/function.failed", "ID").data).toMatchObject({
      error: { error: "invalid status code: 500" },
    });
  });

  it.each(["inngest/function.failed", "inngest/function.finished", "inngest/function.cancelled"])(
    "TR-20: a run that %s started emits none",
    (name) => {
      const run = new TestRun({ retries: 0, ...triggeredBy(name) });
      run.error();
      expect(run.state.outcome?.status).toBe("failed");
      expect(endEventNames(run.state)).toEqual([]);
    },
  );
});
