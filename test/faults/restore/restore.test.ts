/**
 * Parts of the state replaced by earlier copies while the engine is stopped (faults.md §4, row 29): history as it was, one run as it was, and
 * everything as it was. What comes back by itself, and what does not, is said in docs/faults.md.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { type State, temporaryState } from "../../../cli/state.ts";
import { startTestEngine, type TestEngine } from "../../conformance/harness/engine.ts";
import {
  type AppCall,
  type Reply,
  type ScriptedApp,
  startScriptedApp,
} from "../../conformance/harness/scripted-app.ts";
import { done, nap, planned, progress, run } from "../../conformance/wire/ops.ts";
import {
  copyDatabase,
  databaseDir,
  databaseFile,
  inDatabase,
  objectFile,
  restoreDatabase,
  restoreDir,
} from "../state-files.ts";

/** ms; a busy machine may take its time. */
const PATIENCE = 40_000;
const listed = z.object({
  data: z.array(z.looseObject({ run_id: z.string(), status: z.string(), output: z.unknown() })),
});

let state: State;
let copies: string;
let engine: TestEngine;
let app: ScriptedApp;
/** Bodies of steps, by run. */
let bodies: string[];
let executions: number;

const start = () => startTestEngine({ persistDir: state.dir });
const stop = () => engine.stop();
const restart = async () => {
  engine = await start();
};

/** A step, a sleep of some seconds, another step. */
const three =
  (pause: string) =>
  ({ runId, body: { ctx, steps } }: AppCall): Reply => {
    const body = (id: string) => {
      bodies.push(`${runId} ${id}`);
      return progress(run(id, `${id}#${++executions}`));
    };
    switch (ctx.stack.stack.length) {
      case 0:
        return body("a");
      case 1:
        return progress(nap("pause", pause));
      case 2:
        return body("b");
      default:
        return done(JSON.stringify([steps["a"], steps["b"]]));
    }
  };

beforeEach(async () => {
  bodies = [];
  executions = 0;
  state = await temporaryState();
  copies = await mkdtemp(join(tmpdir(), "millrace-copies-"));
  [engine, app] = await Promise.all([start(), startScriptedApp()]);
  const functions = [
    { id: "short", event: "restore/short", script: () => done("short") },
    { id: "pause", event: "restore/pause", script: three("2s") },
    { id: "later", event: "restore/later", script: three("6s") },
    {
      id: "wait",
      event: "restore/wait",
      script: ({ body: { ctx, steps } }: AppCall) =>
        ctx.stack.stack.length === 0
          ? progress(planned("w", { op: "WaitForEvent", opts: { event: "restore/go", timeout: "1h" } }))
          : done(JSON.stringify(steps["w"])),
    },
  ];
  const registered = await app.register(engine, "restore", functions);
  expect(registered.json, registered.text).toMatchObject({ ok: true });
});

afterEach(async () => {
  await Promise.all([engine.stop(), app.stop()]);
  await rm(copies, { recursive: true, force: true });
  await rm(state.dir, { recursive: true, force: true });
});

/** What the list shows of a run. */
async function inList(runId: string) {
  const { json } = await engine.api("GET", "/v1/runs?limit=100");
  return listed.parse(json).data.find(({ run_id }) => run_id === runId);
}

async function trigger(name: string): Promise<string> {
  const [id = ""] = await engine.send({ name: `restore/${name}`, data: {} });
  return id;
}

/** The run of an event, as soon as lists show it in this status. */
async function runIn(eventId: string, status: string): Promise<string> {
  return await engine.until(async () => {
    const [found] = await engine.runsOf(eventId);
    return found !== undefined && (await inList(found.run_id))?.status === status ? found.run_id : null;
  }, PATIENCE);
}

describe("history as it was some time ago", () => {
  test("row 29, I6: unfinished runs appear with their end; ended ones stay readable by their ids", {
    timeout: 120_000,
  }, async () => {
    const before = await runIn(await trigger("short"), "Completed");
    const across = await runIn(await trigger("later"), "Running");
    await stop();
    await restoreDir(databaseDir(state.dir), copies);
    await restart();
    const lost = await runIn(await trigger("short"), "Completed");
    const ended = await runIn(await engine.run(across).then(({ event_id }) => event_id ?? ""), "Completed");
    expect(ended).toBe(across);
    const after = await runIn(await trigger("later"), "Running");
    await stop();
    await restoreDir(copies, databaseDir(state.dir));
    await restart();

    expect(await inList(before)).toMatchObject({ status: "Completed" });
    // What went on through it all reports when it ends, its event included.
    const run = await engine.until(() => inList(after), PATIENCE);
    expect(await engine.event((await engine.run(run.run_id)).event_id ?? "")).toMatchObject({ name: "restore/later" });
    // What had ended and been confirmed is not in lists again, but the run itself knows.
    expect(await inList(lost)).toBeUndefined();
    expect(await engine.run(lost)).toMatchObject({ status: "Completed", output: "short" });
    // What the old history calls unfinished is asked by the sweep, once it is overdue.
    expect(await inList(across)).toMatchObject({ status: "Running" });
    await stop();
    inDatabase(await databaseFile(state.dir), (database) => database.exec("UPDATE runs SET due_at = due_at - 3600000"));
    await restart();
    await engine.sweep();
    expect(
      await engine.until(async () => {
        const entry = await inList(across);
        return entry?.status === "Completed" && entry;
      }, PATIENCE),
    ).toMatchObject({ output: (await engine.run(across)).output });
    expect(bodies.toSorted()).toEqual([...new Set(bodies)].toSorted());
  });

  test("row 29, I1: a name that runs wait for is heard again with the next wait, for all of them", async () => {
    await runIn(await trigger("short"), "Completed");
    await stop();
    await restoreDir(databaseDir(state.dir), copies);
    await restart();
    const first = await runIn(await trigger("wait"), "Running");
    await stop();
    await restoreDir(copies, databaseDir(state.dir));
    // The name has been awaited for long: its object does not look for events that it may have missed any more.
    const waits = await objectFile(state.dir, "Waits", "waits", first);
    inDatabase(waits, (database) => database.exec("UPDATE name SET looks = 99"));
    await restart();
    const second = await runIn(await trigger("wait"), "Running");
    await trigger("go");
    for (const runId of [first, second]) {
      const ended = await engine.until(async () => {
        const found = await engine.run(runId);
        return found.status === "Completed" && found;
      }, PATIENCE);
      expect(ended.output).toContain("restore/go");
    }
  });
});

describe("one run as it was some time ago", () => {
  test("row 29, I2, I6: once history calls it unfinished it goes on from there, and the list follows", async () => {
    const eventId = await trigger("pause");
    const runId = await engine.until(async () => (await engine.runsOf(eventId))[0]?.run_id, PATIENCE);
    await engine.until(() => bodies.length > 0, PATIENCE);
    await stop();
    const file = await objectFile(state.dir, "Run", "log", runId);
    await copyDatabase(file, copies);
    await restart();
    await runIn(eventId, "Completed");
    await stop();
    await restoreDatabase(copies, file);
    // Its alarm belongs to the time after; nothing wakes it but somebody who misses its end.
    inDatabase(file, (database) => database.exec("DELETE FROM _cf_METADATA"));
    inDatabase(await databaseFile(state.dir), (database) =>
      database
        .prepare("UPDATE runs SET status = 'running', ended_at = NULL, sequence = 0, due_at = 1 WHERE run_id = ?")
        .run(runId),
    );
    await restart();
    await engine.sweep();
    const entry = await engine.until(async () => {
      const found = await inList(runId);
      return found?.status === "Completed" && found;
    }, PATIENCE);
    expect(bodies).toEqual(["a", "b", "b"].map((step) => `${runId} ${step}`));
    expect(entry.output).toBe((await engine.run(runId)).output);
    expect(entry.output).toContain("b#3");
  });
});

describe("everything as it was some time ago", () => {
  test("row 29, I1, I2, I6: every run of that time goes on and ends once more", { timeout: 120_000 }, async () => {
    const [ended, sleeping] = [
      await runIn(await trigger("short"), "Completed"),
      await runIn(await trigger("later"), "Running"),
    ];
    await stop();
    await restoreDir(state.dir, copies);
    await restart();
    await engine.until(async () => (await engine.run(sleeping)).status === "Completed", PATIENCE);
    await stop();
    await restoreDir(copies, state.dir);
    await restart();
    expect(await inList(ended)).toMatchObject({ status: "Completed" });
    const again = await engine.until(async () => {
      const entry = await inList(sleeping);
      return entry?.status === "Completed" && entry;
    }, PATIENCE);
    expect(again.output).toBe((await engine.run(sleeping)).output);
    expect(bodies).toEqual([`${sleeping} a`, `${sleeping} b`, `${sleeping} b`]);
  });
});
