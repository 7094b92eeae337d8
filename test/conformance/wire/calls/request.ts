/**
 * What the first call of a run looks like (protocol/03 §3.1): every header and every field of the body.
 */
import { expect } from "vitest";
import type { WireCase } from "../case.ts";
import { done, progress, run } from "../ops.ts";

const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Cases about the shape of requests. */
export const REQUEST: readonly WireCase[] = [
  {
    id: "first-call",
    proves: "protocol/03 §3.1: the first call has every header and field",
    event: { data: { n: 1 }, id: "evt-first-call", ts: 1_700_000_000_000 },
    script: [done({ ok: true })],
    output: { ok: true },
    check: ({ calls: [call], run, app }) => {
      if (call === undefined) throw new Error("There was no call.");
      const { headers, body, url, runId } = call;
      expect(call.method).toBe("POST");
      expect(url.origin + url.pathname).toBe(`${app.url}/api/inngest`);
      expect(Object.fromEntries(url.searchParams)).toEqual({ fnId: "wire-first-call", stepId: "step" });
      expect(headers).toMatchObject({
        "content-type": "application/json",
        "x-inngest-server-kind": "dev",
        "x-inngest-req-version": "-1",
        "x-run-id": runId,
        "x-inngest-step-id": "step",
        "x-request-id": body.ctx["request_id"],
        "x-inngest-generation-id": String(body.ctx.generation_id),
        "x-inngest-job-id": body.ctx.job_id,
      });
      expect(headers).not.toHaveProperty("x-inngest-signature");
      const event = { name: "wire/first-call", data: { n: 1 }, id: "evt-first-call", ts: 1_700_000_000_000, user: {} };
      const { fn_id, ...ctx } = body.ctx;
      expect({ ...body, ctx }).toEqual({
        event,
        events: [event],
        steps: {},
        defers: {},
        ctx: {
          run_id: run.run_id,
          env: expect.any(String),
          step_id: "step",
          attempt: 0,
          max_attempts: 5,
          disable_immediate_execution: false,
          use_api: false,
          stack: { stack: [], current: 0 },
          qi_id: expect.any(String),
          request_id: expect.any(String),
          generation_id: expect.any(Number),
          job_id: expect.any(String),
        },
        version: -1,
        use_api: false,
      });
      // Without it SDKs do not checkpoint; with it, it must be a UUID.
      if (fn_id !== undefined) expect(fn_id).toMatch(UUID);
      expect(runId).toMatch(ULID);
      expect(Number.isInteger(body.ctx.generation_id)).toBe(true);
      expect(body.ctx["qi_id"]).not.toBe("");
    },
  },
  {
    id: "generated-fields",
    proves: "EV-3, EV-6, EX-8: an event without id, ts, data and user arrives with all of them, also in `events`",
    script: [done()],
    check: async ({ calls: [call], event, run }) => {
      const stored = await event();
      const { id, ts, ...rest } = call?.body.event ?? { id: "", ts: 0 };
      expect(rest).toEqual({ name: "wire/generated-fields", data: {}, user: {} });
      expect(id).toMatch(ULID);
      expect(id).toBe(stored.internal_id);
      expect(ts).toBe(Date.parse(String(stored["received_at"])));
      expect(call?.body.events).toEqual([call?.body.event]);
      expect(run.event_ids).toEqual([id]);
    },
  },
  {
    id: "optional-fields",
    proves: "EV-3, EV-37: `v`, `user` and merged sessions reach the function, unknown fields and `_inngest` do not",
    event: {
      data: { keep: 1, _inngest: { fn_id: "somebody-else" } },
      v: "2026-11-21.1",
      user: { external_id: "u1" },
      meta: { propagated_sessions: { a: "1", b: "2" }, sessions: { b: null, c: "3" } },
      surprise: true,
    },
    script: [done()],
    check: ({ calls: [call] }) =>
      expect(call?.body.event).toEqual({
        name: "wire/optional-fields",
        data: { keep: 1 },
        id: expect.any(String),
        ts: expect.any(Number),
        v: "2026-11-21.1",
        user: { external_id: "u1" },
        meta: { sessions: { a: "1", c: "3" } },
      }),
  },
  {
    id: "faithful",
    proves: "EX-6, EX-7: names, numbers, Unicode and order of keys survive event, memo and output",
    event: {
      data: { z: 1e21, a: -0.5, "10": 1, "9": 2, s: "ü\u0000\u2028😀", deep: [[{ x: [] }]], long: "é".repeat(9) },
    },
    script: (call) => (call.number === 1 ? progress(run("s", call.body.event.data)) : done(call.body.steps)),
    check: ({ calls: [first, second], run }) => {
      const data = {
        z: 1e21,
        a: -0.5,
        "10": 1,
        "9": 2,
        s: "ü\u0000\u2028😀",
        deep: [[{ x: [] }]],
        long: "é".repeat(9),
      };
      expect(JSON.stringify(first?.body.event.data)).toBe(JSON.stringify(data));
      expect(JSON.stringify(second?.body.steps)).toBe(JSON.stringify({ s: { data } }));
      expect(JSON.stringify(run.output)).toBe(JSON.stringify({ s: { data } }));
    },
  },
  {
    id: "no-retries",
    proves: "EX-19: retries 0 are one attempt, and the call says so",
    retries: 0,
    script: [{ status: 500, headers: { "x-inngest-no-retry": "false" }, body: { name: "Error", message: "once" } }],
    status: "Failed",
    error: { message: "once" },
    check: ({ calls }) => expect(calls.map((call) => call.body.ctx.max_attempts)).toEqual([1]),
  },
  {
    id: "retries-at-function",
    proves: "AP-19, EX-19: retries at function level count too",
    options: { retries: { attempts: 2 } },
    script: [done()],
    check: ({ calls: [call] }) => expect(call?.body.ctx.max_attempts).toBe(3),
  },
  {
    id: "second-call",
    proves: "protocol/03 §3.1: later calls carry the version in header and body, and a request id of their own",
    script: [progress(run("a")), done()],
    check: ({ calls: [first, second] }) => {
      expect(second?.headers["x-inngest-req-version"]).toBe("2");
      expect(second?.body.ctx["request_id"]).not.toBe(first?.body.ctx["request_id"]);
      expect(second?.body.ctx.job_id).not.toBe(first?.body.ctx.job_id);
      expect(second?.body.ctx.stack).toEqual({ stack: ["a"], current: 1 });
    },
  },
];
