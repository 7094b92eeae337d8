/**
 * Row 13: replies that are huge, endless, packed, or whose length is not what they say (EX-18, EX-24).
 */
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { expect } from "vitest";
import type { WireCase } from "../../conformance/wire/case.ts";
import { done, progress, run } from "../../conformance/wire/ops.ts";
import { type Hostile, hostile } from "./table.ts";
import { breaksAfter, chunk, head, sends, written } from "./wire.ts";

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const OPS = JSON.stringify([run("lost")]);
const TOO_LARGE = /larger than 8388608 bytes/;
const BROKEN = /http:\/\/127\.0\.0\.1:\d+ cannot be reached/;

/** Bytes handed over by the endless replies so far. */
export const flooded = { bytes: 0, replies: 0 };

/** A GiB in pieces of 64 KiB, or as much of it as the engine takes. */
function flood(start: string, wrapped: boolean): Hostile["reply"] {
  const piece = Buffer.from(wrapped ? chunk(" ".repeat(64 * 1024)) : " ".repeat(64 * 1024));
  return () => ({
    async wire(socket) {
      flooded.replies++;
      await written(socket, start);
      for (let sent = 0; sent < GIB && !socket.destroyed; sent += piece.byteLength) {
        await written(socket, piece);
        flooded.bytes += piece.byteLength;
      }
    },
  });
}

const nine = Buffer.from(JSON.stringify("x".repeat(9 * MIB)));
const zeros = Buffer.alloc(256 * MIB);
const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MIN_QUALITY } };
const bomb = { gzip: gzipSync(zeros, { level: 1 }), br: brotliCompressSync(zeros, quick) };

const REPLIES: readonly Hostile[] = [
  {
    id: "nine",
    title: "row 13: a reply of 9 MiB (EX-18)",
    reply: () => ({ raw: nine }),
    code: "reply_too_large",
    tells: TOO_LARGE,
  },
  {
    id: "nine-chunked",
    title: "row 13: a reply of 9 MiB that does not say so (EX-18)",
    reply: () => ({ raw: nine, trickle: { bytes: MIB, everyMs: 0 } }),
    code: "reply_too_large",
    tells: TOO_LARGE,
  },
  {
    id: "endless-chunked",
    title: "row 13: a GiB in chunks (EX-18)",
    reply: flood(head(200, { "transfer-encoding": "chunked" }), true),
    code: "reply_too_large",
    tells: TOO_LARGE,
  },
  {
    id: "endless-announced",
    title: "row 13: a GiB of announced length (EX-18)",
    reply: flood(head(206, { "content-length": String(GIB) }), false),
    code: "reply_too_large",
    tells: TOO_LARGE,
  },
  {
    id: "endless-open",
    title: "row 13: a GiB of no announced length (EX-18)",
    reply: flood(head(500), false),
    code: "reply_too_large",
    tells: TOO_LARGE,
  },
  {
    id: "endless-spaces",
    title: "row 13: a stream that is kept alive for ever (EX-18, EX-64)",
    reply: flood(head(201, { "transfer-encoding": "chunked" }), true),
    code: "reply_too_large",
    tells: TOO_LARGE,
  },
  ...(["gzip", "br"] as const).map(
    (encoding): Hostile => ({
      id: `bomb-${encoding}`,
      title: `row 13: 256 MiB packed with ${encoding} (EX-18)`,
      reply: () => ({ headers: { "content-encoding": encoding }, raw: bomb[encoding] }),
      code: "reply_too_large",
      tells: TOO_LARGE,
    }),
  ),
  {
    id: "not-packed",
    title: "row 13: a body that is not packed as it says (EX-24)",
    reply: () => ({ status: 206, headers: { "content-encoding": "gzip" }, raw: OPS }),
    code: "app_unreachable",
    tells: BROKEN,
  },
  {
    id: "half-packed",
    title: "row 13: a packed body that is cut off (EX-24)",
    reply: () => ({ status: 206, headers: { "content-encoding": "gzip" }, raw: gzipSync(OPS).subarray(0, -12) }),
    code: "app_unreachable",
    tells: BROKEN,
  },
  {
    id: "unknown-packing",
    title: "row 13: a body packed in a way nobody knows (SE-15)",
    reply: () => ({
      status: 206,
      headers: { "content-encoding": "x-lzma" },
      raw: Buffer.from([0x5d, 0, 0, 0x80, 0xff]),
    }),
    code: "bad_reply",
    tells: /malformed/,
  },
  {
    id: "length-longer",
    title: "row 13: a body shorter than its announced length (EX-24)",
    reply: () => breaksAfter(head(206, { "content-length": String(OPS.length + 10) }), OPS),
    code: "app_unreachable",
    tells: BROKEN,
  },
  {
    id: "length-shorter",
    title: "row 13: a body longer than its announced length (SE-15)",
    reply: () => sends(head(206, { "content-length": String(OPS.length - 10) }), OPS),
    code: "bad_reply",
    tells: /malformed.*lost/s,
  },
  ...["-1", "1e3", "99999999999999999999999999", "12, 13"].map(
    (length, n): Hostile => ({
      id: `length-${n}`,
      title: `row 13: an announced length of ${length} (SE-15)`,
      reply: () => sends(head(206, { "content-length": length }), OPS),
      code: "app_unreachable",
      tells: BROKEN,
    }),
  ),
  {
    id: "chunk-negative",
    title: "row 13: a chunk whose length is no number (SE-15)",
    reply: () => sends(head(206, { "transfer-encoding": "chunked" }), `-5\r\n${OPS}\r\n0\r\n\r\n`),
    code: "app_unreachable",
    tells: BROKEN,
  },
  {
    id: "chunk-absurd",
    title: "row 13: a chunk of 2^64 bytes (SE-15)",
    reply: () => sends(head(206, { "transfer-encoding": "chunked" }), `FFFFFFFFFFFFFFFFF\r\n${OPS}\r\n0\r\n\r\n`),
    code: "app_unreachable",
    tells: BROKEN,
  },
  {
    id: "huge-header",
    title: "row 13: a header of 2 MiB (SE-15)",
    reply: () => sends(head(206, { "x-large": "x".repeat(2 * MIB), "content-length": String(OPS.length) }), OPS),
    code: "app_unreachable",
    tells: BROKEN,
  },
];

/** Large replies that are right, or whose size is not the transport's to judge. */
const LARGE: readonly WireCase[] = [
  {
    id: "eight",
    proves: "row 13: a reply just below 8 MiB is read, and its result is too large for a step (EX-13, EX-18)",
    script: (call) =>
      call.number === 1 ? progress(run("large", "x".repeat(8 * MIB - 1000))) : done(call.body.steps["large"]),
    output: { error: expect.objectContaining({ code: "output_too_large" }) },
  },
  {
    id: "large-error",
    proves: "row 13: an error of 7 MiB fails its run, and its beginning is kept (EX-30, I6)",
    retries: 1,
    script: () => ({ status: 500, body: { name: "Large", message: "y".repeat(7 * MIB), stack: "z" } }),
    status: "Failed",
    calls: [{ attempt: 0 }, { attempt: 1 }],
    check: async ({ engine, run: ended }) => {
      expect(JSON.stringify(ended.output).length).toBeLessThan(10_000);
      // Lists know what history knows.
      const listed = `/v1/runs?status=Failed&function_id=${ended.function_id}`;
      await engine.until(async () => (await engine.api("GET", listed)).text.includes(ended.run_id));
      const message = expect.stringMatching(/^y{1000}.*bytes and was cut; the limit is 1048576 bytes/);
      expect(ended.output).toMatchObject({ name: "Large", message, stack: "z" });
    },
  },
  {
    id: "large-step-error",
    proves: "row 13: a step's error of 7 MiB can be caught, and its beginning is kept (EX-26, EX-30)",
    script: (call) => {
      const error = { name: "Large", message: "y".repeat(7 * MIB) };
      if (call.number === 1) return progress({ op: "StepFailed", id: "s", name: "s", error });
      return done(JSON.stringify(call.body.steps["s"]).length);
    },
    check: ({ run: ended }) => expect(ended.output).toBeLessThan(10_000),
  },
  {
    id: "large-name",
    proves: "row 13: a step whose name has 3 MiB is stored, under as much of it as can be shown (SE-15)",
    script: (call) =>
      call.number === 1 ? progress({ ...run("s"), displayName: "n".repeat(3 * MIB) }) : done(call.body.ctx.stack.stack),
    output: ["s"],
  },
  {
    id: "large-id",
    proves: "row 13: a step whose id is longer than any SDK's is refused (SE-15)",
    retries: 0,
    script: [progress(run("i".repeat(2000)))],
    status: "Failed",
    error: { code: "bad_reply", message: expect.stringMatching(/id of 2000 characters.*255/) },
  },
];

/** The cases of row 13. */
export const SIZES: readonly WireCase[] = [...REPLIES.flatMap((one) => hostile(one, "long")), ...LARGE];
