/**
 * Limits on whole runs (FC-13), which only the Go SDK sends: an app that speaks like it.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestEngine, type TestEngine } from "../harness/engine.ts";
import { type AppCall, type ScriptedApp, startScriptedApp } from "../harness/scripted-app.ts";
import { done, nap, progress, run } from "../wire/ops.ts";

/** ms each run sleeps between its steps. */
const NAP = 2000;

let engine: TestEngine;
let app: ScriptedApp;

beforeAll(async () => {
  [engine, app] = await Promise.all([startTestEngine(), startScriptedApp()]);
  const script = ({ body }: AppCall) => {
    const replies = [progress(run("a")), progress(nap("nap", `${NAP}ms`)), progress(run("b"))];
    return replies[body.ctx.stack.current] ?? done();
  };
  const whole = { concurrency: { fn: [{ limit: 1, key: "event.data.k" }] } };
  const both = { concurrency: { fn: [{ limit: 1 }], step: [{ limit: 1, scope: "account", key: '"whole-shared"' }] } };
  const registered = await app.register(engine, "whole", [
    { id: "keyed", event: "whole/keyed", script, options: whole },
    { id: "both", event: "whole/both", script, options: both },
    { id: "beside", event: "whole/beside", script, options: { concurrency: both.concurrency.step } },
  ]);
  expect(registered.json, registered.text).toMatchObject({ ok: true });
});
afterAll(async () => {
  await Promise.all([engine?.stop(), app?.stop()]);
});

/** First and last call of each run of a function, in the order of their first calls; ms since 1970. */
function lives(slug: string): { runId: string; key: unknown; from: number; until: number }[] {
  const found = new Map<string, { runId: string; key: unknown; from: number; until: number }>();
  for (const { runId, at, body } of app.callsOf(slug)) {
    const data: unknown = body.event.data;
    const key = typeof data === "object" && data !== null && "k" in data ? data.k : null;
    const known = found.get(runId) ?? { runId, key, from: at, until: at };
    found.set(runId, { ...known, until: at });
  }
  return [...found.values()];
}

async function endAll(name: string, data: readonly object[]): Promise<void> {
  const ids = await engine.send(data.map((one) => ({ name, data: one })));
  for (const id of ids) await engine.ended(id, 1, 40_000);
}

describe("limits on whole runs", () => {
  it("FC-13: the next run starts after the one before has ended, its sleep included; per key", async () => {
    await endAll("whole/keyed", [{ k: "A" }, { k: "A" }, { k: "B" }, { k: "A" }]);
    const all = lives("whole-keyed");
    expect(all).toHaveLength(4);
    for (const { from, until } of all) expect(until - from).toBeGreaterThanOrEqual(NAP);
    const ofA = all.filter(({ key }) => key === "A");
    for (const [index, { from }] of ofA.entries()) {
      expect(from).toBeGreaterThanOrEqual(ofA[index - 1]?.until ?? 0);
    }
    const b = all.find(({ key }) => key === "B");
    expect(b?.from).toBeLessThan(ofA[0]?.until ?? 0);
  });

  it("FC-13, FC-2: a sleeping run keeps its place among whole runs, and gives back its unit of steps", async () => {
    const ids = await engine.send({ name: "whole/beside" });
    await endAll("whole/both", [{}, {}]);
    for (const id of ids) await engine.ended(id);
    const [first, second] = lives("whole-both");
    expect(second?.from).toBeGreaterThanOrEqual(first?.until ?? Number.NaN);
    const [beside] = lives("whole-beside");
    expect(first?.from).toBeLessThan(beside?.until ?? 0);
  });
});
