/**
 * Row 11: apps that are slow, silent or fall silent, that trickle, and that break the connection (EX-10, EX-17, EX-24, EX-65).
 */
import type { WireCase } from "../../conformance/wire/case.ts";
import { done, progress, run } from "../../conformance/wire/ops.ts";
import { type Hostile, hostile } from "./table.ts";
import { breaksAfter, chunk, drips, head, resetsAfter, sends, stallsAfter, trickles } from "./wire.ts";

/** What the engine waits for a reply, and between two pieces of one, ms. */
export const DEADLINE = { call: 5_000, silence: 2_000 } as const;

const OPS = JSON.stringify([run("lost")]);
const CHUNKED = head(206, { "transfer-encoding": "chunked" });
const LENGTH = head(206, { "content-length": String(OPS.length) });
const LATE = /did not answer within 5 s.*connect/;
const SILENT = /silent for 2 s/;
const BROKEN = /http:\/\/127\.0\.0\.1:\d+ cannot be reached/;

const REPLIES: readonly Hostile[] = [
  {
    id: "silent",
    title: "row 11: an app that accepts and never answers (EX-17)",
    reply: () => ({ never: true }),
    code: "call_timeout",
    tells: LATE,
  },
  {
    id: "half-a-head",
    title: "row 11: an app that falls silent in its headers (EX-17)",
    reply: () => stallsAfter("HTTP/1.1 206 Partial Content\r\ncontent-type: appl"),
    code: "call_timeout",
    tells: LATE,
  },
  {
    id: "dripping-head",
    title: "row 11: an app whose headers trickle without end (EX-17)",
    reply: () => drips("HTTP/1.1 206 Partial Content\r\n", "x-drip: drop\r\n", 50),
    code: "call_timeout",
    tells: LATE,
  },
  {
    id: "dripping-body",
    title: "row 11: an app whose body trickles beyond the deadline (EX-17)",
    reply: () => drips(head(201, { "transfer-encoding": "chunked" }), chunk(" "), 100),
    code: "call_timeout",
    tells: LATE,
  },
  {
    id: "dripping-length",
    title: "row 11: an app whose body of announced length trickles beyond the deadline (EX-17)",
    reply: () => drips(head(200, { "content-length": "100000" }), " ", 100),
    code: "call_timeout",
    tells: LATE,
  },
  {
    id: "stalled-stream",
    title: "row 11: a streamed reply that falls silent (EX-64)",
    reply: () => stallsAfter(`${head(201, { "transfer-encoding": "chunked" })}${chunk("   ")}`),
    code: "call_timeout",
    tells: SILENT,
  },
  {
    id: "stalled-length",
    title: "row 11: a body of announced length that stops half-way (EX-17)",
    reply: () => stallsAfter(`${LENGTH}${OPS.slice(0, 20)}`),
    code: "call_timeout",
    tells: LATE,
  },
  {
    id: "cut-nothing",
    title: "row 11: a connection that ends without a byte (EX-10, EX-24)",
    reply: () => sends(),
    code: "app_unreachable",
    tells: BROKEN,
  },
  {
    id: "cut-head",
    title: "row 11: a connection that ends in the headers (EX-10, EX-24)",
    reply: () => breaksAfter("HTTP/1.1 206 Partial Content\r\nx-inngest-sdk: js"),
    code: "app_unreachable",
    tells: BROKEN,
  },
  {
    id: "cut-length",
    title: "row 11: a connection that ends in a body of announced length (EX-10, EX-24)",
    reply: () => breaksAfter(LENGTH, OPS.slice(0, -1)),
    code: "app_unreachable",
    tells: BROKEN,
  },
  {
    id: "cut-chunk",
    title: "row 11: a connection that ends inside a chunk (EX-10, EX-24)",
    reply: () => breaksAfter(CHUNKED, chunk(OPS).slice(0, -10)),
    code: "app_unreachable",
    tells: BROKEN,
  },
  {
    id: "cut-last-chunk",
    title: "row 11: a connection that ends before the last chunk, with all of the JSON there (EX-10, EX-24)",
    reply: () => breaksAfter(CHUNKED, chunk(OPS)),
    code: "app_unreachable",
    tells: BROKEN,
  },
  {
    id: "reset-at-once",
    title: "row 11: a connection reset at once (EX-10, EX-24)",
    reply: () => resetsAfter(),
    code: "app_unreachable",
    tells: BROKEN,
  },
  {
    id: "reset-body",
    title: "row 11: a connection reset in the body (EX-10, EX-24)",
    reply: () => resetsAfter(CHUNKED, chunk(OPS.slice(0, 20))),
    code: "app_unreachable",
    tells: BROKEN,
  },
  {
    id: "reset-open-end",
    title: "row 11: a body without an announced length, reset half-way (EX-10, EX-24)",
    reply: () => resetsAfter(head(206), OPS.slice(0, 20)),
    code: "app_unreachable",
    tells: BROKEN,
  },
];

/** Slow replies that arrive in time. */
const IN_TIME: readonly WireCase[] = [
  {
    id: "slow-head",
    proves: "row 11: headers that trickle within the deadline are read (EX-65)",
    script: (call) => {
      if (call.body.ctx.stack.stack.length > 0) return done("read");
      const text = `${head(206, { "content-length": String(OPS.length) })}${OPS}`;
      return trickles(text, Math.ceil(text.length / 10), 60);
    },
    output: "read",
  },
  {
    id: "slow-body",
    proves: "row 11: a body whose bytes come one by one within the deadline is read (EX-65)",
    script: (call) => {
      if (call.body.ctx.stack.stack.length > 0) return done(call.body.steps);
      return { ...progress(run("a", "ü😀")), trickle: { bytes: 1, everyMs: 3 } };
    },
    output: { a: { data: "ü😀" } },
  },
  {
    id: "open-end",
    proves: "row 11: a body that ends with its connection is read (EX-65)",
    script: (call) => (call.body.ctx.stack.stack.length === 0 ? sends(head(206), OPS) : done("read")),
    output: "read",
  },
  {
    id: "patient-stream",
    proves: "row 11: pauses shorter than the tolerated silence end nothing, however many (EX-64)",
    script: () => ({
      status: 201,
      headers: { "x-inngest-req-version": "" },
      raw: `    ${JSON.stringify({ status: 200, headers: {}, body: JSON.stringify("streamed") })}`,
      trickle: { bytes: 8, everyMs: 300 },
    }),
    output: "streamed",
  },
];

/** The cases of row 11 that need one engine with a short deadline. */
export const SLOW: readonly WireCase[] = [...REPLIES.flatMap((one) => hostile(one, "short")), ...IN_TIME];
