/**
 * Checkpointing: its own scenarios, requests no SDK would send, and part A's scenarios with v4 as it comes.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Case, conformance } from "../harness/cases.ts";
import { startTestEngine, type TestEngine } from "../harness/engine.ts";
import { type ScriptedApp, startScriptedApp } from "../harness/scripted-app.ts";
import { catching } from "../sdk/catching.ts";
import { codeChanges } from "../sdk/code-changes.ts";
import { endings } from "../sdk/endings.ts";
import { retries } from "../sdk/retries.ts";
import { sleeps } from "../sdk/sleeps.ts";
import { CHECKPOINTS, checkpointed } from "./checkpoint-requests.ts";
import { bounded, checkpointing } from "./checkpointing.ts";

/** Counts the calls of a run that goes step by step. */
const COUNTING = "EX-37";

const partA = [...retries, ...catching, ...sleeps, ...codeChanges, ...endings]
  .filter(({ id }) => id !== COUNTING)
  .map((one): Case => ({ ...one, sdks: ["v4-checkpointed"] }));

conformance("checkpointing", [...checkpointing, ...partA]);
conformance("checkpointing within bounds", bounded, {
  bindings: { MILLRACE_CALL_TIMEOUT: "3s", MILLRACE_MAX_STEPS: "20" },
});

describe("checkpoint requests", () => {
  let engine: TestEngine | null = null;
  let app: ScriptedApp | null = null;
  beforeAll(async () => {
    engine = await startTestEngine();
    app = await startScriptedApp();
  });
  afterAll(async () => {
    await app?.stop();
    await engine?.stop();
  });
  test.each(CHECKPOINTS.map((one, index) => ({ ...one, index })))("EX-66: $title", async ({ index, ...one }) => {
    if (engine === null || app === null) throw new Error("Nothing was started");
    const { run, steps, late } = await checkpointed(app, engine, `checkpoint-${index}`, one);
    expect(run).toMatchObject({ status: "Completed", output: "done" });
    expect(steps).toEqual({ ...one.memos, last: { data: "last" } });
    expect(late).toMatchObject({ status: 409 });
  });
});
