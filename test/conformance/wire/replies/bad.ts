/**
 * Replies that are no progress (EX-17, EX-18, EX-24, SE-15): each fails its attempt with a named error, is tried again, and neither
 * stops the run nor loses what was stored.
 */
import { gzipSync } from "node:zlib";
import { expect } from "vitest";
import type { Reply } from "../../harness/scripted-app.ts";
import type { WireCase } from "../case.ts";
import { done, progress, run } from "../ops.ts";

/** What the engine of the slow cases waits for a reply, ms (EX-17). */
export const CALL_TIMEOUT = 2_000;

interface BadReply {
  readonly id: string;
  /** Words for the test's name. */
  readonly is: string;
  readonly proves: string;
  readonly reply: Reply;
  readonly code: string;
  /** What the message must tell. */
  readonly tells?: RegExp;
  /** Ends at the deadline of {@link CALL_TIMEOUT}. */
  readonly slow?: true;
}

const MIB = 1024 * 1024;
const SDK = "x-inngest-sdk";

const BAD: readonly BadReply[] = [
  {
    id: "html-200",
    is: "an HTML page with 200",
    proves: "EX-24",
    reply: { as: "nobody", headers: { "content-type": "text/html" }, raw: "<html>Welcome!</html>" },
    code: "not_sdk",
    tells: /200.*Welcome!/s,
  },
  {
    id: "json-200",
    is: "JSON of another program with 200",
    proves: "EX-24",
    reply: { as: "nobody", body: { hello: "world" } },
    code: "not_sdk",
    tells: /hello/,
  },
  {
    id: "html-502",
    is: "a proxy's 502",
    proves: "EX-24",
    reply: { status: 502, as: "nobody", raw: "<h1>Bad gateway</h1>" },
    code: "app_unreachable",
    tells: /502.*Bad gateway/s,
  },
  {
    id: "html-404",
    is: "a host's 404",
    proves: "EX-24",
    reply: { status: 404, as: "nobody", raw: "no such page" },
    code: "app_unreachable",
    tells: /404.*no such page/s,
  },
  {
    id: "long-error-page",
    is: "an error page of 100 KB",
    proves: "EX-24: the first 2 KiB are quoted;",
    reply: { status: 503, as: "nobody", raw: `start${"x".repeat(100_000)}` },
    code: "app_unreachable",
    tells: /^.*503.*startx{1900,2100}…?$/s,
  },
  {
    id: "nothing-sdk",
    is: "an SDK's 200 without a body",
    proves: "EX-24",
    reply: { raw: "" },
    code: "bad_reply",
  },
  {
    id: "nothing-206",
    is: "206 without a body",
    proves: "EX-24",
    reply: { status: 206, raw: "" },
    code: "bad_reply",
  },
  {
    id: "nothing-stranger",
    is: "a stranger's 204",
    proves: "EX-24",
    reply: { status: 204, as: "nobody", raw: "" },
    code: "not_sdk",
  },
  {
    id: "half-json-200",
    is: "half of an output",
    proves: "EX-24",
    reply: { raw: `{"a":1,"b":[` },
    code: "bad_reply",
    tells: /"a":1/,
  },
  {
    id: "half-json-206",
    is: "half of the operations",
    proves: "EX-24",
    reply: { status: 206, raw: `[{"id":"a","op":"StepRun","da` },
    code: "bad_reply",
  },
  {
    id: "ops-object",
    is: "206 with an object that is no operation",
    proves: "SE-15",
    reply: { status: 206, body: { foo: 1 } },
    code: "bad_reply",
    tells: /foo/,
  },
  {
    id: "ops-numbers",
    is: "206 with numbers",
    proves: "SE-15",
    reply: { status: 206, body: [1, 2, 3] },
    code: "bad_reply",
  },
  {
    id: "ops-text",
    is: "206 with text",
    proves: "SE-15",
    reply: { status: 206, body: "all fine" },
    code: "bad_reply",
  },
  {
    id: "ops-types",
    is: "an operation whose fields have wrong types",
    proves: "SE-15",
    reply: { status: 206, body: [{ id: 7, op: ["StepRun"], data: 1 }] },
    code: "bad_reply",
  },
  {
    id: "op-without-id",
    is: "an operation without an id",
    proves: "SE-15",
    reply: progress({ op: "StepRun", data: 1 }),
    code: "bad_reply",
  },
  {
    id: "op-unknown",
    is: "an unknown operation",
    proves: "protocol/03 §3.4 rule 10",
    reply: progress(run("lost"), { op: "Frobnicate", id: "f" }),
    code: "bad_reply",
    tells: /Frobnicate/,
  },
  {
    id: "too-deep",
    is: "an output nested 200 levels deep",
    proves: "SE-15",
    reply: { raw: `${"[".repeat(200)}${"]".repeat(200)}` },
    code: "bad_reply",
  },
  {
    id: "too-large",
    is: "a reply of 10 MB",
    proves: "EX-18",
    reply: { body: "x".repeat(10_000_000) },
    code: "reply_too_large",
    tells: /8388608|8 MiB/,
  },
  {
    id: "endless",
    is: "an endless reply",
    proves: "EX-18",
    reply: { body: "x".repeat(64 * 1024), trickle: { bytes: 64 * 1024, everyMs: 0, endless: true } },
    code: "reply_too_large",
  },
  {
    id: "bomb",
    is: "64 MiB packed into a few KB",
    proves: "EX-18",
    reply: { headers: { "content-encoding": "gzip" }, raw: gzipSync(Buffer.alloc(64 * MIB, 32)) },
    code: "reply_too_large",
  },
  {
    id: "never",
    is: "no reply at all",
    proves: "EX-17",
    reply: { never: true },
    slow: true,
    code: "call_timeout",
    tells: /2 s.*connect/s,
  },
  {
    id: "drip",
    is: "a reply that takes longer than the deadline",
    proves: "EX-17",
    reply: { body: "x".repeat(1_000), trickle: { bytes: 1, everyMs: 50 } },
    slow: true,
    code: "call_timeout",
  },
  {
    id: "cut-before",
    is: "a connection cut before the reply",
    proves: "EX-10, EX-24",
    reply: { ...progress(run("lost")), drop: "before" },
    code: "app_unreachable",
  },
  {
    id: "cut-middle",
    is: "a connection cut in the middle of the reply",
    proves: "EX-10, EX-24",
    reply: { ...progress(run("lost")), drop: "middle" },
    code: "app_unreachable",
  },
  {
    id: "unauthorized",
    is: "an SDK's 401",
    proves: "EX-24",
    reply: { status: 401, body: { message: "Unauthorized" } },
    code: "signature_rejected",
    tells: /401/,
  },
  {
    id: "unauthorized-stripped",
    is: "a cloud SDK's 401, whose headers are stripped",
    proves: "protocol/02",
    reply: { status: 401, headers: { [SDK]: "", "x-inngest-framework": "" }, body: { message: "Unauthorized" } },
    code: "signature_rejected",
  },
];

/** The reply once, after which the run recovers with what was stored before. */
function recovering({ id, is, proves, reply }: BadReply): WireCase {
  return {
    id: `recovers-${id}`,
    proves: `${proves}: ${is} costs one attempt, no stored step and not the run`,
    script: [progress(run("before")), reply, progress(run("after")), done("recovered")],
    output: "recovered",
    calls: [
      { attempt: 0, stack: [] },
      { attempt: 0, stack: ["before"] },
      { attempt: 1, stack: ["before"], steps: { before: { data: "result of before" } } },
      { attempt: 0, stack: ["before", "after"] },
    ],
  };
}

/** The reply to the only attempt. */
function givingUp({ id, is, proves, reply, code, tells }: BadReply): WireCase {
  return {
    id: `gives-up-${id}`,
    proves: `${proves}: ${is} is ${code}`,
    retries: 0,
    script: [reply],
    status: "Failed",
    error: { name: expect.any(String), code, message: expect.stringMatching(tells ?? /./) },
    calls: [{ attempt: 0 }],
  };
}

/** Every bad reply in both ways, those that are judged at once. */
export const BAD_REPLIES = BAD.filter(({ slow }) => slow !== true).flatMap((bad) => [recovering(bad), givingUp(bad)]);

/** The same for those that end at the deadline. */
export const SLOW_REPLIES = BAD.filter(({ slow }) => slow === true).flatMap((bad) => [recovering(bad), givingUp(bad)]);
