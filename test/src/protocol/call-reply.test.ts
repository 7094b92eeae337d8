import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type CallReply, parseReply, type RawReply, retryTime } from "../../../src/protocol/call-reply.ts";

const NOW = 1_800_000_000_000;
const sdk = { "x-inngest-sdk": "inngest-js:v4.24.0", "x-inngest-sdk-handled": "true", "x-inngest-req-version": "2" };
const reply = (over: Partial<RawReply>): CallReply =>
  parseReply({ status: 200, headers: sdk, body: "null", ...over }, NOW);
const error = (parsed: CallReply) => (parsed.kind === "error" ? parsed : expect.fail(`got ${parsed.kind}`));

describe("statuses (protocol/03 §3.2)", () => {
  it("200 is the output, null included", () => {
    expect(reply({ body: '{"status":500}' })).toEqual({ kind: "output", output: { status: 500 }, version: 2 });
    expect(reply({ body: "null" })).toMatchObject({ kind: "output", output: null });
  });

  it("206 carries operations, also a single object", () => {
    const op = '{"id":"x","op":"StepRun","data":1}';
    for (const body of [`[${op}]`, op]) {
      expect(reply({ status: 206, body })).toMatchObject({ kind: "ops", ops: [{ op: "run", id: "x", data: 1 }] });
    }
  });

  it("protocol/14: no-retry is told by the header, not by the status", () => {
    const body = '{"name":"TypeError","message":"kaput"}';
    const headers = { ...sdk, "x-inngest-no-retry": "true" };
    expect(reply({ status: 500, headers, body })).toMatchObject({ kind: "error", noRetry: true });
    expect(reply({ status: 400, body })).toMatchObject({ kind: "error", noRetry: false });
  });

  it("401 from an SDK is a rejected signature, to be retried", () => {
    const rejected = error(reply({ status: 401, body: '{"message":"Unauthorized"}' }));
    expect(rejected).toMatchObject({ noRetry: false, error: { code: "signature_rejected" } });
  });

  it.each([
    [200, "<html>hello</html>", "not_sdk"],
    [204, "", "not_sdk"],
    [502, "<html>bad gateway</html>", "app_unreachable"],
    [404, "", "app_unreachable"],
  ])("EX-24: %i %j without SDK headers is %s", (status, body, code) => {
    const failed = error(reply({ status, headers: {}, body }));
    expect(failed).toMatchObject({ noRetry: false, error: { code } });
    expect(failed.error.message).toContain(String(status));
  });

  it("EX-24: a foreign 503 with Retry-After is respected, and only 2 KiB of a body are quoted", () => {
    const failed = error(reply({ status: 503, headers: { "retry-after": "7" }, body: "x".repeat(10_000) }));
    expect(failed.retryAt).toBe(NOW + 7000);
    expect(failed.error.message.length).toBeLessThan(2200);
  });

  it.each([
    ["not JSON", "<html>"],
    ["cut off", '[{"id":"x","op":"St'],
    ["no operations", '"text"'],
    ["empty", ""],
    ["too deep", `[${"[".repeat(200)}${"]".repeat(200)}]`],
  ])("SE-15: a 206 with a body that is %s fails the attempt", (_, body) => {
    expect(error(reply({ status: 206, body })).error["code"]).toBe("bad_reply");
  });

  it("EX-30: an error that is not an object becomes the message", () => {
    expect(error(reply({ status: 500, body: '"plain"' })).error).toEqual({ name: "Error", message: "plain" });
    expect(error(reply({ status: 500, body: "oops" })).error.message).toContain("500: oops");
  });
});

describe("streaming (EX-64, protocol/03 §3.3)", () => {
  const inner = {
    status: 206,
    headers: { "X-Inngest-Req-Version": "2" },
    body: '[{"id":"x","op":"StepRun","data":1}]',
  };
  const streamed = (envelope: object) => reply({ status: 201, body: `     ${JSON.stringify(envelope)}` });

  it("reads the envelope after the white space, headers in any case", () => {
    expect(streamed(inner)).toMatchObject({ kind: "ops", version: 2, ops: [{ op: "run" }] });
  });

  it("accepts Go's body as a value, and its retry fields", () => {
    const body = { status: 500, headers: null, body: { name: "E", message: "m" }, noRetry: true, retryAt: null };
    expect(streamed(body)).toMatchObject({ kind: "error", noRetry: true, error: { message: "m" } });
    const later = { ...body, noRetry: false, retryAt: new Date(NOW + 60_000).toISOString() };
    expect(streamed(later)).toMatchObject({ retryAt: NOW + 60_000 });
  });

  it("a 201 without an envelope is an ordinary output", () => {
    expect(reply({ status: 201, body: '{"created":true}' })).toMatchObject({
      kind: "output",
      output: { created: true },
    });
  });
});

describe("Retry-After (EX-23)", () => {
  it.each([
    ["30", 30_000],
    ["0.5", 1000],
    ["9999999", 86_400_000],
    [new Date(NOW + 5000).toISOString(), 5000],
    [new Date(NOW + 5000).toUTCString(), 5000],
    ["1990-01-01T00:00:00Z", 1000],
  ])("%s is %i ms from now, clamped to 1 s … 24 h", (header, wait) => {
    expect(retryTime(header, NOW)).toBe(NOW + wait);
  });

  it.each([undefined, "", "soon", "12345678"])("%j asks for nothing", (header) => {
    expect(retryTime(header, NOW)).toBeNull();
  });
});

describe("captured replies of the SDKs", () => {
  const files = ["js-v3.54.2-execution", "js-v4.24.0-execution", "js-v4.24.0-execution-checkpointing"];
  for (const file of files) {
    const url = new URL(`../../fixtures/execution/${file}.json`, import.meta.url);
    const captured: Record<string, { status: number; headers?: Record<string, string>; body?: unknown }> = JSON.parse(
      readFileSync(url, "utf8"),
    );
    // The probe and the introspection are captured too, but they are no calls.
    const calls = Object.entries(captured).filter(
      ([name, one]) => one.headers !== undefined && !/^probe|^introspect/.test(name),
    );
    it.each(calls)(`${file}: %s`, (_, one) => {
      const body = JSON.stringify(one.body ?? null);
      const parsed = parseReply({ status: one.status, headers: one.headers ?? {}, body }, NOW);
      if (one.status === 200) expect(parsed.kind).toBe("output");
      else if (one.status === 206) {
        const ops = parsed.kind === "ops" ? parsed.ops : [];
        const sent = Array.isArray(one.body) ? one.body : [one.body];
        expect(ops).toHaveLength(sent.length);
        for (const [i, op] of ops.entries()) if ("id" in op) expect(op.id).toBe(sent[i].id);
      } else {
        expect(parsed).toMatchObject({ kind: "error", noRetry: one.headers?.["x-inngest-no-retry"] === "true" });
      }
    });
  }
});
