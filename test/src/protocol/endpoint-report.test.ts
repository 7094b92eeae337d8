import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Json } from "../../../src/json.ts";
import { ENDPOINT, RUN } from "../../../src/limits.ts";
import { parseNewRun, parseSteps } from "../../../src/protocol/endpoint-report.ts";

const NOW = 1_800_000_000_000;
const RUN_ID = "01M7XYNV5JQNGATXFY4P780S07";

interface Captured {
  readonly requests: readonly { readonly url: string; readonly body: string }[];
}

const captured: Record<string, Captured> = JSON.parse(
  readFileSync(new URL("../../fixtures/execution/js-v4.24.0-endpoint.json", import.meta.url), "utf8"),
);

/** The checkpoints of a captured endpoint: the first one, and those after it. */
function checkpoints(name: string) {
  const sent = (captured[name]?.requests ?? []).filter(({ url }) => url.includes("/checkpoint"));
  const [first, ...later] = sent.map(({ body }) => JSON.parse(body) as Json & { run_id: string });
  if (first === undefined) throw new Error(`nothing was captured of ${name}`);
  return { first: parseNewRun(first, NOW), later: later.map((body) => parseSteps(body.run_id, body, NOW)) };
}

describe("protocol/09 §9.4: what SDK v4.24 sends", () => {
  it("describes the request", () => {
    expect(checkpoints("direct").first).toMatchObject({
      ok: true,
      version: 2,
      retries: 3,
      request: {
        method: "GET",
        origin: "http://myapp.test",
        path: "/direct",
        url: "http://myapp.test/direct?q=1&z=+x",
        contentType: "",
        functionId: null,
      },
    });
    expect(checkpoints("post").first).toMatchObject({
      request: { method: "POST", contentType: "application/json", data: { body: '{"b":1,"a":2}', ip: "9.9.9.9" } },
    });
  });

  it.each([
    ["direct", ["run"], [["complete"]]],
    ["plainv", ["complete"], []],
    ["nosteps", ["complete"], []],
    ["sleep", ["run"], [["sleep"]]],
    ["err", ["error"], []],
    ["nr", ["failed"], []],
    ["par", ["planned", "planned"], []],
    ["sse sleep", ["run"], [["sleep"]]],
  ])("%s", (name, first, later) => {
    const read = checkpoints(name);
    expect([read.first, ...read.later].map((parsed) => parsed.ok && parsed.ops.map(({ op }) => op))).toEqual([
      first,
      ...later,
    ]);
    expect(read.first).toMatchObject({ thrown: null });
  });

  it("an error between steps, of which the SDK sends no message", () => {
    expect(checkpoints("fnerr").later).toMatchObject([
      {
        ok: true,
        ops: [],
        thrown: {
          error: { name: "Error", message: "The endpoint's handler threw an error." },
          noRetry: false,
          retryAt: null,
        },
      },
    ]);
  });

  it("EX-23: a RetryAfterError between steps", () => {
    expect(checkpoints("fnra").first).toMatchObject({
      thrown: { error: { name: "RetryAfterError" }, noRetry: false, retryAt: NOW + 7000 },
    });
  });
});

const data = { method: "get", domain: "https://shop.test", path: "/a", query_params: "", body: "" };
const whole = { run_id: RUN_ID, event: { name: "inngest/http.request", data }, steps: [] };
const withData = (over: Record<string, Json>) =>
  parseNewRun({ ...whole, event: { ...whole.event, data: { ...data, ...over } } }, NOW);

describe("the first report", () => {
  it("may leave out what it has no need of", () => {
    const { steps: _, ...without } = whole;
    expect(parseNewRun(without, NOW)).toMatchObject({ ok: true, ops: [], version: 2, retries: RUN.retries });
    expect(withData({ query_params: null, content_type: null, fn: null })).toMatchObject({ ok: true });
  });

  it("names its function by id when it has one", () => {
    expect(withData({ fn: "checkout" })).toMatchObject({ request: { functionId: "checkout" } });
  });

  it("keeps the whole description", () => {
    expect(withData({ more: { x: [1] } })).toMatchObject({ request: { data: { more: { x: [1] } } } });
  });

  it("has no more retries than a function may", () => {
    expect(parseNewRun({ ...whole, retries: 1000 }, NOW)).toMatchObject({ retries: 20 });
  });

  it.each<[string, Record<string, Json>, string]>([
    ["a path that looks like a host", { path: "//evil.test/x" }, "https://shop.test//evil.test/x"],
    ["a path with a query of its own", { path: "/a", query_params: "b=?c" }, "https://shop.test/a?b=?c"],
    ["a bare host", { domain: "shop.test:8443" }, "https://shop.test:8443/a"],
    ["a domain with a path", { domain: "http://shop.test/base" }, "http://shop.test/a"],
  ])("%s stays on its host", (_, over, url) => {
    expect(withData(over)).toMatchObject({ ok: true, request: { url } });
  });

  it.each<[string, Record<string, Json>]>([
    ["no path", { path: "" }],
    ["a path without slash", { path: "@evil.test/" }],
    ["no domain", { domain: "" }],
    ["another protocol", { domain: "ftp://shop.test" }],
    ["credentials", { domain: "https://u:p@shop.test" }],
    ["a method that cannot be repeated", { method: "CONNECT" }],
    ["a method that is none", { method: "GET /" }],
    ["a URL that is too long", { path: `/${"x".repeat(ENDPOINT.urlLength)}` }],
  ])("%s is refused", (_, over) => {
    expect(withData(over)).toMatchObject({ ok: false });
  });

  it.each<[string, Json]>([
    ["no object", [1]],
    ["no run", { ...whole, run_id: 1 }],
    ["another event", { ...whole, event: { ...whole.event, name: "shop/x" } }],
    ["an operation nobody knows", { ...whole, steps: [{ op: "Dance", id: "x" }] }],
    ["steps that are none", { ...whole, steps: "x" }],
    ["a version below zero", { ...whole, request_version: -1 }],
    ["too many steps", { ...whole, steps: new Array<Json>(RUN.checkpointSteps + 1).fill({ op: "None", id: "x" }) }],
  ])("%s is refused", (_, value) => {
    expect(parseNewRun(value, NOW)).toMatchObject({ ok: false });
  });
});

describe("later reports", () => {
  const steps = [{ op: "StepRun", id: "a", data: 1 }];

  it("name their function", () => {
    expect(parseSteps(RUN_ID, { fn_id: "f", app_id: "a", run_id: RUN_ID, steps, ts: 1 }, NOW)).toMatchObject({
      ok: true,
      functionId: "f",
      ops: [{ op: "run", id: "a", data: 1 }],
    });
  });

  it.each<[string, Json]>([
    ["without function", { run_id: RUN_ID, steps }],
    ["without steps", { run_id: RUN_ID, fn_id: "f" }],
    ["for another run", { run_id: "01M7XYNV5JQNGATXFY4P780S08", fn_id: "f", steps }],
    ["with an operation nobody knows", { run_id: RUN_ID, fn_id: "f", steps: [{ op: "Dance", id: "x" }] }],
    ["that are no object", null],
  ])("%s are refused", (_, value) => {
    expect(parseSteps(RUN_ID, value, NOW)).toMatchObject({ ok: false });
  });

  it("may say that the function failed for good", () => {
    const failed = [{ op: "StepFailed", id: "0737c22d3bfae812339732d14d8c7dbd6dc4e09c", error: { message: "no" } }];
    expect(parseSteps(RUN_ID, { fn_id: "f", steps: failed }, NOW)).toMatchObject({
      ops: [],
      thrown: { error: { name: "Error", message: "no" }, noRetry: true },
    });
  });
});
