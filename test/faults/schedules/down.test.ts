/**
 * The engine is down over ticks of crons (faults.md §4, rows 8 and 28). No cron ticks more often than once a minute; instead of waiting, what
 * its schedule remembers is set back by ten minutes while the engine is stopped, which is what a schedule finds after an outage.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { type State, temporaryState } from "../../../cli/state.ts";
import { startTestEngine, type TestEngine } from "../../conformance/harness/engine.ts";
import { type ScriptedApp, startScriptedApp } from "../../conformance/harness/scripted-app.ts";
import { done } from "../../conformance/wire/ops.ts";
import { inDatabase, objectFile, setAlarm } from "../state-files.ts";

const MINUTE = 60_000;
const OUTAGE = 10;
const PATIENCE = 30_000;
const scheduled = z.object({ crons: z.array(z.looseObject({ handled: z.number() })) });
const listed = z.object({ data: z.array(z.looseObject({ event_id: z.string(), status: z.string() })) });

let state: State;
let engine: TestEngine;
let app: ScriptedApp;

beforeEach(async () => {
  [state, app] = await Promise.all([temporaryState(), startScriptedApp()]);
});

afterEach(async () => {
  await Promise.all([engine.stop(), app.stop()]);
  await state.release();
});

/** The scheduled times of the runs there are after an outage of ten minutes, with this policy. */
async function ticksAfter(policy: string, atLeast: number): Promise<number[]> {
  const start = async () => {
    engine = await startTestEngine({ persistDir: state.dir, bindings: { MILLRACE_CRON_CATCH_UP: policy } });
  };
  await start();
  const functions = [{ id: "ticks", script: () => done(), options: { triggers: [{ cron: "* * * * *" }] } }];
  const registered = await app.register(engine, "down", functions);
  expect(registered.json, registered.text).toMatchObject({ ok: true });
  const file = await engine.until(() => objectFile(state.dir, "Schedule", "schedule", "* * * * *"), PATIENCE);
  await engine.stop();
  inDatabase(file, (database) => {
    const stored = database.prepare("SELECT state FROM schedule").get();
    const schedule = z.looseObject(scheduled.shape).parse(JSON.parse(String(stored?.["state"])));
    const crons = schedule.crons.map((cron) => ({ ...cron, handled: cron.handled - OUTAGE * MINUTE }));
    database.prepare("UPDATE schedule SET state = ?").run(JSON.stringify({ ...schedule, crons }));
  });
  setAlarm(file, Date.now() - OUTAGE * MINUTE);
  await start();
  const seen = async () => {
    const { json } = await engine.api("GET", "/v1/runs?limit=100");
    const runs = listed.parse(json).data.filter(({ status }) => status === "Completed");
    const events = await Promise.all(runs.map(({ event_id }) => engine.event(event_id)));
    return events.map((event) => Number(event["ts"])).sort((a, b) => a - b);
  };
  await engine.until(async () => (await seen()).length >= atLeast, PATIENCE);
  return await seen();
}

describe("crons of an engine that was down", () => {
  test("row 28, I1: `all` makes up for every missed tick, each once", { timeout: 150_000 }, async () => {
    const ticks = await ticksAfter("all", OUTAGE);
    expect(new Set(ticks).size).toBe(ticks.length);
    const gaps = ticks.slice(1).map((at, n) => at - (ticks[n] ?? 0));
    expect(gaps.every((gap) => gap === MINUTE)).toBe(true);
  });

  test("row 28, I1: `latest` makes up for one", { timeout: 150_000 }, async () => {
    const ticks = await ticksAfter("latest", 1);
    expect(ticks.length).toBeLessThanOrEqual(2);
    expect(new Set(ticks).size).toBe(ticks.length);
  });
});
