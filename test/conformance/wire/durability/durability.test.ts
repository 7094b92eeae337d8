/**
 * `kill -9` of the engine (EV-8, EX-10, EX-40; faults 2, 6, 7, 16): what was accepted is carried out, what was
 * stored stays, what was due is on time, and nothing happens twice.
 *
 * One timeline for all: runs are brought into every state a run can be in, the process is killed; events are sent and the process is
 * killed as soon as they are accepted, or in the middle of starting their runs. The tests then look at how each of them went on.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { hasEnded, type RunJson, startTestEngine, type TestEngine } from "../../harness/engine.ts";
import {
  type AppCall,
  type Reply,
  type Script,
  type ScriptedApp,
  startScriptedApp,
} from "../../harness/scripted-app.ts";
import { type JobJson, jobsOf, SLACK } from "../case.ts";
import { done, failedInBody, nap, planned, progress, run, threwInBody } from "../ops.ts";

/** Events per send. Those that are many take the slow way through the fan-out queue, whose messages a kill loses. */
const SENDS = {
  one: 1,
  many: 200,
  most: 2_000,
  "flood-90": 300,
  "flood-120": 300,
  "flood-150": 300,
  "flood-200": 300,
} as const;
/** Sends, and how many ms after the reply the kill comes: the queue delivers after about 100 ms, so that some are cut in the middle. */
const KILLS = [
  ["most", 0],
  ["many", 0],
  ["one", 0],
  ["flood-90", 90],
  ["flood-120", 120],
  ["flood-150", 150],
  ["flood-200", 200],
] as const;
/** Steps of each looping run, and how many such runs there are. */
const LOOP = { steps: 6, runs: 8, stepMs: 150 } as const;
/** ms that everything may take: lost calls are noticed within 10 s, lost fan-outs within 15 s. */
const PATIENCE = 50_000;

let engine: TestEngine;
let app: ScriptedApp;
/** Event ids by the function they start. */
const events: Record<string, string[]> = {};
/** When the first kill happened and when the engine ran again, ms since 1970. */
let killedAt = 0;
let bootedAt = 0;

/** The next step of a sequence `s1`, `s2` …; each execution has a result of its own, so that a repetition would show. */
const loop = (call: AppCall): Reply => {
  const next = call.body.ctx.stack.current + 1;
  if (next > LOOP.steps) return done(call.body.steps);
  return { ...progress(run(`s${next}`, `${call.runId} ${call.number}`)), delayMs: LOOP.stepMs };
};

const byStack = (...replies: readonly Reply[]) => {
  return (call: AppCall): Reply => replies[call.body.ctx.stack.current] ?? done(call.body.steps);
};

beforeAll(async () => {
  [engine, app] = await Promise.all([startTestEngine(), startScriptedApp()]);
  const scripts: Record<string, Script> = {
    loop,
    "mid-call": (call) => {
      if (call.number === 2) return { never: true };
      return byStack(progress(run("a", call.number)), progress(run("b", call.number)))(call);
    },
    "mid-branch": (call) => {
      if (call.stepId === "quick") return progress(run("quick", call.number));
      if (call.stepId === "slow")
        return call.body.ctx.generation_id === 1 ? { never: true } : progress(run("slow", call.number));
      return byStack(progress(planned("quick"), planned("slow")))(call);
    },
    asleep: byStack(progress(nap("nap", "5s"))),
    waking: byStack(progress(nap("nap", "1s"))),
    waiting: (call) => (call.body.ctx.attempt === 0 ? threwInBody("busy", { "retry-after": "5" }) : done()),
    ended: () => done("ended"),
    failed: () => failedInBody("boom"),
    ...Object.fromEntries(Object.keys(SENDS).map((id) => [id, ({ body }: AppCall) => done(body.event.data)])),
    handler: () => done(),
  };
  const onFailure = { event: "inngest/function.failed", expression: "event.data.function_id == 'kill-failed'" };
  const registered = await app.register(
    engine,
    "kill",
    Object.entries(scripts).map(([id, script]) =>
      id === "handler" ? { id, script, options: { triggers: [onFailure] } } : { id, event: `kill/${id}`, script },
    ),
  );
  expect(registered.json, registered.text).toMatchObject({ ok: true });

  const start = async (id: string, count = 1) => {
    events[id] = await engine.send(Array.from({ length: count }, (_, n) => ({ name: `kill/${id}`, data: { n } })));
  };
  const reached = (id: string, calls: number) => engine.until(() => app.callsOf(`kill-${id}`).length >= calls);
  await Promise.all([
    start("loop", LOOP.runs),
    ...["mid-call", "mid-branch", "asleep", "waiting"].map((id) => start(id)),
    reached("loop", LOOP.runs * 2),
    reached("mid-call", 2),
    reached("mid-branch", 3),
    reached("asleep", 1),
    reached("waiting", 1),
  ]);
  // What is to be found again must be stored: a reply that is lost on its way only makes another lost call.
  const stored = async (id: string, is: (run: RunJson, jobs: readonly JobJson[]) => boolean) => {
    const runId = await engine.until(() => app.callsOf(`kill-${id}`)[0]?.runId);
    await engine.until(async () => is(await engine.run(runId), await jobsOf(engine, runId)));
  };
  await Promise.all([
    stored("asleep", (_, jobs) => jobs.some((job) => job.kind === "sleep")),
    stored("waiting", (_, jobs) => jobs.some((job) => job.attempt === 1)),
  ]);
  await Promise.all([start("waking"), start("ended"), start("failed")]);
  await Promise.all([
    stored("waking", (_, jobs) => jobs.some((job) => job.kind === "sleep")),
    stored("ended", hasEnded),
    stored("failed", hasEnded),
  ]);
  killedAt = Date.now();
  await engine.kill();
  await engine.boot();
  bootedAt = Date.now();
  // Whether these are on time is not to depend on the kills that follow.
  await Promise.all(["waking", "asleep", "waiting"].map((id) => reached(id, 2)));

  for (const [id, ms] of KILLS) {
    await start(id, SENDS[id]);
    if (ms > 0) await sleep(ms);
    await engine.kill();
    await engine.boot();
  }
}, PATIENCE * 2);

afterAll(async () => {
  await Promise.all([engine?.stop(), app?.stop()]);
});

/** The only run of a function's only event, when it has ended. */
async function onlyRun(id: string): Promise<RunJson> {
  const runs = await engine.ended(events[id]?.[0] ?? "", 1, PATIENCE);
  expect(runs).toHaveLength(1);
  const [only] = runs;
  if (only === undefined) throw new Error("There is no run.");
  return only;
}

/** Every result a call carries is the same in all later calls of its run: stored once, never changed (EX-4). */
function expectStableResults(calls: readonly AppCall[]): void {
  const stored = new Map<string, unknown>();
  for (const { runId, body } of calls) {
    for (const [id, memo] of Object.entries(body.steps)) {
      const key = `${runId} ${id}`;
      if (stored.has(key)) expect(memo).toEqual(stored.get(key));
      else stored.set(key, memo);
    }
  }
}

describe("a killed engine", () => {
  it("EX-10, I4: a run whose call was under way makes it again and completes with what was stored", async () => {
    const ended = await onlyRun("mid-call");
    expect(ended.status).toBe("Completed");
    const calls = app.callsOf("kill-mid-call");
    const [, lost, again] = calls;
    expect(again?.body).toMatchObject({
      steps: { a: { data: 1 } },
      ctx: { attempt: 0, job_id: lost?.body.ctx.job_id },
    });
    expect(again?.body.ctx.generation_id).toBeGreaterThan(lost?.body.ctx.generation_id ?? Number.NaN);
    // One of the kills that follow may cut off the repetition as well.
    const repetitions = calls.slice(2).filter(({ body }) => !("b" in body.steps));
    const results = repetitions.map(({ number }) => ({ a: { data: 1 }, b: { data: number } }));
    expect(results).toContainEqual(ended.output);
    expectStableResults(calls);
  });

  it("EX-10, EX-31: of two branches the finished one is not repeated", async () => {
    const ended = await onlyRun("mid-branch");
    expect(ended.status).toBe("Completed");
    const calls = app.callsOf("kill-mid-branch");
    expect(calls.filter((call) => call.stepId === "quick")).toHaveLength(1);
    expect(calls.filter((call) => call.stepId === "slow").length).toBeGreaterThan(1);
    expectStableResults(calls);
  });

  it("EX-40: a sleep ends on time, not earlier and not from the beginning", async () => {
    expect(await onlyRun("asleep")).toMatchObject({ status: "Completed" });
    expectOnTime("asleep", 5_000);
  });

  it("EX-40: a sleep that was over while the engine was down ends when it is back", async () => {
    expect(await onlyRun("waking")).toMatchObject({ status: "Completed" });
    const [before, after] = app.callsOf("kill-waking");
    const due = Math.max((before?.at ?? 0) + 1_000, killedAt);
    expect(after?.at).toBeGreaterThanOrEqual(due);
    expect(after?.at).toBeLessThan(Math.max(due, bootedAt) + SLACK);
  });

  it("EX-23, EX-40: a retry happens at its time, as the next attempt", async () => {
    expect(await onlyRun("waiting")).toMatchObject({ status: "Completed" });
    expectOnTime("waiting", 5_000);
    expect(app.callsOf("kill-waiting").map((call) => call.body.ctx.attempt)).toEqual([0, 1]);
  });

  it("EX-4, faults 2: runs in the middle of their steps all complete, with one result per step", async () => {
    const ended = await Promise.all((events["loop"] ?? []).map((id) => engine.ended(id, 1, PATIENCE)));
    expect(ended.map((runs) => runs.map((one) => one.status))).toEqual(
      Array.from({ length: LOOP.runs }, () => ["Completed"]),
    );
    const calls = app.callsOf("kill-loop");
    expect(new Set(calls.map((call) => call.runId)).size).toBe(LOOP.runs);
    for (const { run_id, output } of ended.flat()) {
      const steps = z.record(z.string(), z.object({ data: z.string() })).parse(output);
      expect(Object.keys(steps)).toEqual(Array.from({ length: LOOP.steps }, (_, n) => `s${n + 1}`));
      for (const { data } of Object.values(steps)) expect(data).toMatch(new RegExp(`^${run_id} \\d+$`));
    }
    expectStableResults(calls);
  });

  it("faults 6: a run that ended just before is in history, although the queue was lost", async () => {
    const ended = await onlyRun("ended");
    expect(ended).toMatchObject({ status: "Completed", output: "ended" });
    const listed = await engine.until(async () => {
      const runs = await completedRuns("kill-ended");
      return runs.length > 0 ? runs : null;
    }, PATIENCE);
    expect(listed.map((one) => one.run_id)).toEqual([ended.run_id]);
    expect(await engine.event(events["ended"]?.[0] ?? "")).toMatchObject({ name: "kill/ended" });
  });

  it("CR-30, faults 1: the failure of a run just before starts its handler exactly once", async () => {
    const failed = await onlyRun("failed");
    expect(failed.status).toBe("Failed");
    const handled = await engine.until(async () => {
      const [call] = app.callsOf("kill-handler");
      const handling = call === undefined ? null : await engine.run(call.runId);
      return handling?.status === "Completed" ? handling : null;
    }, PATIENCE);
    expect(new Set(app.callsOf("kill-handler").map((call) => call.runId))).toEqual(new Set([handled.run_id]));
    expect(app.callsOf("kill-handler")[0]?.body.event.data).toMatchObject({ run_id: failed.run_id });
  });

  for (const [id, count] of Object.entries(SENDS)) {
    it(`EV-8, I1: ${count} accepted event(s) start exactly one run each, and all complete [${id}]`, async () => {
      const ids = new Set(events[id]);
      expect(ids.size).toBe(count);
      const listed = await engine.until(async () => {
        const runs = await completedRuns(`kill-${id}`);
        return runs.length >= count ? runs : null;
      }, PATIENCE);
      expect(new Set(listed.map((one) => one.event_id))).toEqual(ids);
      expect(listed).toHaveLength(count);
      const runOf = new Map(listed.map((one) => [one.event_id, one.run_id]));
      for (const call of app.callsOf(`kill-${id}`)) expect(call.runId).toBe(runOf.get(call.body.event.id));
    });
  }
});

/** The second call came so many ms after the first, and not as late as a wait begun anew would. */
function expectOnTime(id: string, ms: number): void {
  const [first, second] = app.callsOf(`kill-${id}`);
  const due = (first?.at ?? Number.NaN) + ms;
  expect(second?.at).toBeGreaterThanOrEqual(due);
  expect(second?.at).toBeLessThan(Math.max(due, bootedAt) + SLACK);
}

const page = z.object({
  data: z.array(z.object({ run_id: z.string(), event_id: z.string(), function_slug: z.string(), status: z.string() })),
  metadata: z.object({ next_cursor: z.string().nullable() }),
});

/** All completed runs of a function, as history lists them. */
async function completedRuns(slug: string): Promise<z.infer<typeof page>["data"]> {
  const { json } = await engine.api("GET", "/v1/apps/kill/functions");
  const functions = z.array(z.object({ id: z.string(), slug: z.string() })).parse(json);
  const functionId = functions.find((item) => item.slug === slug)?.id ?? "";
  const runs: z.infer<typeof page>["data"] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const after: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const answer = await engine.api("GET", `/v1/runs?status=Completed&function_id=${functionId}&limit=100${after}`);
    const { data, metadata } = page.parse(answer.json);
    runs.push(...data);
    cursor = metadata.next_cursor;
  }
  return runs;
}
