/**
 * What a run may hold (EX-13 … EX-16): results, output, state, steps, and the body of a call.
 */
import { expect } from "vitest";
import type { WireCase } from "../case.ts";
import { complete, done, planned, progress, run } from "../ops.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** What the engine of these cases is told (EX-15). */
export const MAX_STEPS = 20;

/** A text that is `bytes` long as JSON, quotes included. */
function text(bytes: number): string {
  return "x".repeat(bytes - 2);
}

/** Cases about sizes and counts. */
export const LIMITS: readonly WireCase[] = [
  {
    id: "step-output",
    proves: "EX-13: a result of 4 MiB − 1 KiB is stored, one of 4 MiB + 1 KiB fails its step without retry",
    script: [progress(run("fits", text(4 * MIB - KIB))), progress(run("bursts", text(4 * MIB + KIB))), done()],
    calls: [{ stack: [] }, { stack: ["fits"] }, { stack: ["fits", "bursts"], attempt: 0 }],
    check: async ({ engine, run: { run_id } }) => {
      const actions = await engine.api("GET", `/v0/runs/${run_id}/actions`);
      expect(actions.json).toEqual({
        fits: { data: text(4 * MIB - KIB) },
        bursts: {
          error: expect.objectContaining({ name: "output_too_large", message: expect.stringContaining("4 MiB") }),
        },
      });
    },
  },
  {
    id: "function-output",
    proves: "EX-13: a function output beyond 4 MiB fails the run with output_too_large",
    script: [done(text(4 * MIB + KIB))],
    status: "Failed",
    error: { code: "output_too_large", message: expect.stringContaining(String(4 * MIB + KIB)) },
  },
  {
    id: "complete-output",
    proves: "EX-13: the same holds for RunComplete",
    script: [progress(complete(text(4 * MIB + KIB)))],
    status: "Failed",
    error: { code: "output_too_large" },
  },
  {
    id: "state",
    proves: "EX-14: eight results of 3.9 MiB fit, the ninth fails the run with state_too_large",
    script: (call) => progress(run(`s${call.number}`, text(Math.floor(3.9 * MIB)))),
    status: "Failed",
    error: { code: "state_too_large", message: expect.stringMatching(/32 MiB|33554432/) },
    check: ({ calls }) => expect(calls).toHaveLength(9),
  },
  {
    id: "steps",
    proves: "EX-15: the step beyond the limit is not run; the run fails with step_limit_exceeded",
    script: (call) => {
      const id = `s${call.number}`;
      return progress(call.body.ctx.disable_immediate_execution ? planned(id) : run(id));
    },
    status: "Failed",
    error: { code: "step_limit_exceeded", message: expect.stringContaining(String(MAX_STEPS)) },
    check: ({ calls }) => {
      expect(calls.map((call) => call.body.ctx.disable_immediate_execution)).toEqual([
        ...Array.from({ length: MAX_STEPS }, () => false),
        true,
      ]);
    },
  },
  {
    id: "steps-at-once",
    proves: "EX-15: a reply with one step too many fails the run before any of them is called for",
    script: [progress(...Array.from({ length: MAX_STEPS + 1 }, (_, index) => planned(`p${index}`)))],
    status: "Failed",
    error: { code: "step_limit_exceeded" },
    calls: [{ stepId: "step" }],
  },
  {
    id: "use-api",
    proves: "EX-16: a call of more than 4 MiB carries the stack only and says use_api twice; the state is at /v0",
    event: { data: { big: text(MIB - KIB) } },
    script: (call) => (call.number < 5 ? progress(run(`s${call.number}`, text(MIB))) : done()),
    check: async ({ engine, calls, run: { run_id } }) => {
      const shapes = calls.map(({ body }) => [
        body.use_api,
        body.ctx.use_api,
        body.events.length,
        Object.keys(body.steps).length,
      ]);
      const ids = ["s1", "s2", "s3", "s4"];
      // The event counts twice, as `event` and in `events`: with two results the body stays just below the limit.
      expect(shapes).toEqual([
        [false, false, 1, 0],
        [false, false, 1, 1],
        [false, false, 1, 2],
        [true, true, 0, 0],
        [true, true, 0, 0],
      ]);
      const last = calls.at(-1)?.body;
      expect(last?.ctx.stack).toEqual({ stack: ids, current: 4 });
      expect(last?.event.data).toEqual({ big: text(MIB - KIB) });
      const [batch, actions] = await Promise.all(
        ["batch", "actions"].map((what) => engine.api("GET", `/v0/runs/${run_id}/${what}`)),
      );
      expect(batch?.json).toEqual([last?.event]);
      expect(actions?.json).toEqual(Object.fromEntries(ids.map((id) => [id, { data: text(MIB) }])));
    },
  },
  {
    id: "state-of-nobody",
    proves: "EX-16, protocol/03 §3.1: /v0 answers 404 for an unknown run and 400 for a bad id",
    script: [done()],
    check: async ({ engine }) => {
      for (const what of ["batch", "actions"]) {
        const [unknown, bad] = await Promise.all([
          engine.api("GET", `/v0/runs/01JD2QV6Z9M4N8R3T5W7X1Y2A4/${what}`),
          engine.api("GET", `/v0/runs/nonsense/${what}`),
        ]);
        expect([unknown.status, bad.status]).toEqual([404, 400]);
        expect(unknown.json).toMatchObject({ code: "run_not_found", data: null });
      }
    },
  },
];
