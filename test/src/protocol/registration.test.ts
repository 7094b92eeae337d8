import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Json, parseJson } from "../../../src/json.ts";
import { parseRegistration } from "../../../src/protocol/registration.ts";

function fixture(name: string): Json {
  const parsed = parseJson(readFileSync(new URL(`../../fixtures/registration/${name}.json`, import.meta.url), "utf8"));
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

function functionOf(body: Json) {
  const registration = parseRegistration({ appName: "app", functions: [body] });
  expect(registration.violations).toEqual([]);
  const [parsed] = registration.functions;
  if (parsed === undefined) throw new Error("no function was read");
  return { parsed, unknown: registration.unknown.map(({ field }) => field) };
}

describe("captured bodies", () => {
  it.each([
    ["js-v3.54.2-fn-register-body", "js:v3.54.2", "http://127.0.0.1:PORT/api/inngest?deployId=dep-1", 4],
    ["js-v4.24.0-fn-register-body", "js:v4.24.0", "http://127.0.0.1:PORT/api/inngest?deployId=dep-1", 5],
    ["js-v3.54.2-in-band-sync-response", "js:v3.54.2", "https://example.com/api/inngest", 4],
    ["js-v4.24.0-in-band-sync-response", "js:v4.24.0", "https://example.com/api/inngest", 5],
  ])("AP-19: %s is read without a remark", (name, sdk, url, count) => {
    const registration = parseRegistration(fixture(name));
    expect(registration).toMatchObject({
      appName: "cap-app",
      sdk,
      url,
      framework: "nodejs",
      appVersion: "1.2.3",
    });
    expect(registration.functions).toHaveLength(count);
    expect(registration.capabilities).toEqual({ trust_probe: "v1", connect: "v1" });
    expect(registration.violations).toEqual([]);
    expect(registration.unknown).toEqual([]);
  });

  it("AP-18: the failure handler is a function of its own", () => {
    const registration = parseRegistration(fixture("js-v4.24.0-fn-register-body"));
    expect(registration.functions[1]).toMatchObject({
      id: "cap-app-all-failure",
      triggers: [{ event: "inngest/function.failed", expression: "event.data.function_id == 'cap-app-all'" }],
    });
  });
});

describe("options from every SDK", () => {
  it.each<[string, Json, Json]>([
    ["a number", 3, { fn: [], step: [{ limit: 3 }] }],
    ["an object", { limit: 1, key: "k" }, { fn: [], step: [{ limit: 1, key: "k" }] }],
    ["an array", [{ limit: 1 }, 2], { fn: [], step: [{ limit: 1 }, { limit: 2 }] }],
    ["Go's two lists", { fn: [{ limit: 1 }], step: [{ limit: 2 }] }, { fn: [{ limit: 1 }], step: [{ limit: 2 }] }],
    ["one of Go's lists", { fn: [{ limit: 1 }] }, { fn: [{ limit: 1 }], step: [] }],
  ])("AP-19: concurrency as %s", (_form, concurrency, expected) => {
    expect(functionOf({ id: "app-a", concurrency }).parsed.concurrency).toEqual(expected);
  });

  it("AP-19: Python's nulls are absent options, at every depth", () => {
    const { parsed, unknown } = functionOf({
      id: "app-a",
      name: null,
      batchEvents: null,
      cancel: null,
      triggers: [{ event: "a", expression: null }],
      throttle: { limit: 1, period: "1s", burst: null, key: null },
    });
    expect(parsed).toEqual({
      id: "app-a",
      triggers: [{ event: "a" }],
      steps: {},
      throttle: { limit: 1, period: "1s" },
      cancel: [],
    });
    expect(unknown).toEqual([]);
  });

  it("AP-19: retries at function level, as number or object, and legacy cancelOn", () => {
    expect(functionOf({ id: "app-a", retries: 2 }).parsed.retries).toEqual({ attempts: 2 });
    expect(functionOf({ id: "app-a", retries: { attempts: 3 } }).parsed.retries).toEqual({ attempts: 3 });
    expect(functionOf({ id: "app-a", cancelOn: [{ event: "c" }] }).parsed.cancel).toEqual([{ event: "c" }]);
  });

  it("AP-16: unknown fields are dropped and named where they stand", () => {
    const { parsed, unknown } = functionOf({
      id: "app-a",
      zip: 1,
      triggers: [{ event: "a", foo: { bar: 1 } }],
      concurrency: [{ limit: 1, colour: "red" }],
      cancel: [{ event: "c", mood: 1 }],
      steps: { step: { id: "step", extra: true } },
      checkpoint: { max_runtime: 5_000_000_000, anything: {} },
    });
    expect(unknown.toSorted()).toEqual(
      ["cancelOn[0].mood", "concurrency.step[0].colour", "steps.step.extra", "triggers[0].foo", "zip"].toSorted(),
    );
    expect(parsed.triggers).toEqual([{ event: "a" }]);
  });

  it("Python and Go name language and version apart", () => {
    expect(parseRegistration({ app_id: "a", functions: [], sdk_language: "py", sdk_version: "0.5.1" }).sdk).toBe(
      "py:v0.5.1",
    );
    expect(parseRegistration({ app_id: "a", functions: [] }).sdk).toBe("");
  });

  it("AP-1: Go writes an empty list as null", () => {
    expect(parseRegistration({ appName: "a", functions: null })).toMatchObject({ functions: [], violations: [] });
  });
});

describe("bad bodies", () => {
  it.each<[string, Json, string]>([
    ["no object", [], "body"],
    ["null", null, "body"],
    ["no functions at all", { appName: "a" }, "functions"],
    ["functions that are no list", { appName: "a", functions: {} }, "functions"],
    ["a name that is no text", { appName: 5, functions: [] }, "appName"],
  ])("AP-14: %s", (_what, body, option) => {
    const { violations } = parseRegistration(body);
    expect(violations).toMatchObject([{ code: "config_invalid", functionId: null, option }]);
  });

  it("AP-14: wrong types name function, option and rule, for every function", () => {
    const { violations, functions } = parseRegistration({
      appName: "app",
      functions: [
        { id: "app-a", throttle: { limit: "1" }, concurrency: { limit: "x" } },
        5,
        { id: "app-b", batchEvents: { maxSize: "x", timeout: true }, steps: { step: { retries: { attempts: "x" } } } },
        { id: "app-c" },
        { id: 7 },
      ],
    });
    expect(violations.map(({ functionId, option, code }) => `${functionId} ${option} ${code}`).toSorted()).toEqual(
      [
        "app-a throttle.limit config_invalid",
        "app-a throttle.period config_invalid",
        "app-a concurrency.step[0].limit concurrency_limit_invalid",
        "null functions[1] config_invalid",
        "app-b batchEvents.maxSize batch_size_invalid",
        "app-b batchEvents.timeout batch_timeout_invalid",
        "app-b retries config_invalid",
        "#5 id config_invalid",
      ].toSorted(),
    );
    expect(functions.map(({ id }) => id)).toEqual(["app-c"]);
  });

  it("SE-15: nothing a body can contain makes reading it throw or hang", () => {
    const json = fc.jsonValue({ maxDepth: 4 });
    const names = ["id", "triggers", "steps", "concurrency", "retries", "cancel", "cancelOn", "__proto__", "throttle"];
    const fields = fc.array(fc.tuple(fc.constantFrom(...names), json));
    fc.assert(
      fc.property(json, fields, (body, entries) => {
        // Values made by jsonValue are what Json describes.
        parseRegistration(body as Json);
        const text = `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(",")}}`;
        const { functions, violations } = parseRegistration({ appName: "a", functions: [JSON.parse(text) as Json] });
        expect(functions.length === 1).toBe(violations.length === 0);
      }),
      { numRuns: 500 },
    );
  });
});
