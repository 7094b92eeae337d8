/**
 * How runs begin other than by an ordinary event, and what their end sets off: invocations, future events, system events (spec/00
 * "System events", protocol/06 §6.7) and failure handlers (AP-18).
 */
import { expect } from "vitest";
import type { TestEngine } from "../../harness/engine.ts";
import { SLACK, type WireCase } from "../case.ts";
import { done, failedInBody, progress, run } from "../ops.ts";

const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/** A function started by the system event of this name about another function of the table. */
function follows(event: string, id: string): Pick<WireCase, "start" | "options"> {
  const expression = `event.data.function_id == 'wire-${id}'`;
  return { start: () => Promise.resolve(null), options: { triggers: [{ event, expression }] } };
}

const SESSIONS = { sessions: { user: "u1" } };

/** ms ahead for the future event: long enough to be seen waiting. */
const AHEAD = 6_000;

/** Cases about beginnings and ends. */
export const ENDS: readonly WireCase[] = [
  {
    id: "failing",
    proves: "EX-22: an error that forbids a retry fails the run after one attempt",
    event: { data: { n: 1 }, id: "failing-1", meta: SESSIONS },
    script: [failedInBody("boom")],
    status: "Failed",
    error: { name: "Error", message: "boom", stack: expect.stringContaining("boom") },
    calls: [{ attempt: 0 }],
  },
  {
    id: "after-failing",
    proves:
      "CR-30, AP-18, spec/00: inngest/function.failed tells error, trigger event, slug and run, and starts the handler",
    ...follows("inngest/function.failed", "failing"),
    script: [done()],
    check: ({ calls: [call], app }) => {
      const [failing] = app.callsOf("wire-failing");
      const { event } = failing?.body ?? {};
      expect(call?.body.event).toEqual({
        name: "inngest/function.failed",
        id: expect.stringMatching(ULID),
        ts: expect.any(Number),
        user: {},
        meta: SESSIONS,
        data: {
          error: {
            name: "Error",
            message: "boom",
            stack: expect.any(String),
            error: "Error: boom",
            __serialized: true,
          },
          event,
          events: [event],
          function_id: "wire-failing",
          run_id: failing?.runId,
          _inngest: { status: "Failed" },
        },
      });
      expect(event?.id).toBe("failing-1");
    },
  },
  {
    id: "finished-failing",
    proves: "CR-29, spec/00: a failed run sends inngest/function.finished too, with the error",
    ...follows("inngest/function.finished", "failing"),
    script: [done()],
    check: ({ calls: [call] }) =>
      expect(call?.body.event.data).toMatchObject({
        error: { message: "boom" },
        function_id: "wire-failing",
        _inngest: { status: "Failed" },
      }),
  },
  {
    id: "completing",
    proves: "EX-12: the output is what the handler returned",
    script: [progress(run("a")), done({ any: "json" })],
    output: { any: "json" },
  },
  {
    id: "after-completing",
    proves: "spec/00: inngest/function.finished carries the result",
    ...follows("inngest/function.finished", "completing"),
    script: [done()],
    check: ({ calls: [call], app }) => {
      const data = call?.body.event.data;
      const { runId: run_id } = app.callsOf("wire-completing")[0] ?? {};
      expect(data).toMatchObject({
        result: { any: "json" },
        function_id: "wire-completing",
        run_id,
        _inngest: { status: "Completed" },
      });
      expect(data).not.toHaveProperty("error");
    },
  },
  {
    id: "handler-fails",
    proves:
      "TR-20, protocol/06 §6.7: a run that a system event started emits none, so a failing handler starts nothing",
    ...follows("inngest/function.failed", "failing"),
    script: [failedInBody("handler")],
    status: "Failed",
    check: async ({ engine, run: ended }) => {
      // History gets a run's end and its events in one piece: when the end is there, so would the events be.
      await engine.until(async () => {
        const { json } = await engine.api("GET", "/v1/runs?status=Failed&limit=100");
        return JSON.stringify(json).includes(ended.run_id);
      });
      const { text } = await engine.api("GET", "/v1/events?name=inngest/function.failed&limit=100");
      expect(text).toContain(`"function_id":"wire-failing"`);
      expect(text).not.toContain(`"function_id":"wire-handler-fails"`);
    },
  },
  {
    id: "transport-text",
    proves: "spec/00: for a transport failure error.error is the transport's own text",
    retries: 0,
    script: [{ status: 502, as: "nobody", raw: "<h1>Bad gateway</h1>" }],
    status: "Failed",
    error: { code: "app_unreachable", message: expect.stringContaining("502") },
  },
  {
    id: "after-transport",
    proves: "spec/00: its failure handler sees that text",
    ...follows("inngest/function.failed", "transport-text"),
    script: [done()],
    check: ({ calls: [call] }) =>
      expect(call?.body.event.data).toMatchObject({
        error: { error: expect.stringMatching(/^invalid status code: 502/) },
      }),
  },
  {
    id: "invoked",
    proves: "TR-17, protocol/01 §1.8: POST /invoke/:slug runs the function on inngest/function.invoked",
    start: (engine) => invoke(engine, "wire-invoked"),
    options: { triggers: [] },
    script: [done()],
    check: ({ calls: [call], run: ended }) => {
      expect(call?.body.event).toEqual({
        name: "inngest/function.invoked",
        id: ended.event_id,
        ts: expect.any(Number),
        user: { external_id: "u1" },
        data: { x: 1, _inngest: expect.objectContaining({ fn_id: "wire-invoked" }) },
      });
      expect(ended.event_name).toBe("inngest/function.invoked");
    },
  },
  {
    id: "invoke-nobody",
    proves: "TR-17: invoking what does not exist is 404 function_not_found; a bad body is 400",
    script: [done()],
    check: async ({ engine }) => {
      const unknown = await engine.api("POST", "/invoke/wire-nobody", { data: {} });
      expect([unknown.status, unknown.json]).toMatchObject([
        404,
        { code: "function_not_found", status: 404, data: null },
      ]);
      const bad = await engine.api("POST", "/invoke/wire-invoked", "{");
      expect([bad.status, bad.json]).toMatchObject([400, { code: "body_invalid" }]);
      const wrong = await engine.api("POST", "/invoke/wire-invoked", { data: "text" });
      expect([wrong.status, wrong.json]).toMatchObject([400, { code: "event_invalid" }]);
    },
  },
  {
    id: "future",
    proves: "EV-10: an event of the future is Scheduled until its time and starts then",
    start: async (engine) => {
      const [id = ""] = await engine.send({ name: "wire/future", ts: Date.now() + AHEAD });
      const runs = await engine.runsOf(id);
      expect(runs).toMatchObject([{ status: "Scheduled", run_started_at: null }]);
      return id;
    },
    script: [done()],
    check: ({ calls: [call] }) => {
      const late = (call?.at ?? 0) - (call?.body.event.ts ?? 0);
      expect(late).toBeGreaterThanOrEqual(0);
      expect(late).toBeLessThan(SLACK);
    },
  },
];

async function invoke(engine: TestEngine, slug: string): Promise<string> {
  const { status, json, text } = await engine.api("POST", `/invoke/${slug}`, {
    data: { x: 1 },
    user: { external_id: "u1" },
  });
  expect(status, text).toBe(200);
  expect(json).toEqual({ id: expect.stringMatching(ULID), status: 200 });
  // Checked by the line above.
  return (json as { id: string }).id;
}
