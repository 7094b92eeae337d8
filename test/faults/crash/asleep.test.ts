/**
 * A run that has gone to sleep for an hour when the engine is killed (faults.md §4, row 6). Its report was in the local queue, which is
 * memory; in a deployment the same is lost when the run's object dies between its commit and the report.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestEngine, type TestEngine } from "../../conformance/harness/engine.ts";
import { type ScriptedApp, startScriptedApp } from "../../conformance/harness/scripted-app.ts";
import { nap, progress } from "../../conformance/wire/ops.ts";

/** ms: time for a watchdog and the queue after it. */
const SOON = 13_000;

let engine: TestEngine;
let app: ScriptedApp;
let eventId: string;
let runId: string;

beforeAll(async () => {
  [engine, app] = await Promise.all([startTestEngine(), startScriptedApp()]);
  const script = () => progress(nap("rest", "1h"));
  const registered = await app.register(engine, "asleep", [{ id: "sleeper", event: "asleep/begin", script }]);
  expect(registered.json, registered.text).toMatchObject({ ok: true });
  [eventId = ""] = await engine.send({ name: "asleep/begin", data: {} });
  runId = await engine.until(() => app.calls[0]?.runId);
  // The reply is taken within milliseconds, the queue waits for a second.
  await sleep(150);
  await engine.kill();
  await engine.boot();
});

afterAll(async () => {
  await Promise.all([engine.stop(), app.stop()]);
});

describe("a run that sleeps for long when the engine is killed", () => {
  test("row 6, I1, I4: goes on sleeping, and says so by its id", async () => {
    expect(await engine.run(runId)).toMatchObject({ status: "Running", function_slug: "asleep-sleeper" });
    const why = await engine.api("GET", `/v1/runs/${runId}/jobs`);
    expect(why.json).toMatchObject({ data: [{ step: "rest" }] });
  });

  test("row 6, I1: is in lists soon, and so is its event", { timeout: 60_000 }, async () => {
    await engine.until(async () => (await engine.api("GET", "/v1/runs?limit=100")).text.includes(runId), SOON);
    expect((await engine.api("GET", `/v1/events/${eventId}`)).status).toBe(200);
  });
});
