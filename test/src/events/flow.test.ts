import { describe, expect, it } from "vitest";
import type { ConcurrencyLimit, FunctionConfiguration } from "../../../src/apps/function.ts";
import { flowOf, gatheringOf } from "../../../src/events/flow.ts";
import type { JsonObject } from "../../../src/json.ts";
import { accepted, fn, NOW } from "./registered.ts";

const DAY = 24 * 60 * 60 * 1000;

const planFor = (options: Partial<FunctionConfiguration>, data: JsonObject = {}, ceiling: number | null = null) =>
  flowOf(fn(options), accepted(data).payload, { now: NOW, ceiling });

const limit = (
  count: number,
  key: string | null = null,
  scope: ConcurrencyLimit["scope"] = "fn",
): ConcurrencyLimit => ({
  limit: count,
  key,
  scope,
});

const throttle = (key: string | null) => ({ limit: 1, period: 5000, burst: 1, key });

/** Lines as short texts. */
const lines = (...args: Parameters<typeof planFor>) =>
  planFor(...args).flow?.lines.map(({ counts, scope, expression, key }) => [counts, scope, expression, key].join(" "));

describe("flowOf", () => {
  it("a function without flow control costs nothing: no flow, no gates, no lanes", () => {
    expect(planFor({})).toEqual({
      gates: { rateLimit: null, idempotency: null, singleton: null },
      flow: undefined,
      notBefore: NOW,
      warnings: [],
      lanes: [],
    });
  });

  it.each<[string, Partial<FunctionConfiguration>]>([
    ["limits of 0", { concurrency: [limit(0), limit(0, "event.data.a")], runConcurrency: [limit(0)] }],
    ["time-outs that are not set", { timeouts: { start: null, finish: null } }],
    ["a gate that leaves nothing to the run", { rateLimit: { limit: 1, period: 1000, key: null } }],
    [
      "a cancel listener that is over",
      { cancel: [{ event: "a", condition: null, timeout: "2020-01-01T00:00:00.000Z" }] },
    ],
  ])("FC-3: nothing limits the run of a function with %s", (_, options) => {
    expect(planFor(options).flow).toBeUndefined();
  });

  it("the lines come in the order of acquisition, whatever the order of the options", () => {
    const concurrency = [limit(3, '"openai"', "account"), limit(1, "event.data.c")];
    const data = { c: "A", e: "E", t: "T" };
    expect(
      lines(
        { concurrency, runConcurrency: [limit(1, "event.data.e", "env")], throttle: throttle("event.data.t") },
        data,
        9,
      ),
    ).toEqual([
      "starts fn event.data.t T",
      "runs env event.data.e E",
      "steps fn event.data.c A",
      'steps account "openai" openai',
      "steps account  ",
    ]);
  });

  it("FC-5: only a function's own lines name it", () => {
    const concurrency = [limit(3, '"openai"', "account"), limit(1)];
    expect(planFor({ concurrency }).flow?.lines.map(({ functionId }) => functionId)).toEqual(["uuid-of-one", ""]);
  });

  it("FC-6: two limits that lead to the same line are one line, with the lower limit's key", () => {
    expect(lines({ concurrency: [limit(10), limit(5)] })).toEqual(["steps fn  "]);
    const shared = [limit(10, '"a"', "env"), limit(5, "event.data.x", "env")];
    expect(lines({ concurrency: shared }, { x: "a" })).toEqual(["steps env event.data.x a"]);
    expect(lines({ concurrency: shared }, { x: "b" })).toHaveLength(2);
    // The same value of two expressions of a function are two limits on its own.
    const own = [limit(10, '"a"'), limit(5, "event.data.x")];
    expect(lines({ concurrency: own }, { x: "a" })).toHaveLength(2);
  });

  it("FC-14: with a ceiling every run stands in the account's line", () => {
    expect(lines({}, {}, 2)).toEqual(["steps account  "]);
  });

  it("FC-41: a key that cannot be computed is empty, and a warning names option and reason", () => {
    const { flow, gates, warnings } = planFor(
      {
        concurrency: [limit(1, "event.data.user.id"), limit(2, "event.data.none")],
        throttle: throttle("event.data.nothing"),
        rateLimit: { limit: 1, period: 1000, key: "event.data.user.id" },
        idempotency: "event.data.cart",
        singleton: { mode: "skip", key: "event.data.id" },
      },
      { none: null },
    );
    expect(flow?.lines.map(({ key }) => key)).toEqual(["", "", ""]);
    expect(gates).toMatchObject({ rateLimit: { key: "" }, idempotency: { key: "" }, singleton: { key: "" } });
    expect(warnings.map(({ option }) => option).sort()).toEqual([
      "concurrency[0].key",
      "concurrency[1].key",
      "idempotency",
      "rateLimit.key",
      "singleton.key",
      "throttle.key",
    ]);
    expect(warnings.find(({ option }) => option === "concurrency[1].key")?.reason).toBe("the result was null");
    for (const { reason } of warnings) expect(reason).not.toBe("");
  });

  it("FC-41: a key that an older registration holds and that does not compile is empty too", () => {
    const { gates, warnings } = planFor({ idempotency: "event.data." });
    expect(gates.idempotency?.key).toBe("");
    expect(warnings).toMatchObject([{ option: "idempotency" }]);
  });

  it("FC-23, FC-39: a key that is false turns rate limit, idempotency and singleton off for the event", () => {
    const key = "event.data.plan == 'free' ? event.data.user : false";
    const options = {
      rateLimit: { limit: 1, period: 1000, key },
      idempotency: key,
      singleton: { mode: "cancel" as const, key },
    };
    const off = planFor(options, { plan: "paid", user: "u" });
    expect(off.gates).toEqual({ rateLimit: null, idempotency: null, singleton: null });
    expect(off.flow).toBeUndefined();
    expect(off.warnings).toEqual([]);
    expect(planFor(options, { plan: "free", user: "u" }).gates).toEqual({
      rateLimit: { key: "u", limit: { limit: 1, period: 1000 } },
      idempotency: { key: "u", limit: { limit: 1, period: DAY } },
      singleton: { key: "u", mode: "cancel" },
    });
  });

  it("FC-41: false is a key like any other for concurrency and throttle", () => {
    expect(lines({ concurrency: [limit(1, "event.data.f")] }, { f: false })).toEqual(["steps fn event.data.f false"]);
  });

  it.each<[number | string | boolean, number, boolean]>([
    [900, 600, false],
    [-900, -600, false],
    [2.9, 2, false],
    [-2.9, -2, false],
    [-0.5, 0, false],
    ["x", 0, true],
    [true, 0, true],
  ])("FC-30: the priority %s counts as %s", (p, priority, failed) => {
    const { flow, notBefore } = planFor({ priority: "event.data.p" }, { p });
    expect(Object.is(flow?.priority, priority)).toBe(true);
    expect(flow?.priorityError !== null).toBe(failed);
    expect(notBefore).toBe(NOW + Math.max(-priority, 0) * 1000);
  });

  it("FC-30: a priority that fails or is missing counts as 0 and says why", () => {
    expect(planFor({ priority: "event.data.p" }).flow).toMatchObject({
      priority: 0,
      priorityError: expect.any(String),
    });
    expect(planFor({ priority: "event.data." }).flow).toMatchObject({ priority: 0, priorityError: expect.any(String) });
  });

  it("CR-3: a cancel listener's end counts from the run's creation, or is a moment", () => {
    const listener = { event: "app/stop", condition: "async.data.x == event.data.x" };
    const { flow } = planFor({
      cancel: [
        { ...listener, timeout: null },
        { ...listener, timeout: "60000" },
        { ...listener, timeout: "2026-12-01T00:00:00.000Z" },
      ],
    });
    expect(flow?.cancelOn).toEqual([
      { ...listener, until: null },
      { ...listener, until: NOW + 60_000 },
      { ...listener, until: Date.UTC(2026, 11, 1) },
    ]);
  });

  it("CR-5: time-outs and a singleton's key go with the run", () => {
    expect(planFor({ timeouts: { start: 1000, finish: null } }).flow?.timeouts).toEqual({ start: 1000, finish: null });
    expect(planFor({ singleton: { mode: "skip", key: null } }).flow?.singleton).toBe("");
  });

  it("FC-8: starts share a lane exactly when they share a line or a gate", () => {
    const lanes = (options: Partial<FunctionConfiguration>, a: JsonObject, b: JsonObject) => {
      const [one, two] = [planFor(options, a).lanes, planFor(options, b).lanes];
      return one.filter((lane) => two.includes(lane)).length;
    };
    const keyed = { concurrency: [limit(1, "event.data.c")] };
    expect(lanes(keyed, { c: "A" }, { c: "A" })).toBe(1);
    expect(lanes(keyed, { c: "A" }, { c: "B" })).toBe(0);
    expect(lanes({ concurrency: [limit(1, "event.data.c"), limit(10)] }, { c: "A" }, { c: "B" })).toBe(1);
    expect(lanes({ rateLimit: { limit: 1, period: 1000, key: "event.data.c" } }, { c: "A" }, { c: "A" })).toBe(1);
    expect(lanes({ singleton: { mode: "skip", key: null } }, { c: "A" }, { c: "B" })).toBe(1);
    expect(lanes({ throttle: throttle("event.data.c") }, { c: "A" }, { c: "B" })).toBe(0);
  });
});

describe("gatheringOf", () => {
  const batch = (condition: string | null) => ({ maxSize: 10, timeout: 1000, key: null, condition });
  const into = (options: Partial<FunctionConfiguration>, data: JsonObject = {}) =>
    gatheringOf(fn(options).configuration, accepted(data).payload, NOW);

  it("FC-24, FC-32: a function with debounce or batching gathers its events", () => {
    expect(into({})).toBeNull();
    expect(into({ debounce: { period: 1000, timeout: null, key: null } })).toBe("debounce");
    expect(into({ batchEvents: batch(null) })).toBe("batch");
  });

  it.each<[string, JsonObject, "batch" | null]>([
    ["event.data.priority != 'high'", { priority: "low" }, "batch"],
    ["event.data.priority != 'high'", { priority: "high" }, null],
    ["event.data.yes", { yes: true }, "batch"],
    ["event.data.yes", { yes: 1 }, null],
    ["event.data.yes", {}, null],
    ["event.data.yes.no.more", { yes: 1 }, null],
    ["event.data.", {}, null],
  ])("FC-35: the condition %s of %j must be exactly true", (condition, data, expected) => {
    expect(into({ batchEvents: batch(condition) }, data)).toBe(expected);
  });
});
