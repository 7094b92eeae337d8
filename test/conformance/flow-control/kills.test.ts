/**
 * `kill -9` of the engine while limits are full (FC-10, I3, I5): the app's own record shows what executed at once, because a body goes on
 * when the engine that called it is gone.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestEngine, type TestEngine } from "../harness/engine.ts";
import { type AppCall, type Reply, type ScriptedApp, startScriptedApp } from "../harness/scripted-app.ts";
import { done, planned, progress, run } from "../wire/ops.ts";
import { gate } from "./gate.ts";

/** ms after the sends; then the engine is killed, and is down for as long as it takes to start it. */
const KILLS = [900, 1700, 2500];
const LIMIT = 5;
const KEYS = ["A", "B", "C"];
/** Runs per function, steps per run, and ms a body takes at least and at most. */
const LOAD = { runs: 24, steps: 3, ms: [100, 400] } as const;
/** ms; a lost call is noticed within 10 s and repeated 5 s later, and that three times. */
const PATIENCE = 110_000;

let engine: TestEngine;
let app: ScriptedApp;
const ids: string[] = [];
/** Bodies that execute now, and the most there ever were, by what they share. */
const inside = new Map<string, number>();
const most = new Map<string, number>();
/** Holds as many bodies as the shared limit allows until all of them are there. */
const rest = gate(LIMIT);

/** A body that counts itself under some names while it executes; an engine that goes away does not end it. */
async function body(names: readonly string[], ms: number): Promise<void> {
  for (const name of names) {
    const now = (inside.get(name) ?? 0) + 1;
    inside.set(name, now);
    most.set(name, Math.max(most.get(name) ?? 0, now));
  }
  await sleep(ms);
  for (const name of names) inside.set(name, (inside.get(name) ?? 0) - 1);
}

function keyOf({ body: { event } }: AppCall): string {
  const { data } = event;
  return typeof data === "object" && data !== null && "k" in data ? String(data.k) : "";
}

/** A different time for every call, the same in every execution of the test. */
function length({ number, stepId }: AppCall): number {
  const [least, longest] = LOAD.ms;
  return least + ((number * 7919 + stepId.length * 104729) % (longest - least));
}

/** Steps one after the other, or all at once. */
const script = (share: (call: AppCall) => string[], parallel: boolean) => {
  return async (call: AppCall): Promise<Reply> => {
    await body(share(call), length(call));
    const { stack } = call.body.ctx;
    if (call.stepId !== "step") return progress(run(call.stepId, call.number));
    if (stack.current >= LOAD.steps) return done();
    if (!parallel) return progress(run(`s${stack.current}`, call.number));
    return progress(...Array.from({ length: LOAD.steps }, (_, n) => planned(`s${n}`)));
  };
};

beforeAll(async () => {
  [engine, app] = await Promise.all([startTestEngine(), startScriptedApp()]);
  const shared = { limit: LIMIT, scope: "account", key: '"kills-shared"' };
  const registered = await app.register(engine, "kills", [
    {
      id: "five",
      event: "kills/five",
      script: script(() => ["five"], true),
      options: { concurrency: { step: [{ limit: LIMIT }] } },
    },
    {
      id: "keyed",
      event: "kills/keyed",
      script: script((call) => ["shared", `keyed ${keyOf(call)}`], false),
      options: { concurrency: { step: [shared, { limit: 1, key: "event.data.k" }] } },
    },
    {
      id: "beside",
      event: "kills/beside",
      script: script(() => ["shared"], false),
      options: { concurrency: { step: [shared] } },
    },
    {
      id: "rest",
      event: "kills/rest",
      script: () => rest.enter().then(() => done()),
      options: { concurrency: { step: [shared] } },
    },
  ]);
  expect(registered.json, registered.text).toMatchObject({ ok: true });
  const began = Date.now();
  for (const name of ["kills/five", "kills/keyed", "kills/beside"]) {
    const events = Array.from({ length: LOAD.runs }, (_, n) => ({ name, data: { k: KEYS[n % KEYS.length] } }));
    ids.push(...(await engine.send(events)));
  }
  for (const at of KILLS) {
    await sleep(Math.max(0, began + at - Date.now()));
    await engine.kill();
    await engine.boot();
  }
}, PATIENCE);

afterAll(async () => {
  await Promise.all([engine?.stop(), app?.stop()]);
});

describe("a killed engine under full limits", () => {
  it(
    "FC-10, I1: every run completes, and at no instant more executes than any limit allows",
    async () => {
      for (const id of ids) {
        const runs = await engine.ended(id, 1, PATIENCE);
        expect(runs.map(({ status }) => status)).toEqual(["Completed"]);
      }
      for (const name of ["five", "shared"]) {
        expect(most.get(name)).toBeLessThanOrEqual(LIMIT);
        expect(most.get(name)).toBeGreaterThan(1);
      }
      for (const key of KEYS) expect(most.get(`keyed ${key}`)).toBe(1);
    },
    PATIENCE,
  );

  it("FC-10, I5, row 21: at rest nothing is held: all of a limit can be had at once", async () => {
    const all = await engine.send(Array.from({ length: LIMIT }, () => ({ name: "kills/rest" })));
    await engine.until(() => rest.most === LIMIT, 5000);
    for (const id of all) await engine.ended(id);
  });
});
