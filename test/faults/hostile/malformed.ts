/**
 * Row 14: replies that are no replies: not from an SDK, not JSON, not operations, or operations that make no sense (SE-15, EX-24).
 */
import { expect } from "vitest";
import type { Reply } from "../../conformance/harness/scripted-app.ts";
import type { WireCase } from "../../conformance/wire/case.ts";
import { complete, done, failed, nap, planned, progress, run, threw } from "../../conformance/wire/ops.ts";
import { type Hostile, hostile } from "./table.ts";

const raw = (status: number, text: string | Uint8Array): (() => Reply) => {
  return () => ({ status, raw: text });
};
const deep = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;
const deepObject = (levels: number): string => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;

const REPLIES: readonly Hostile[] = [
  {
    id: "html-200",
    title: "row 14: an HTML page with 200 (EX-24)",
    reply: () => ({ as: "nobody", headers: { "content-type": "text/html" }, raw: "<html>Parked domain</html>" }),
    code: "not_sdk",
    tells: /\(200\).*Parked domain/,
  },
  {
    id: "json-206",
    title: "row 14: right operations without an SDK's headers (EX-24)",
    reply: () => ({ as: "nobody", status: 206, body: [run("lost")] }),
    code: "not_sdk",
    tells: /\(206\).*lost/,
  },
  ...Object.entries({
    "not-json": "undefined",
    "two-values": "{} {}",
    nan: '{"n":NaN}',
    "single-quotes": "{'a':1}",
    "trailing-comma": "[1,]",
    "bare-control": '"a\u0001b"',
    "deep-array": deep(10_000),
    "deep-object": deepObject(10_000),
  }).map(
    ([id, text]): Hostile => ({
      id,
      title: `row 14: an output that is ${id} (SE-15)`,
      reply: raw(200, text),
      code: "bad_reply",
      tells: /not JSON/,
    }),
  ),
  ...Object.entries<string | Uint8Array>({
    nothing: "",
    null: "null",
    object: "{}",
    nested: '[[{"op":"StepRun","id":"a"}]]',
    deep: `[{"op":"StepRun","id":"a","data":${deep(10_000)}}]`,
    half: '[{"op":"StepRun","id":"lost","da',
    "not-utf8": Buffer.from([0xff, 0xfe, 0x5b, 0x00, 0x7b]),
    utf16: Buffer.from('[{"op":"StepRun","id":"lost"}]', "utf16le"),
    "opts-array": '[{"op":"StepPlanned","id":"a","opts":[1]}]',
    "op-number": '[{"op":2,"id":"a"}]',
    "id-number": '[{"op":"StepRun","id":5}]',
    "timeout-number": '[{"op":"WaitForEvent","id":"a","opts":{"event":"x","timeout":5}}]',
    "proto-op": '[{"__proto__":{"op":"StepRun","id":"a"}}]',
  }).map(
    ([id, text]): Hostile => ({
      id: `ops-${id}`,
      title: `row 14: 206 with ${id} (SE-15)`,
      reply: raw(206, text),
      code: "bad_reply",
      tells: /operations are malformed/,
    }),
  ),
  {
    id: "op-unknown",
    title: "row 14: an unknown operation beside a known one (protocol/03 §3.4 rule 10)",
    reply: () => progress(run("lost"), { op: "Frobnicate", id: "f" }),
    code: "bad_reply",
    tells: /Frobnicate/,
  },
  {
    id: "op-proto",
    title: "row 14: an operation named like a property of objects (SE-15)",
    reply: () => progress({ op: "constructor", id: "f" }),
    code: "bad_reply",
    tells: /constructor/,
  },
  {
    id: "id-empty",
    title: "row 14: an operation with an empty id (SE-15)",
    reply: () => progress({ op: "StepRun", id: "", data: 1 }),
    code: "bad_reply",
    tells: /StepRun without an id/,
  },
  {
    id: "id-control",
    title: "row 14: an id no request could carry (SE-15)",
    reply: () => progress(planned("a\r\nx-injected: 1")),
    code: "bad_reply",
    tells: /characters/,
  },
  {
    id: "id-unicode",
    title: "row 14: an id of letters no header can carry (SE-15)",
    reply: () => progress(planned("schritt-ü😀")),
    code: "bad_reply",
    tells: /characters/,
  },
];

/** Sleeps whose times make no sense: each ends the run at once, by its name, and is never slept. */
const ABSURD_TIMES: readonly WireCase[] = [
  ["99999999999y", "timeout_too_long", /366 days/],
  [`${"9".repeat(400)}s`, "timeout_too_long", /366 days/],
  ["8640000000000001ms", "timeout_too_long", /366 days/],
  ["367d", "timeout_too_long", /366 days/],
  ["9999-12-31T23:59:59Z", "timeout_too_long", /366 days/],
  ["-5s", "bad_reply", /neither a duration nor a date/],
  ["NaN", "bad_reply", /neither a duration nor a date/],
  ["1e9s", "bad_reply", /neither a duration nor a date/],
  ["2026-13-45T99:99:99Z", "bad_reply", /neither a duration nor a date/],
  ["+275760-09-13T00:00:00.001Z", "bad_reply", /neither a duration nor a date/],
  ["x".repeat(1_000_000), "bad_reply", /^.{0,3000}neither a duration nor a date/s],
].flatMap(([length, code, tells], n): WireCase[] => [
  {
    id: `sleep-${n}`,
    proves: `row 14: a sleep of "${String(length).slice(0, 30)}" fails its run with ${code} (EX-38, SE-15)`,
    script: [progress(nap("absurd", String(length)))],
    status: "Failed",
    error: { code, message: expect.stringMatching(tells as RegExp) },
    calls: [{ attempt: 0 }],
    check: ({ run: ended }) => expect(JSON.stringify(ended.output).length).toBeLessThan(4_000),
  },
]);

/** Sleeps that are over before they begin. */
const PAST: readonly WireCase[] = ["", "0s", "1970-01-01T00:00:00Z", "0000-01-01", "2026-01-01T00:00:00+14:00"].map(
  (length, n) => ({
    id: `past-${n}`,
    proves: `row 14: a sleep of "${length}" continues at once (EX-38)`,
    script: [progress(nap("past", length)), done("awake")],
    output: "awake",
    calls: [{ stack: [] }, { stack: ["past"] }],
  }),
);

const PROTO = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":2}');

/** Operations that are unusual, and what becomes of them. */
const SENSELESS: readonly WireCase[] = [
  {
    id: "proto-data",
    proves: "row 14: keys named like those of prototypes are data as any other (EX-6, SE-15)",
    script: (call) => (call.number === 1 ? progress(run("a", PROTO)) : { raw: JSON.stringify(call.body.steps["a"]) }),
    check: ({ run: ended }) => {
      expect(JSON.stringify(ended.output)).toBe(JSON.stringify({ data: PROTO }));
      expect({}).not.toHaveProperty("polluted");
    },
  },
  {
    id: "proto-id",
    proves: "row 14: a step named __proto__ is a step as any other (EX-5, SE-15)",
    script: (call) => {
      const known = Object.entries(JSON.parse(call.raw).steps);
      return known.length === 0 ? progress(run("__proto__", 7)) : { raw: JSON.stringify(known) };
    },
    output: [["__proto__", { data: 7 }]],
    calls: [{ stack: [] }, { stack: ["__proto__"] }],
  },
  {
    id: "huge-numbers",
    proves: "row 14: numbers beyond every number become what JSON makes of them (EX-7)",
    script: (call) => {
      if (call.number > 1) return { raw: JSON.stringify(call.body.steps["a"]) };
      return { status: 206, raw: '[{"op":"StepRun","id":"a","data":[1e999,-1e999,1e21,5e-324,-0]}]' };
    },
    output: { data: [null, null, 1e21, 5e-324, 0] },
  },
  {
    id: "surrogates",
    proves: "row 14: halves of surrogate pairs and bytes that are no UTF-8 are kept as text (EX-6, SE-15)",
    script: (call) => {
      if (call.number > 1) return { raw: JSON.stringify(call.body.steps) };
      const text =
        '[{"op":"StepRun","id":"a","displayName":"\\udc00","data":"\\ud83d\\u0000"},{"op":"StepRun","id":"b","data":"';
      return { status: 206, raw: Buffer.concat([Buffer.from(text), Buffer.from([0xff, 0xc0]), Buffer.from('"}]')]) };
    },
    output: { a: { data: "\ud83d\u0000" }, b: { data: "\ufffd\ufffd" } },
  },
  {
    id: "duplicate-ids",
    proves: "row 14: of two results for one id in one reply the first counts (EX-4)",
    script: (call) =>
      call.number === 1 ? progress(run("a", "first"), run("a", "second"), failed("a")) : done(call.body.steps),
    output: { a: { data: "first" } },
    calls: [{ stack: [] }, { stack: ["a"] }],
  },
  {
    id: "finished-again",
    proves: "row 14: whatever is reported of a finished step changes nothing (EX-4)",
    script: (call) => {
      if (call.number === 1) return progress(run("a", "first"));
      if (call.number === 2) return progress(run("a", "second"), threw("a"), failed("a"), nap("a", "1h"), run("b"));
      return done(call.body.steps);
    },
    output: { a: { data: "first" }, b: { data: "result of b" } },
    calls: [{ stack: [] }, { stack: ["a"], attempt: 0 }, { stack: ["a", "b"], attempt: 0 }],
  },
  {
    id: "finished-only",
    proves: "row 14: an app that reports only what is finished gets nowhere, and is told so (EX-73)",
    script: () => progress(run("a")),
    status: "Failed",
    error: { code: "no_progress" },
    calls: [{ stack: [] }, { stack: ["a"] }, { stack: ["a"] }],
  },
  {
    id: "stranger-targeted",
    proves: "row 14: a call for one step answered with another is not mistaken for it (SE-15)",
    retries: 1,
    script: (call) => (call.stepId === "step" ? progress(planned("p")) : progress(run("other"))),
    status: "Failed",
    error: { code: "bad_reply", message: expect.stringContaining("without reporting that step") },
    calls: [{ stepId: "step" }, { stepId: "p", attempt: 0 }, { stepId: "p", attempt: 1 }],
  },
  {
    id: "complete-first",
    proves: "row 14: operations after the end of the run are not carried out (EX-34)",
    script: [progress(complete("end"), planned("late"), nap("later", "1h"))],
    output: "end",
    calls: [{ stack: [] }],
  },
  {
    id: "rediscover-for-ever",
    proves: "row 14: an app that only ever asks to be called again is not called for ever (EX-73, I4)",
    script: () => progress({ op: "DiscoveryRequest", id: "again" }),
    status: "Failed",
    error: { code: "no_progress" },
    check: ({ calls }) => expect(calls.length).toBeLessThan(50),
  },
  {
    id: "odd-version",
    proves: "row 14: a protocol version that is none is not taken over (SE-15)",
    script: [{ ...progress(run("a")), headers: { "x-inngest-req-version": "999" } }, done("fine")],
    output: "fine",
    calls: [{ version: -1 }, { version: -1 }],
  },
  {
    id: "go-times",
    proves: "row 14: a time for the next attempt inside an envelope is clamped like any other (EX-23)",
    script: (call) => {
      if (call.body.ctx.attempt > 0) return done("again");
      const envelope = {
        status: 500,
        headers: null,
        body: { name: "E", message: "m" },
        retryAt: "1970-01-01T00:00:00Z",
      };
      return { status: 201, headers: { "x-inngest-req-version": "" }, body: envelope };
    },
    output: "again",
    check: ({ calls }) => expect((calls[1]?.at ?? 0) - (calls[0]?.at ?? 0)).toBeGreaterThanOrEqual(1_000),
  },
  {
    id: "go-never",
    proves: "row 14: a time for the next attempt in a thousand years is tomorrow (EX-23)",
    script: [
      {
        status: 201,
        headers: { "x-inngest-req-version": "" },
        body: { status: 500, headers: null, body: { name: "E", message: "m" }, retryAt: "3026-01-01T00:00:00Z" },
      },
    ],
    at: "rest",
    check: ({ jobs }) => expect(Date.parse(jobs[0]?.at ?? "") - Date.now()).toBeLessThanOrEqual(86_400_000),
  },
];

/** The cases of row 14. */
export const MALFORMED: readonly WireCase[] = [
  ...REPLIES.flatMap((one) => hostile(one, "long")),
  ...ABSURD_TIMES,
  ...PAST,
  ...SENSELESS,
];
