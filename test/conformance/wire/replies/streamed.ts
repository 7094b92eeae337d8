/**
 * Streamed replies (EX-64, protocol/03 §3.3): white space first, then one envelope around what would have been the reply.
 */
import { expect } from "vitest";
import { headersOf, type Reply } from "../../harness/scripted-app.ts";
import { between, type WireCase } from "../case.ts";
import { done, error, run } from "../ops.ts";

/** A streamed reply: spaces, and at the end the envelope around what would have been the reply. */
function streamed(inner: Record<string, unknown>, spaces = 3): Reply {
  const text = `${" ".repeat(spaces)}${JSON.stringify(inner)}`;
  const headers = { "x-inngest-req-version": "" };
  return { status: 201, headers, raw: text, trickle: { bytes: Math.ceil(text.length / 3), everyMs: 50 } };
}

/** The inner headers of a JavaScript envelope, in the mixed case in which they come. */
const INNER = { ...headersOf("v4"), "Content-Type": "application/json", "Server-Timing": "x;dur=1" };

const A = { a: { data: "result of a" } };

/** Streamed replies. */
export const STREAMED: readonly WireCase[] = [
  {
    id: "stream-ops",
    proves: "EX-64, protocol/03 §3.3: an envelope of 206 stores its step and negotiates its version",
    script: [streamed({ status: 206, headers: INNER, body: JSON.stringify([run("a")]), version: 2 }), done()],
    calls: [{ version: -1 }, { stack: ["a"], steps: A, version: 2 }],
  },
  {
    id: "stream-output",
    proves: "EX-64: an envelope of 200 completes",
    script: [streamed({ status: 200, headers: INNER, body: JSON.stringify({ ok: 1 }), version: 2 })],
    output: { ok: 1 },
  },
  {
    id: "stream-null",
    proves: "EX-64: an envelope of 200 with null completes with null",
    script: [streamed({ status: 200, headers: INNER, body: "null", version: 2 })],
    output: null,
  },
  {
    id: "stream-error",
    proves: "protocol/03 §3.3: an envelope of 500 is retried when its Retry-After says",
    script: [
      streamed({
        status: 500,
        headers: { ...INNER, "Retry-After": "2", "X-Inngest-No-Retry": "false" },
        body: JSON.stringify(error("x")),
      }),
      done(),
    ],
    calls: [{ attempt: 0 }, { attempt: 1 }],
    check: (seen) => expect(between(seen, 0, 1)).toBeGreaterThanOrEqual(2_000),
  },
  {
    id: "stream-final",
    proves: "protocol/03 §3.3: an envelope of 400 with no-retry in its mixed-case headers fails the run",
    script: [
      streamed({
        status: 400,
        headers: { ...INNER, "X-Inngest-No-Retry": "true" },
        body: JSON.stringify(error("never")),
      }),
    ],
    status: "Failed",
    error: { message: "never" },
    calls: [{ attempt: 0 }],
  },
  {
    id: "stream-go",
    proves: "protocol/03 §3.3: Go's envelope holds the body as JSON",
    script: [streamed({ status: 206, body: [run("a")], retryAt: null, noRetry: false, headers: null }), done()],
    calls: [{ stack: [] }, { stack: ["a"], steps: A }],
  },
  {
    id: "stream-go-final",
    proves: "protocol/03 §3.3: Go's noRetry counts",
    script: [streamed({ status: 500, body: error("never"), retryAt: null, noRetry: true, headers: null })],
    status: "Failed",
    error: { message: "never" },
    calls: [{ attempt: 0 }],
  },
  {
    id: "stream-go-text",
    proves: "protocol/03 §3.3: an output of Go that is a text is that text",
    script: [streamed({ status: 200, body: "plain words", retryAt: null, noRetry: false, headers: null })],
    output: "plain words",
  },
  {
    id: "stream-plain",
    proves: "protocol/03 §3.3: a 201 that holds no envelope is an ordinary output",
    script: [{ status: 201, body: { created: true } }],
    output: { created: true },
  },
  {
    id: "stream-spaces",
    proves: "EX-64, SE-15: a stream that ends without an envelope fails its attempt",
    retries: 0,
    script: [{ status: 201, raw: "      " }],
    status: "Failed",
    error: { code: "bad_reply" },
  },
];
