/**
 * An unfriendly world: an app that is down, a run with a thousand branches, and random damage to everything that can be received
 * (EX-24, EX-36, AP-9, SE-15; faults 11, 14, 23).
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasEnded, startTestEngine, type TestEngine } from "../../harness/engine.ts";
import { type Reply, type ScriptedApp, startScriptedApp } from "../../harness/scripted-app.ts";
import { jobsOf } from "../case.ts";
import { capturedReplies } from "../fixtures/replies.ts";
import { done, planned, progress, run } from "../ops.ts";
import { mutantsOf } from "./mutations.ts";

const BRANCHES = 1_000;
/** ms that the many runs of a test may take together. */
const PATIENCE = 50_000;

let engine: TestEngine;
let app: ScriptedApp;

beforeAll(async () => {
  [engine, app] = await Promise.all([startTestEngine(), startScriptedApp()]);
  const registered = await app.register(engine, "faults", [
    {
      id: "mutant",
      event: "faults/mutant",
      retries: 0,
      script: (call) => (call.number === 1 ? mutant(call.body.event.data) : done()),
    },
    {
      id: "branches",
      event: "faults/branches",
      script: (call) => {
        if (call.stepId !== "step") return progress(run(call.stepId));
        const ids = Array.from({ length: BRANCHES }, (_, n) => `b${n}`);
        return call.number === 1
          ? progress(...ids.map((id) => planned(id)))
          : done(Object.keys(call.body.steps).length);
      },
    },
  ]);
  expect(registered.json, registered.text).toMatchObject({ ok: true });
});

afterAll(async () => {
  await Promise.all([engine?.stop(), app?.stop()]);
});

/** Captured replies that reach out into the network, or that wait for longer than a test does. */
const LEFT_OUT = ["wait", "waitmatch", "inv", "signal", "fetch", "infer", "infera"];
/** All others, and damage to them. */
const ORIGINALS = [...capturedReplies("v3"), ...capturedReplies("v4")].filter(({ name }) => !LEFT_OUT.includes(name));
const REPLIES = mutantsOf(
  ORIGINALS.map(({ body, status, headers }) => JSON.stringify({ status, headers, body })),
  50,
);
const BODIES = mutantsOf(
  ORIGINALS.map(({ body }) => JSON.stringify(body)),
  200,
);
const STATUSES = [200, 201, 206, 206, 206, 400, 500] as const;

/** The n-th damaged reply: every fourth with damaged status and headers too, where those still are some. */
function mutant(data: unknown): Reply {
  const n = Number((data as { n: number }).n); // sent below
  const whole = REPLIES[n % 4 === 0 ? n / 4 : -1];
  if (whole !== undefined)
    return { raw: whole, status: 201, headers: { "x-inngest-req-version": whole.slice(0, 3).replace(/\W/g, "") } };
  return { raw: BODIES[n] ?? "", status: STATUSES[n % STATUSES.length] ?? 206, as: n % 2 === 0 ? "v4" : "v3" };
}

describe.concurrent("an unfriendly world", () => {
  it("EX-24: a run whose app is down for a while completes when it is back", async () => {
    const shaky = await startScriptedApp();
    try {
      await shaky.register(engine, "shaky", [{ id: "f", event: "faults/shaky", script: () => done("back") }]);
      await shaky.down();
      const [id = ""] = await engine.send({ name: "faults/shaky" });
      const runId = await engine.until(async () => (await engine.runsOf(id))[0]?.run_id);
      await engine.until(async () => (await jobsOf(engine, runId)).some((job) => job.attempt >= 2));
      await shaky.up();
      expect(await engine.ended(id)).toMatchObject([{ status: "Completed", output: "back" }]);
      expect(shaky.calls.map((call) => call.body.ctx.attempt)).toEqual([expect.any(Number)]);
      expect(shaky.calls[0]?.body.ctx.attempt).toBeGreaterThanOrEqual(2);
    } finally {
      await shaky.stop();
    }
  });

  it("EX-36: a thousand parallel steps each run once, and the run completes", async () => {
    const [id = ""] = await engine.send({ name: "faults/branches" });
    expect(await engine.ended(id, 1, PATIENCE)).toMatchObject([{ status: "Completed", output: BRANCHES }]);
    const targeted = app
      .callsOf("faults-branches")
      .map((call) => call.stepId)
      .filter((stepId) => stepId !== "step");
    expect(targeted).toHaveLength(BRANCHES);
    expect(new Set(targeted).size).toBe(BRANCHES);
  });

  it("AP-9: a sync that is never answered ends after 10 s with timeout", async () => {
    const silent = await startScriptedApp();
    try {
      silent.answerOthers(() => ({ never: true }));
      const answer = await engine.api("POST", "/v1/apps", { url: `${silent.url}/api/inngest` });
      expect(answer).toMatchObject({ status: 400, json: { code: "timeout", error: expect.stringContaining("10 s") } });
    } finally {
      await silent.stop();
    }
  });

  it("SE-15: damaged sends are accepted or refused, never a failure of the engine", async () => {
    const event = {
      name: "faults/nobody",
      data: { a: [1, { b: "ü" }] },
      id: "i",
      ts: 1_700_000_000_000,
      user: {},
      v: "1",
      meta: { sessions: { k: "v" } },
    };
    for (const body of mutantsOf([JSON.stringify(event), JSON.stringify([event, { name: "faults/nobody" }])], 400)) {
      const answer = await engine.api("POST", "/e/test", body);
      expect([200, 400, 413], `${body} gave ${answer.text}`).toContain(answer.status);
      expect(answer.json, body).toMatchObject({ ids: expect.any(Array), status: answer.status });
    }
  });

  it("SE-15: damaged registrations are accepted or refused, never a failure of the engine", async () => {
    const functions = [{ id: "m", script: [], event: "faults/none", options: EVERYTHING }];
    for (const body of mutantsOf([JSON.stringify(app.registration("mutants", functions))], 200)) {
      const answer = await engine.api("POST", "/fn/register", body);
      expect([200, 400], `${body} gave ${answer.text}`).toContain(answer.status);
      if (answer.status === 400)
        expect(answer.json).toMatchObject({ code: expect.any(String), error: expect.any(String) });
    }
  });

  it("SE-15, I4: after a damaged reply every run has ended, or has something it waits for", async () => {
    const ids = await engine.send(BODIES.map((_, n) => ({ name: "faults/mutant", data: { n } })));
    for (const [n, id] of ids.entries()) {
      const last = await engine.until(async () => {
        const [only] = await engine.runsOf(id);
        if (only === undefined || hasEnded(only)) return only;
        const jobs = await jobsOf(engine, only.run_id);
        return jobs.some((job) => Date.parse(job.at) > Date.now() + 10_000) ? only : null;
      }, PATIENCE);
      expect(["Completed", "Failed", "Running"], `${JSON.stringify(mutant({ n }))} led to ${last.status}`).toContain(
        last.status,
      );
    }
  });
});

/** A function with every option, so that damage has something to hit. */
const EVERYTHING = {
  rateLimit: { limit: 4, period: "2h", key: "event.data.r" },
  throttle: { limit: 10, period: "1m", burst: 3, key: "event.data.k" },
  concurrency: [{ limit: 5 }, { limit: 2, key: "event.data.user", scope: "env" }],
  debounce: { period: "30s", key: "event.data.d", timeout: "5m" },
  priority: { run: "event.data.plan == 'pro' ? 120 : 0" },
  timeouts: { start: "10m", finish: "1h" },
  singleton: { key: "event.data.s", mode: "cancel" },
  cancel: [{ event: "a/cancel", timeout: "1d", if: "event.data.id == async.data.id" }],
};
