/**
 * What apps answer, under hostile input (SE-15): a reply of any kind is one of three things, and a run that gets it goes on or ends.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseJson } from "../../../src/json.ts";
import { RUN } from "../../../src/limits.ts";
import { parseReply } from "../../../src/protocol/call-reply.ts";
import { httpResponse, responseOf } from "../../../src/protocol/endpoint-output.ts";
import { parseGatewayRequest } from "../../../src/protocol/gateway-request.ts";
import { ResponseWatch } from "../../../src/protocol/response-event.ts";
import { hostileBytes, hostileJson, hostileText } from "../../fuzz/hostile.ts";
import { planOf } from "../../fuzz/plan.ts";
import { OPS } from "../../fuzz/surfaces.ts";

const NOW = Date.UTC(2026, 10, 21);
const plan = <T>(cases: number) => planOf<T>(process.env, cases);

const ENVELOPE = {
  status: 206,
  headers: { "retry-after": "5", "x-inngest-no-retry": "true" },
  body: JSON.stringify(OPS),
};
const GO_ENVELOPE = { status: 500, body: { name: "E", message: "m" }, retryAt: "2026-11-21T00:01:00Z", noRetry: false };
const bodies = hostileJson([
  ...OPS.map((op) => JSON.stringify([op])),
  JSON.stringify(OPS),
  JSON.stringify(ENVELOPE),
  JSON.stringify(GO_ENVELOPE),
  JSON.stringify({ name: "Error", message: "no", stack: "at x", cause: { name: "E", message: "m" } }),
  JSON.stringify("text"),
]);

const status = fc.oneof(fc.constantFrom(200, 201, 206, 400, 401, 429, 500, 503), fc.integer({ min: 200, max: 599 }));

const HEADERS = [
  "x-inngest-sdk",
  "x-inngest-sdk-handled",
  "retry-after",
  "x-inngest-no-retry",
  "x-inngest-req-version",
];
const TIMES = [
  "0",
  "1",
  "86401",
  "-5",
  "Wed, 21 Nov 2029 00:00:00 GMT",
  "1970-01-01T00:00:00Z",
  "+275760-09-13T00:00:00Z",
];
const headers = fc.oneof(
  fc.constant<Record<string, string>>({ "x-inngest-sdk": "inngest-js:v4.24.0", "x-inngest-req-version": "2" }),
  fc.dictionary(fc.constantFrom(...HEADERS), fc.oneof(fc.constantFrom(...TIMES, "true", "2"), hostileText), {
    noNullPrototype: true,
  }),
);

/** Values of which some cannot be made into text. */
const ODD: readonly unknown[] = [null, 5, [], {}, { toString: 1, valueOf: 2 }, { toJSON: 1 }, [[{ toString: null }]]];

function expectInRange(retryAt: number | null): void {
  if (retryAt === null) return;
  expect(retryAt).toBeGreaterThanOrEqual(NOW + RUN.retryAfter.min);
  expect(retryAt).toBeLessThanOrEqual(NOW + RUN.retryAfter.max);
}

describe("hostile replies", () => {
  it("SE-15, EX-23: are an output, operations or an error, and no time that they name is out of range", () => {
    fc.assert(
      fc.property(status, headers, bodies, (code, given, body) => {
        const reply = parseReply({ status: code, headers: given, body }, NOW);
        expect(["output", "ops", "error"]).toContain(reply.kind);
        if (reply.kind !== "output") expectInRange(reply.retryAt);
      }),
      plan(4000),
    );
  });

  it("SE-15, EX-23, EX-64: the envelope of a streamed reply is read by the same rules, whatever is in it", () => {
    const value = fc.oneof(fc.constantFrom(...TIMES, "true"), hostileText, fc.constantFrom(...ODD));
    const envelope = fc.record(
      {
        status: fc.oneof(fc.constantFrom<unknown>(200, 206, 400, 500), value),
        headers: fc.oneof(fc.dictionary(fc.constantFrom(...HEADERS, "__proto__"), value), value),
        body: fc.oneof(bodies, value),
        retryAt: value,
        noRetry: fc.oneof(fc.boolean(), value),
      },
      { requiredKeys: ["status", "body"] },
    );
    fc.assert(
      fc.property(envelope, (written) => {
        const body = `   ${JSON.stringify(written)}`;
        const reply = parseReply({ status: 201, headers: { "x-inngest-sdk": "inngest-js:v4.24.0" }, body }, NOW);
        if (reply.kind !== "output") expectInRange(reply.retryAt);
      }),
      plan(2500),
    );
  });

  it("SE-15, EX-57: requests for the engine are made or refused with a sentence", () => {
    const options = [
      { url: "https://example.com/", method: "POST", headers: { authorization: "Bearer k" }, body: "x" },
      { url: "https://example.com/", format: "openai", auth_key: "k", headers: { a: "b" }, body: { messages: [] } },
    ];
    fc.assert(
      fc.property(
        hostileJson(options.map((one) => JSON.stringify(one))),
        fc.constantFrom("gateway", "ai"),
        (text, via) => {
          const parsed = parseJson(text);
          if (!parsed.ok) return;
          const request = parseGatewayRequest(via, parsed.value);
          if (!request.ok) expect(request.message).toMatch(/cannot be made/);
        },
      ),
      plan(1500),
    );
  });

  it("SE-15, SE-19: an endpoint's result is a response without cookies, in a sandbox", () => {
    const output = {
      headers: { "content-type": "text/html", "Set-Cookie": "a=b" },
      status: 200,
      body: "<b>x</b>",
      version: 2,
    };
    fc.assert(
      fc.property(
        hostileJson([JSON.stringify(output)]),
        fc.boolean(),
        fc.boolean(),
        hostileText,
        (text, completed, verbatim, sdk) => {
          const parsed = parseJson(text);
          if (!parsed.ok) return;
          const plain = responseOf({ state: "ended", completed, output: parsed.value, head: null, sdk }, verbatim);
          const response = httpResponse(plain);
          expect(response.headers.get("content-security-policy")).toMatch(/sandbox/);
          expect(response.headers.get("set-cookie")).toBeNull();
          expect(response.status >= 200 && response.status <= 599).toBe(true);
        },
      ),
      plan(1500),
    );
  });

  it("SE-15: a teed stream of any bytes, in any pieces, is watched without a fault", () => {
    const event =
      'event: inngest.response\ndata: {"status":"succeeded","response":{"body":"x","statusCode":201,"headers":{"a":"b"}}}\n\n';
    const text = fc.oneof(fc.constant(event), hostileJson([JSON.stringify({ status: "succeeded" })]), hostileText);
    fc.assert(
      fc.property(hostileBytes(text), fc.integer({ min: 1, max: 50 }), (bytes, size) => {
        const watch = new ResponseWatch();
        for (let at = 0; at < bytes.length; at += size) {
          const head = watch.take(bytes.subarray(at, at + size));
          if (head !== null) expect(head.status >= 200 && head.status <= 599).toBe(true);
        }
      }),
      plan(1000),
    );
  });
});
