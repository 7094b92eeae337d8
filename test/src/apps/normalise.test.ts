import { describe, expect, it } from "vitest";
import type { FunctionConfiguration } from "../../../src/apps/function.ts";
import { normaliseFunction } from "../../../src/apps/normalise.ts";
import type { Json } from "../../../src/json.ts";
import { parseFunction } from "../../../src/protocol/registration-function.ts";

const policy = { allowPrivate: true, ownHost: null };

function configurationOf(body: Json, sdk = "js:v4.24.0"): FunctionConfiguration {
  const parsed = parseFunction(body, 0);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.violations));
  const normalised = normaliseFunction(parsed.function, { sdk, url: "http://app:3000/api/inngest", policy });
  expect(normalised.violations).toEqual([]);
  return normalised.function.configuration;
}

const NONE: FunctionConfiguration = {
  triggers: [],
  url: "http://app:3000/api/inngest",
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

describe("normalising", () => {
  it("EX-19: without options a function has 4 retries and nothing else", () => {
    expect(configurationOf({ id: "app-f" })).toEqual(NONE);
  });

  it.each<[string, Json, Partial<FunctionConfiguration>]>([
    ["retries of the step", { steps: { step: { retries: { attempts: 0 } } }, retries: 7 }, { retries: 0 }],
    ["retries of the function", { retries: 7 }, { retries: 7 }],
    [
      "the step's URL without the query of the protocol",
      { steps: { step: { runtime: { type: "http", url: "http://h/x?a=1&deployId=d&fnId=app-f&stepId=step" } } } },
      { url: "http://h/x?a=1" },
    ],
    [
      "triggers",
      {
        triggers: [
          { event: "a/b", expression: "true" },
          { event: "a/*" },
          { cron: "@daily", jitter: "30s" },
          { cron: "@hourly" },
        ],
      },
      {
        triggers: [
          { kind: "event", event: "a/b", expression: "true" },
          { kind: "event", event: "a/*", expression: null },
          { kind: "cron", cron: "@daily", jitter: 30_000 },
          { kind: "cron", cron: "@hourly", jitter: null },
        ],
      },
    ],
    [
      "concurrency (FC-3, FC-5)",
      { concurrency: [{ limit: 5 }, { key: "k", scope: "env" }] },
      {
        concurrency: [
          { limit: 5, key: null, scope: "fn" },
          { limit: 0, key: "k", scope: "env" },
        ],
      },
    ],
    [
      "limits on whole runs (FC-13)",
      { concurrency: { fn: [{ limit: 1 }], step: [{ limit: 2 }] } },
      {
        concurrency: [{ limit: 2, key: null, scope: "fn" }],
        runConcurrency: [{ limit: 1, key: null, scope: "fn" }],
      },
    ],
    [
      "throttle with burst 1 by default (FC-16)",
      { throttle: { limit: 10, period: "1m" } },
      { throttle: { limit: 10, period: 60_000, burst: 1, key: null } },
    ],
    [
      "rate limit",
      { rateLimit: { limit: 4, period: "2h", key: "k" } },
      { rateLimit: { limit: 4, period: 7_200_000, key: "k" } },
    ],
    [
      "debounce",
      { debounce: { period: "30s", timeout: "5m" } },
      { debounce: { period: 30_000, timeout: 300_000, key: null } },
    ],
    [
      "batching, 60 s when no time-out is given",
      { batchEvents: { maxSize: 10, if: "true" } },
      { batchEvents: { maxSize: 10, timeout: 60_000, key: null, condition: "true" } },
    ],
    ["singleton", { singleton: { mode: "cancel", key: "k" } }, { singleton: { mode: "cancel", key: "k" } }],
    ["priority", { priority: { run: "120" } }, { priority: "120" }],
    ["an empty priority", { priority: {} }, { priority: null }],
    [
      "empty texts as absent",
      { idempotency: "", throttle: { limit: 1, period: "1s", key: "" } },
      {
        idempotency: null,
        throttle: { limit: 1, period: 1000, burst: 1, key: null },
      },
    ],
    ["time-outs", { timeouts: { start: "10m" } }, { timeouts: { start: 600_000, finish: null } }],
    [
      "cancelOn (XP-4, CR-3)",
      {
        cancel: [
          { event: "a", timeout: "1d", if: "true" },
          { event: "b", match: "data.userId", timeout: "2027-01-01T00:00:00+01:00" },
          { event: "c", timeout: "" },
        ],
      },
      {
        cancel: [
          { event: "a", condition: "true", timeout: "86400000" },
          { event: "b", condition: "event.data.userId == async.data.userId", timeout: "2026-12-31T23:00:00.000Z" },
          { event: "c", condition: null, timeout: null },
        ],
      },
    ],
  ])("AP-19: %s", (_what, options, expected) => {
    expect(configurationOf({ id: "app-f", ...(options as object) })).toEqual({ ...NONE, ...expected });
  });

  it("AP-19: a bare number is milliseconds, from Go nanoseconds", () => {
    const body = { id: "app-f", debounce: { period: 5_000_000_000 } };
    expect(configurationOf(body, "go:v0.14.0").debounce?.period).toBe(5000);
    expect(configurationOf({ id: "app-f", debounce: { period: 5000 } }, "py:v0.5.0").debounce?.period).toBe(5000);
  });

  it("AP-19: Go's burst 0 is an absent one, nobody else's", () => {
    const body = { id: "app-f", throttle: { limit: 1, period: "1s", burst: 0 } };
    expect(configurationOf(body, "go:v0.14.0").throttle?.burst).toBe(1);
    expect(configurationOf(body, "js:v4.24.0").throttle?.burst).toBe(0);
  });

  it("AP-1: a function without a name is shown by its slug", () => {
    const parsed = parseFunction({ id: "app-f" }, 0);
    if (!parsed.ok) throw new Error("refused");
    const { function: normalised } = normaliseFunction(parsed.function, { sdk: "", url: "https://h/", policy });
    expect(normalised).toMatchObject({ slug: "app-f", name: "app-f" });
  });
});
