import { describe, expect, it } from "vitest";
import type { FunctionConfiguration, RegisteredFunction, Trigger } from "../../../src/apps/function.ts";
import type { Standing } from "../../../src/decide/window/claim.ts";
import type { AcceptedEvent, EventPayload } from "../../../src/events/event.ts";
import { identityOf, matchEvent, type RoutingCatalog, routeEvent } from "../../../src/events/route.ts";
import { runIdFor } from "../../../src/ids.ts";
import type { JsonObject } from "../../../src/json.ts";

const ENVIRONMENT = "env-1";
const NOW = Date.UTC(2026, 10, 21);
const OWNER: Standing = { standing: "owner", settled: false };

const configuration: FunctionConfiguration = {
  triggers: [],
  url: "http://app/api/inngest",
  retries: 4,
  concurrency: [],
  runConcurrency: [],
  throttle: null,
  rateLimit: null,
  idempotency: null,
  debounce: null,
  batchEvents: null,
  singleton: null,
  priority: null,
  timeouts: null,
  cancel: [],
};

const on = (event: string, expression: string | null = null): Trigger => ({ kind: "event", event, expression });

function fn(name: string, triggers: Trigger[], archived = false): RegisteredFunction {
  const app = { id: "app-uuid", name: "shop" };
  const details = { id: `uuid-of-${name}`, slug: `shop-${name}`, name, version: 2, app, archived };
  return { ...details, configuration: { ...configuration, triggers } };
}

/** A catalog that knows exact names only: wildcards are the real catalog's business. */
function catalog(...functions: RegisteredFunction[]): RoutingCatalog {
  return {
    functionsFor: (name) =>
      functions.flatMap((one) =>
        one.configuration.triggers
          .filter((trigger) => trigger.kind === "event" && (trigger.event === name || trigger.event === "inngest/*"))
          .map((trigger) => ({ function: one, trigger })),
      ),
    functionNamed: (name) => functions.find(({ id, slug }) => id === name || slug === name) ?? null,
  };
}

/** Expressions of these tests: `yes`, `no`, and everything else fails. */
const evaluate = (source: string) =>
  source === "yes" || source === "no"
    ? ({ ok: true, matched: source === "yes" } as const)
    : ({ ok: false, error: `cannot evaluate ${source}` } as const);

function event(name: string, data: JsonObject = {}, ts = NOW): AcceptedEvent {
  const internalId = "01HF7YAT00000G40R40M30E20A";
  const payload: EventPayload = { name, data, id: internalId, ts, user: {} };
  return { internalId, receivedAt: NOW, source: "test", deduplicationId: null, payload };
}

const slugs = (name: string, data: JsonObject, ...functions: RegisteredFunction[]) =>
  matchEvent(event(name, data).payload, catalog(...functions), evaluate).map((match) => match.function.slug);

describe("matchEvent", () => {
  it("TR-1: an event is for every function with a matching trigger", () => {
    expect(slugs("a", {}, fn("one", [on("a")]), fn("two", [on("b")]), fn("three", [on("a")]))).toEqual([
      "shop-one",
      "shop-three",
    ]);
  });

  it.each<[string, Trigger[], { error: string | null }[]]>([
    ["true", [on("a", "yes")], [{ error: null }]],
    ["not true", [on("a", "no")], []],
    ["failing", [on("a", "oops")], [{ error: "cannot evaluate oops" }]],
    ["one of two true", [on("a", "no"), on("a", "yes")], [{ error: null }]],
    ["two true", [on("a", "yes"), on("a")], [{ error: null }]],
    ["failing, then true", [on("a", "oops"), on("a", "yes")], [{ error: null }]],
    ["true, then failing", [on("a", "yes"), on("a", "oops")], [{ error: null }]],
    ["failing, then not true", [on("a", "oops"), on("a", "no")], [{ error: "cannot evaluate oops" }]],
  ])("TR-6, TR-8: a function whose triggers are %s", (_, triggers, expected) => {
    const found = matchEvent(event("a").payload, catalog(fn("one", triggers)), evaluate);
    expect(found.map(({ error }) => ({ error }))).toEqual(expected);
  });

  it("AP-7: archived functions see nothing, not even an invocation", () => {
    expect(slugs("a", {}, fn("one", [on("a")], true))).toEqual([]);
    expect(slugs("inngest/function.invoked", { _inngest: { fn_id: "shop-one" } }, fn("one", [], true))).toEqual([]);
  });

  it.each(["shop-one", "uuid-of-one"])(
    "TR-17: an invoked event is for the function it names as %s, whatever its triggers",
    (id) => {
      const others = [fn("two", [on("a")]), fn("three", [on("inngest/*")])];
      expect(
        slugs("inngest/function.invoked", { _inngest: { fn_id: id } }, fn("one", [on("a", "no")]), ...others),
      ).toEqual(["shop-one"]);
    },
  );

  it("TR-17: a trigger on exactly the invoked event matches too, once per function", () => {
    const listener = fn("two", [on("inngest/function.invoked")]);
    expect(slugs("inngest/function.invoked", { _inngest: { fn_id: "shop-one" } }, fn("one", []), listener)).toEqual([
      "shop-one",
      "shop-two",
    ]);
    expect(slugs("inngest/function.invoked", { _inngest: { fn_id: "shop-two" } }, listener)).toEqual(["shop-two"]);
  });

  it.each([
    {},
    { _inngest: null },
    { _inngest: { fn_id: 1 } },
    { _inngest: "shop-one" },
    { _inngest: { fn_id: "shop-none" } },
  ])("TR-17: an invoked event that names no function is for nobody (%j)", (data) => {
    expect(slugs("inngest/function.invoked", data, fn("one", [on("a")]))).toEqual([]);
  });

  it("TR-17: no other event reaches a function by naming it", () => {
    expect(slugs("a", { _inngest: { fn_id: "shop-one" } }, fn("one", []))).toEqual([]);
  });
});

describe("routeEvent", () => {
  const one = fn("one", []);
  const two = fn("two", []);
  const matches = [
    { function: one, error: null },
    { function: two, error: "boom" },
  ];

  it("EV-12: an owner's event starts each function and records every outcome", async () => {
    const { routed, starts } = await routeEvent(ENVIRONMENT, event("a"), matches, OWNER);
    const runId = await runIdFor(ENVIRONMENT, one.id, "01HF7YAT00000G40R40M30E20A");
    expect(starts).toEqual([{ runId, function: one }]);
    expect(routed).toEqual({
      event: event("a"),
      duplicate: false,
      outcomes: [
        { functionId: one.id, functionSlug: "shop-one", outcome: "started", runId },
        { functionId: two.id, functionSlug: "shop-two", outcome: "expression_error", reason: "boom" },
      ],
    });
  });

  it("EV-15: a duplicate starts nothing and says so for each function", async () => {
    const { routed, starts } = await routeEvent(ENVIRONMENT, event("a"), matches, { standing: "duplicate" });
    expect(starts).toEqual([]);
    expect(routed.duplicate).toBe(true);
    expect(routed.outcomes).toEqual([
      { functionId: one.id, functionSlug: "shop-one", outcome: "skipped", reason: "duplicate_event" },
      { functionId: two.id, functionSlug: "shop-two", outcome: "expression_error", reason: "boom" },
    ]);
  });

  it("EV-16: an event that stands in for another reaches the other's runs and is no duplicate", async () => {
    const standing: Standing = { standing: "stand_in", owner: "01HF7YAT00040G208104000000", settled: false };
    const { routed, starts } = await routeEvent(ENVIRONMENT, event("a"), matches, standing);
    const runId = await runIdFor(ENVIRONMENT, one.id, "01HF7YAT00040G208104000000");
    expect(starts.map((start) => start.runId)).toEqual([runId]);
    expect(routed.duplicate).toBe(false);
  });

  it("EV-12: an event that nothing matched has no outcomes", async () => {
    expect(await routeEvent(ENVIRONMENT, event("a"), [], OWNER)).toEqual({
      routed: { event: event("a"), outcomes: [], duplicate: false },
      starts: [],
    });
  });

  it("EV-7: routing again leads to the same runs, another function or environment to another", async () => {
    const ids = async (environment: string, ...functions: RegisteredFunction[]) => {
      const all = functions.map((each) => ({ function: each, error: null }));
      return (await routeEvent(environment, event("a"), all, OWNER)).starts.map(({ runId }) => runId);
    };
    const first = await ids(ENVIRONMENT, one, two);
    expect(await ids(ENVIRONMENT, one, two)).toEqual(first);
    expect(new Set([...first, ...(await ids("env-2", one, two))]).size).toBe(4);
  });
});

describe("identityOf", () => {
  it.each([
    ["the past", NOW - 60_000, NOW],
    ["the present", NOW, NOW],
    ["the future", NOW + 300_000, NOW + 300_000],
  ])("EV-10: an event from %s", (_, ts, startAt) => {
    const routed = { event: event("a", {}, ts), outcomes: [], duplicate: false };
    const identity = identityOf(ENVIRONMENT, routed, { runId: "run", function: fn("one", []) }, { now: NOW, depth: 3 });
    expect(identity).toEqual({
      environmentId: ENVIRONMENT,
      runId: "run",
      app: { id: "app-uuid", name: "shop" },
      function: { id: "uuid-of-one", slug: "shop-one", name: "one", version: 2 },
      retries: 4,
      events: [routed],
      queuedAt: NOW,
      startAt,
      depth: 3,
      parent: null,
      originalRunId: null,
    });
  });

  it.each<[string, string, JsonObject, object | null]>([
    [
      "the invoked function by slug",
      "inngest/function.invoked",
      { fn_id: "shop-one" },
      { runId: "run-1", stepId: "step-1" },
    ],
    [
      "the invoked function by id",
      "inngest/function.invoked",
      { fn_id: "uuid-of-one" },
      { runId: "run-1", stepId: "step-1" },
    ],
    ["another that listens to the event", "inngest/function.invoked", { fn_id: "shop-two" }, null],
    ["an event that only looks alike", "app/a", { fn_id: "shop-one" }, null],
  ])("EX-50: the waiting step is answered by the invoked function only: %s", (_, name, invocation, parent) => {
    const data = { _inngest: { ...invocation, correlation_id: "run-1.step-1" } };
    const routed = { event: event(name, data), outcomes: [], duplicate: false };
    const start = { runId: "run", function: fn("one", []) };
    expect(identityOf(ENVIRONMENT, routed, start, { now: NOW, depth: 0 }).parent).toEqual(parent);
  });

  it("TR-17: an invocation that nobody waits for has no parent", () => {
    const routed = {
      event: event("inngest/function.invoked", { _inngest: { fn_id: "shop-one" } }),
      outcomes: [],
      duplicate: false,
    };
    const start = { runId: "run", function: fn("one", []) };
    expect(identityOf(ENVIRONMENT, routed, start, { now: NOW, depth: 0 }).parent).toBeNull();
  });
});
