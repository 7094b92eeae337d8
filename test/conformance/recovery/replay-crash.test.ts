/**
 * kill -9 of the engine in mid-replay: at the end exactly one new run exists per chosen run (CR-24).
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestEngine, type TestEngine } from "../harness/engine.ts";
import { openScenario } from "../harness/scenario.ts";
import { previewOf, replay, replayed, replayNow } from "./running-again.ts";

let engine: TestEngine;

beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(async () => {
  await engine?.stop();
});

test("CR-24: a crash loses and doubles nothing", { timeout: 240_000 }, async () => {
  const { scenario, close } = openScenario(engine, "CR-24-crash", "v4");
  const { app, fn, on, send, ended, slug, until, mark, marks } = scenario;
  const count = 200;
  let broken = true;
  try {
    await app([
      fn<{ n: number }>({ id: "f", retries: 3 }, on("x"), async ({ event, step, runId }) => {
        if (broken) throw new scenario.sdk.NonRetriableError("bug");
        mark(`again:${event.data.n}:${runId}`);
        return await step.run("w", () => event.data.n);
      }),
    ]);
    const ids = await send(Array.from({ length: count }, (_, n) => ({ name: on("x"), data: { n } })));
    for (const id of ids) await ended(id);
    broken = false;
    const wish = { function_id: slug("f"), statuses: ["Failed"] };
    // A crash loses what history's queue holds: the runs have to be there before.
    await until(async () => (await previewOf(scenario, wish)) === count, 60_000);
    const { id } = await replay(scenario, { ...wish, until: new Date().toISOString() });
    let known = 0;
    for (const share of [0.2, 0.6]) {
      await until(() => new Set(marks("again:").map(({ name }) => name)).size > count * share, 60_000);
      await engine.kill();
      await engine.boot();
      const { started } = await replayNow(scenario, id);
      expect(started).toBeGreaterThanOrEqual(known);
      known = started;
    }
    const done = await replayed(scenario, id, 120_000);
    expect(done).toMatchObject({ status: "completed", total: count, started: count, remaining: 0 });
    expect(done.ended.completed).toBe(count);
    const runs = new Set(marks("again:").map(({ name }) => name));
    expect(runs.size).toBe(count);
    for (const [n, event] of ids.entries()) {
      const [again, original, ...others] = await engine.runsOf(event);
      expect(others).toEqual([]);
      expect(original?.status).toBe("Failed");
      expect(again).toMatchObject({ status: "Completed", output: n, original_run_id: original?.run_id, replay_id: id });
    }
  } finally {
    await close();
  }
});
