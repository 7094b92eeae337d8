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

  it.each([undefined, "", "soon", "12345678", "-5", "5 apples", "May", "1e9", "0x10", "NaN", "Sat 99"])(
    "%j asks for nothing",
    (header) => {
      expect(retryTime(header, NOW)).toBeNull();
    },
  );

  it.each([
    ["1970-01-01T00:00:00Z", 1000],
    ["9999-12-31T23:59:59Z", 86_400_000],
    [new Date(NOW + 60_000).toISOString(), 60_000],
    ["in a while", null],
  ])("faults 14: %s inside an envelope is %j ms from now, clamped as well", (retryAt, wait) => {
    const envelope = { status: 500, headers: null, body: { name: "E", message: "m" }, noRetry: false, retryAt };
    const parsed = error(reply({ status: 201, body: JSON.stringify(envelope) }));
    expect(parsed.retryAt).toBe(wait === null ? null : NOW + wait);
  });
});

describe("hostile replies (faults 13, 14)", () => {
  const op = (fields: object) => reply({ status: 206, body: JSON.stringify([{ op: "StepRun", id: "a", ...fields }]) });

  it.each([
    ["", "StepRun without an id"],
    ["i".repeat(256), "StepRun with an id of 256 characters, of which 255 are allowed"],
    ["a\r\nx-b: 1", "StepRun with an id of other characters than those of ASCII that can be seen"],
    ["\ud800", "StepRun with an id of other characters than those of ASCII that can be seen"],
  ])("SE-15: an operation with the id %j is one nobody knows", (id, name) => {
    expect(op({ id })).toMatchObject({ ops: [{ op: "unknown", name }] });
  });

  it("SE-15: the id that an abort names is judged as well", () => {
    const abort = op({ op: "DeferAbort", opts: { target_hashed_id: "x".repeat(300) } });
    expect(abort).toMatchObject({ ops: [{ op: "unknown", name: expect.stringContaining("300 characters") }] });
    expect(op({ op: "DeferAbort" })).toMatchObject({ ops: [{ op: "undefer", deferId: "" }] });
  });

  it("SE-15: of a step's name as much is kept as can be shown", () => {
    const parsed = op({ displayName: "n".repeat(5000), opts: { type: "t".repeat(5000) } });
    expect(parsed).toMatchObject({ ops: [{ label: { name: "n".repeat(1024), type: "t".repeat(1024) } }] });
  });

  it("EX-30, I6: of an error beyond 1 MiB the beginning is kept, and it says so", () => {
    const large = { name: "Large", message: "é".repeat(700_000), stack: "s".repeat(10_000), cause: { name: "C" } };
    const parsed = error(reply({ status: 500, body: JSON.stringify(large) })).error;
    expect(parsed).toEqual({
      name: "Large",
      message: expect.stringMatching(
        /^é{2048}… \(The error has 1410\d{3} bytes and was cut; the limit is 1048576 bytes\.\)$/,
      ),
      stack: `${"s".repeat(2048)}…`,
    });
    const fits = { name: "Fits", message: "m".repeat(1_000_000), cause: { name: "C" } };
    expect(error(reply({ status: 500, body: JSON.stringify(fits) })).error).toEqual(fits);
  });

  it("protocol/03 §3.4: what an SDK says of its own trouble becomes the message, without quotes", () => {
    const trouble = { error: 'Could not find step "x" to run', requestedStep: "x" };
    expect(error(reply({ status: 500, body: JSON.stringify(trouble) })).error).toEqual({
      ...trouble,
      name: "Error",
      message: trouble.error,
    });
  });

  it("SE-15: an envelope whose headers are no texts does not throw", () => {
    const headers = { "x-inngest-no-retry": true, odd: { toString: 1, valueOf: null }, "Retry-After": 5 };
    const body = JSON.stringify({ status: 500, headers, body: '{"name":"E","message":"m"}' });
    expect(reply({ status: 201, body })).toMatchObject({ kind: "error", noRetry: true, retryAt: NOW + 5000 });
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
