import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RunState } from "../../../src/decide/run/state.ts";
import { ENDPOINT } from "../../../src/limits.ts";
import type { EndpointResult } from "../../../src/protocol/endpoint-output.ts";
import { Results } from "../../../src/runs/results.ts";
import { completed, T0, TestRun } from "../decide/run/run.ts";

const origin = {
  method: "GET",
  url: "https://shop.test/",
  contentType: "",
  version: 2,
  sdk: "inngest-js:v4",
  lease: 1000,
};
const RESPONSE = { status: 200, headers: {}, body: "null" };

beforeEach(() => {
  vi.useFakeTimers({ now: T0 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A run whose handler fell silent, and the callers who wait for it. */
function waiting(over = {}) {
  const run = new TestRun({ endpoint: origin, ...over });
  run.wake(1000);
  vi.setSystemTime(run.now);
  const results = new Results((): RunState | null => run.state);
  const answers: EndpointResult[] = [];
  const ask = (patience: number) => void results.wait(patience).then((result) => answers.push(result));
  return { run, results, answers, ask };
}

describe("EX-70: waiting for a result", () => {
  it("ends with `running` when the patience is over, not before", async () => {
    const { answers, ask } = waiting();
    ask(60_000);
    await vi.advanceTimersByTimeAsync(59_999);
    expect(answers).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(answers).toEqual([{ state: "running" }]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not begin without patience", async () => {
    const { answers, ask } = waiting();
    ask(0);
    await vi.advanceTimersByTimeAsync(0);
    expect(answers).toEqual([{ state: "running" }]);
  });

  it("ends for everybody as soon as the run has ended and told its head", async () => {
    const { run, results, answers, ask } = waiting();
    ask(60_000);
    ask(60_000);
    run.take({ kind: "responded", head: { status: 201, headers: {} } });
    results.changed();
    await vi.advanceTimersByTimeAsync(0);
    expect(answers).toEqual([]);
    run.ops([completed(RESPONSE)]);
    results.changed();
    await vi.advanceTimersByTimeAsync(0);
    const ended = { state: "ended", completed: true, output: RESPONSE, head: { status: 201 }, sdk: "inngest-js:v4" };
    expect(answers).toMatchObject([ended, ended]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("a head that never comes is waited for only shortly", async () => {
    const { run, results, answers, ask } = waiting();
    ask(60_000);
    run.ops([completed(RESPONSE)]);
    results.changed();
    await vi.advanceTimersByTimeAsync(ENDPOINT.grace - 1);
    expect(answers).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(answers).toMatchObject([{ state: "ended", head: null }]);
  });

  it("a failure has no head to wait for", async () => {
    const { run, results, answers, ask } = waiting();
    ask(60_000);
    run.error({ message: "bad" }, true);
    results.changed();
    await vi.advanceTimersByTimeAsync(0);
    expect(answers).toMatchObject([{ state: "ended", completed: false, output: { message: "bad" } }]);
  });

  it("there is none of a run that an event started, or of no run", async () => {
    const { answers, ask } = waiting({ endpoint: undefined });
    ask(60_000);
    void new Results(() => null).wait(60_000).then((result) => answers.push(result));
    await vi.advanceTimersByTimeAsync(0);
    expect(answers).toEqual([{ state: "unknown" }, { state: "unknown" }]);
  });
});
