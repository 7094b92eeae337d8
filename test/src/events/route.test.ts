import { describe, expect, it } from "vitest";
import type { RegisteredFunction, Trigger } from "../../../src/apps/function.ts";
import type { AcceptedEvent, EventPayload } from "../../../src/events/event.ts";
import { matchEvent, parentOf, type RoutingCatalog, wayOf } from "../../../src/events/route.ts";
import type { JsonObject } from "../../../src/json.ts";
import { configurationWith } from "../apps/configuration.ts";

const NOW = Date.UTC(2026, 10, 21);

const on = (event: string, expression: string | null = null): Trigger => ({ kind: "event", event, expression });

function fn(name: string, triggers: Trigger[], archived = false): RegisteredFunction {
  const app = { id: "app-uuid", name: "shop" };
  const details = {
    id: `uuid-of-${name}`,
    slug: `shop-${name}`,
    name,
    version: 2,
    app,
    archived,
    paused: null,
    resumed: null,
  };
  return { ...details, configuration: configurationWith({ triggers }) };
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
  matchEvent(event(name, data).payload, catalog(...functions), evaluate, () => null).map(
    (match) => match.function.slug,
  );

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
    const found = matchEvent(event("a").payload, catalog(fn("one", triggers)), evaluate, () => null);
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

describe("wayOf", () => {
  const plain = fn("one", [on("a")]);
  const paused: RegisteredFunction = { ...plain, paused: { since: NOW, running: "hold" } };
  const batching: RegisteredFunction = {
    ...plain,
    configuration: configurationWith({ batchEvents: { maxSize: 2, timeout: 1000, key: null, condition: "yes" } }),
  };
  const debouncing: RegisteredFunction = {
    ...plain,
    configuration: configurationWith({ debounce: { period: 1000, timeout: null, key: null } }),
  };
  const started = { way: "starts" };
  const skipped = (reason: string) => ({ way: "skipped", reason });

  it("a match starts a run, unless an earlier event had the same id (EV-15)", () => {
    const match = { function: plain, error: null, into: null };
    expect(wayOf(match, false)).toEqual(started);
    expect(wayOf(match, true)).toEqual(skipped("duplicate_event"));
  });

  it("TR-6: a trigger that failed is an outcome of its own, also of a duplicate", () => {
    const outcome = { functionId: plain.id, functionSlug: "shop-one", outcome: "expression_error", reason: "boom" };
    for (const duplicate of [false, true]) {
      expect(wayOf({ function: paused, error: "boom", into: null }, duplicate)).toEqual({ way: "failed", outcome });
    }
  });

  it("EV-17: while a function is paused each event is skipped because of that, duplicates and those that would gather too", () => {
    for (const duplicate of [false, true]) {
      expect(wayOf({ function: paused, error: null, into: null }, duplicate)).toEqual(skipped("function_paused"));
      const gathering = { function: { ...debouncing, paused: paused.paused }, error: null, into: "debounce" } as const;
      expect(wayOf(gathering, duplicate)).toEqual(skipped("function_paused"));
    }
  });

  it.each([
    ["batch", batching],
    ["debounce", debouncing],
  ] as const)(
    "EV-17: a function with %s takes a duplicate like any other event, gathered or not (FC-35)",
    (into, one) => {
      for (const duplicate of [false, true]) {
        expect(wayOf({ function: one, error: null, into }, duplicate)).toEqual({ way: "gathers", into });
        expect(wayOf({ function: one, error: null, into: null }, duplicate)).toEqual(started);
      }
    },
  );

  it("what gathers is asked about matches only", () => {
    const asked: string[] = [];
    const found = matchEvent(
      event("a").payload,
      catalog(fn("one", [on("a")]), fn("two", [on("a", "oops")])),
      evaluate,
      (one) => {
        asked.push(one.slug);
        return "batch";
      },
    );
    expect(found.map(({ into }) => into)).toEqual(["batch", null]);
    expect(asked).toEqual(["shop-one"]);
  });
});

describe("parentOf", () => {
  const parent = { runId: "run-1", stepId: "step-1" };

  it.each<[string, string, JsonObject, object | null]>([
    ["the invoked function by slug", "inngest/function.invoked", { fn_id: "shop-one" }, parent],
    ["the invoked function by id", "inngest/function.invoked", { fn_id: "uuid-of-one" }, parent],
    ["another that listens to the event", "inngest/function.invoked", { fn_id: "shop-two" }, null],
    ["an event that only looks alike", "app/a", { fn_id: "shop-one" }, null],
  ])("EX-50: the waiting step is answered by the invoked function only: %s", (_, name, invocation, expected) => {
    const data = { _inngest: { ...invocation, correlation_id: "run-1.step-1" } };
    expect(parentOf(event(name, data).payload, fn("one", []))).toEqual(expected);
  });

  it("TR-17: an invocation that nobody waits for has no parent", () => {
    const invoked = event("inngest/function.invoked", { _inngest: { fn_id: "shop-one" } });
    expect(parentOf(invoked.payload, fn("one", []))).toBeNull();
  });
});
