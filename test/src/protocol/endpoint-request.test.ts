import { describe, expect, it } from "vitest";
import type { EndpointOrigin } from "../../../src/decide/run/identity.ts";
import type { JsonObject } from "../../../src/json.ts";
import { buildEndpointCall } from "../../../src/protocol/endpoint-request.ts";
import { identity, planned, T0, TestRun } from "../decide/run/run.ts";

const origin: EndpointOrigin = {
  method: "POST",
  url: "https://shop.test/order?x=1&y=%20z",
  contentType: "application/json; charset=utf-8",
  version: 2,
  sdk: "inngest-js:v4.24.0",
  lease: 1000,
};

/** The first call the engine makes for a request with this body, after its handler fell silent. */
function call(body: string, over: Partial<EndpointOrigin> = {}, run = endpointRun(body, over), job = run.due()[0]) {
  if (job === undefined) throw new Error("no call is due");
  return buildEndpointCall(
    run.state,
    job,
    { ...origin, ...over },
    { requestId: "req", serverKind: "cloud", maxSteps: 1000 },
  );
}

function endpointRun(body: string, over: Partial<EndpointOrigin>): TestRun {
  const data: JsonObject = { body };
  const events = identity().events.map((one) => ({
    ...one,
    event: { ...one.event, payload: { ...one.event.payload, name: "inngest/http.request", data } },
  }));
  const run = new TestRun({ events, endpoint: { ...origin, ...over } });
  run.wake(1000);
  return run;
}

describe("protocol/09 §9.4: an endpoint is entered again", () => {
  it("with its user's request and the headers that name the run", () => {
    expect(call('{"b":1,"a":2}')).toEqual({
      url: "https://shop.test/order?x=1&y=%20z",
      method: "POST",
      headers: {
        "content-type": "application/json; charset=utf-8",
        "user-agent": "Millrace",
        "x-inngest-signature": "",
        "x-inngest-server-kind": "cloud",
        "x-inngest-req-version": "2",
        "x-run-id": identity().runId,
        "x-request-id": "req",
        "x-inngest-generation-id": "2",
        "x-inngest-job-id": `${identity().runId}.1`,
      },
      body: '{"b":1,"a":2}',
      signed: '{"a":2,"b":1}',
    });
  });

  it("a planned step is named, and what else is discovered beside it is only planned", () => {
    const run = endpointRun("", {});
    run.ops([planned("p"), planned("q")]);
    expect(call("", {}, run).headers).toMatchObject({ "x-inngest-step-id": "p", "x-inngest-force-step-plan": "true" });
    expect(run.now).toBe(T0 + 1000);
  });

  it.each([
    ["GET", "", null, ""],
    ["HEAD", "", null, ""],
    ["DELETE", "", "", ""],
    ["PATCH", '{"b":1,"a":2}', '{"b":1,"a":2}', ""],
    ["PUT", '{ "a" : 2 }', '{ "a" : 2 }', '{"a":2}'],
    ["POST", "a=b&c", "a=b&c", "a=b&c"],
    ["POST", "", "", ""],
  ])("protocol/05 §5.2: a %s with the body %j covers what its SDK verifies", (method, body, sent, signed) => {
    expect(call(body, { method })).toMatchObject({ method, body: sent, signed });
  });

  it("a request without content type gets none", () => {
    expect(call("", { contentType: "" }).headers).not.toHaveProperty("content-type");
  });

  it.each([
    ["go:v0.14.1", "eyJhIjoyfQ==", '{"a":2}'],
    ["inngest-go:v0.14.1", "Z3LDvMOfZQ==", "grüße"],
    ["go:v0.14.1", "{}", "{}"],
    ["inngest-js:v4.24.0", "eyJhIjoyfQ==", "eyJhIjoyfQ=="],
  ])("%s describes the body %j", (sdk, described, body) => {
    expect(call(described, { sdk }).body).toBe(body);
  });
});
