/**
 * Replies that are unusual and right (EX-25, EX-65, protocol/03 §3.2), and those that come at a bad time (EX-10, EX-11).
 */
import { setTimeout as sleep } from "node:timers/promises";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { expect } from "vitest";
import type { Script } from "../../harness/scripted-app.ts";
import { between, SLACK, type WireCase } from "../case.ts";
import { done, planned, progress, run } from "../ops.ts";
import { CALL_TIMEOUT } from "./bad.ts";

/** A redirect by `status` to another path of the same app, as often as `hops` says. */
function redirected(status: number, hops: number): Script {
  let hop = 0;
  return (call) => {
    if (hop++ < hops)
      return { status, as: "nobody", headers: { location: `/moved/${hop}${call.url.search}` }, raw: "" };
    return call.body.ctx.stack.stack.length === 0 ? progress(run("a")) : done();
  };
}

/** Redirects (EX-25). */
export const REDIRECTED: readonly WireCase[] = [
  ...[301, 302, 303, 307, 308].map(
    (status): WireCase => ({
      id: `redirect-${status}`,
      proves: `EX-25: a ${status} is followed with method and body`,
      script: redirected(status, 1),
      check: ({ calls }) => {
        expect(calls.map((call) => call.url.pathname)).toEqual(["/api/inngest", "/moved/1", "/api/inngest"]);
        expect(calls[1]?.raw).toBe(calls[0]?.raw);
        expect(calls[1]?.method).toBe("POST");
      },
    }),
  ),
  {
    id: "redirect-5",
    proves: "EX-25: five redirects are followed",
    script: redirected(308, 5),
    check: ({ calls }) => expect(calls.map((call) => call.url.pathname)).toContain("/moved/5"),
  },
  {
    id: "redirect-6",
    proves: "EX-25: a sixth one fails the attempt",
    retries: 0,
    script: redirected(308, 6),
    status: "Failed",
    error: { code: "app_unreachable", message: expect.stringContaining("redirect") },
    check: ({ calls }) => expect(calls).toHaveLength(6),
  },
  {
    id: "redirect-loop",
    proves: "EX-25, faults 15: a loop ends",
    retries: 0,
    script: (call) => ({ status: 307, as: "nobody", headers: { location: call.url.href }, raw: "" }),
    status: "Failed",
    error: { code: "app_unreachable" },
    check: ({ calls }) => expect(calls).toHaveLength(6),
  },
  {
    id: "redirect-scheme",
    proves: "EX-25, SE-13: a redirect to another scheme is not followed",
    retries: 0,
    script: [{ status: 302, as: "nobody", headers: { location: "ftp://127.0.0.1/x" }, raw: "" }],
    status: "Failed",
    error: { code: expect.stringMatching(/^(?:app_unreachable|unsupported_protocol)$/) },
  },
  {
    id: "redirect-nonsense",
    proves: "SE-15: a redirect to nowhere fails its attempt",
    retries: 0,
    script: [{ status: 302, as: "nobody", headers: { location: "http://[" }, raw: "" }],
    status: "Failed",
    error: { code: expect.stringMatching(/^(?:app_unreachable|bad_reply)$/) },
  },
  {
    id: "redirect-without",
    proves: "SE-15: a redirect without a location fails its attempt",
    retries: 0,
    script: [{ status: 302, as: "nobody", raw: "gone fishing" }],
    status: "Failed",
    error: { code: "app_unreachable", message: expect.stringContaining("302") },
  },
];

/** Hosts that are slow or compress (EX-65), and those that ask for patience (EX-24). */
export const HOSTS: readonly WireCase[] = [
  {
    id: "trickled",
    proves: "EX-65: a reply that trickles in byte by byte is read to its end",
    script: [{ ...progress(run("a", "ü")), trickle: { bytes: 1, everyMs: 5 } }, done()],
    calls: [{ stack: [] }, { stack: ["a"], steps: { a: { data: "ü" } } }],
  },
  ...Object.entries({ gzip: gzipSync, br: brotliCompressSync }).map(
    ([encoding, compress]): WireCase => ({
      id: `packed-${encoding}`,
      proves: `EX-65: a reply compressed with ${encoding} is understood`,
      script: [{ headers: { "content-encoding": encoding }, raw: compress(JSON.stringify({ packed: "ü" })) }],
      output: { packed: "ü" },
    }),
  ),
  {
    id: "byte-order-mark",
    proves: "SE-15: a byte order mark does no harm",
    script: [{ raw: Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(`{"ok":1}`)]) }],
    output: { ok: 1 },
  },
  ...[429, 503].map(
    (status): WireCase => ({
      id: `patience-${status}`,
      proves: `EX-24: a host's ${status} with Retry-After is respected`,
      script: [{ status, as: "nobody", headers: { "retry-after": "3" }, raw: "busy" }, done()],
      calls: [{ attempt: 0 }, { attempt: 1 }],
      check: (seen) => {
        expect(between(seen, 0, 1)).toBeGreaterThanOrEqual(3_000);
        expect(between(seen, 0, 1)).toBeLessThan(3_000 + SLACK);
      },
    }),
  ),
  {
    id: "patience-date",
    proves: "EX-24, EX-23: Retry-After may be a date",
    script: (call) => {
      if (call.body.ctx.attempt > 0) return done();
      const at = new Date(Date.now() + 3_000).toUTCString();
      return { status: 503, as: "nobody", headers: { "retry-after": at }, raw: "busy" };
    },
    check: (seen) => expect(between(seen, 0, 1)).toBeGreaterThanOrEqual(1_900),
  },
  {
    id: "text-error",
    proves: "EX-30: an error that is not JSON becomes the message",
    retries: 0,
    script: [{ status: 500, raw: "Segmentation fault" }],
    status: "Failed",
    error: { name: "Error", message: expect.stringContaining("Segmentation fault") },
  },
  {
    id: "string-error",
    proves: "EX-30: an error that is a JSON text becomes the message",
    retries: 0,
    script: [{ status: 500, body: "just words" }],
    status: "Failed",
    error: { name: "Error", message: "just words" },
  },
  {
    id: "python-error",
    proves: "EX-24, EX-30, protocol/03 §3.2: an error object of another SDK keeps its fields",
    retries: 0,
    script: [{ status: 500, body: { code: "unknown", name: "ValueError", message: "bad", stack: "…" } }],
    status: "Failed",
    error: { name: "ValueError", message: "bad" },
  },
];

/** Replies after the deadline. */
export const LATE: readonly WireCase[] = [
  {
    id: "late",
    proves: "EX-11, EX-17: a reply after the deadline, when the retry has succeeded, changes nothing",
    script: [
      { ...progress(run("a", "late")), delayMs: CALL_TIMEOUT + 1_500 },
      progress(run("a", "in time")),
      { ...done("end"), delayMs: 1_500 },
    ],
    output: "end",
    calls: [{ attempt: 0 }, { attempt: 1 }, { attempt: 0, stack: ["a"], steps: { a: { data: "in time" } } }],
  },
  {
    id: "late-end",
    proves: "EX-11: a reply after the run has ended changes nothing",
    retries: 0,
    script: [{ ...done("late"), delayMs: CALL_TIMEOUT + 500 }],
    status: "Failed",
    error: { code: "call_timeout" },
    check: async ({ engine, run: ended }) => {
      await sleep(1_000);
      expect(await engine.run(ended.run_id)).toEqual(ended);
    },
  },
];

/** Replies that are lost or belong to something else. */
export const STRAY: readonly WireCase[] = [
  {
    id: "work-done-reply-lost",
    proves: "EX-10: the app did the work twice when its reply was lost, and one result is stored",
    script: (call) => {
      if (call.number === 1) return { ...progress(run("charge", "first")), drop: "before" };
      return call.number === 2 ? progress(run("charge", "second")) : done(call.body.steps);
    },
    output: { charge: { data: "second" } },
    calls: [{ attempt: 0 }, { attempt: 1 }, { attempt: 0, stack: ["charge"] }],
  },
  {
    id: "wrong-step",
    proves: "SE-15, faults 14: a targeted call answered with another step is not mistaken for the one asked for",
    script: (call) => {
      if (call.stepId === "p") return call.body.ctx.attempt === 0 ? progress(run("other")) : progress(run("p"));
      return call.body.ctx.stack.stack.includes("p") ? done() : progress(planned("p"));
    },
    check: ({ calls }) => {
      const targeted = calls.filter((call) => call.stepId === "p").map((call) => call.body.ctx.attempt);
      expect(targeted).toEqual([0, 1]);
    },
  },
];
