/**
 * The state that calls carry, operation by operation; and the operations that leave none.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { startTestEngine, type TestEngine } from "../harness/engine.ts";
import { type AppCall, type Reply, type ScriptedApp, startScriptedApp } from "../harness/scripted-app.ts";
import { stepRun } from "./checkpoint-requests.ts";
import { MEMOS, type World } from "./memos.ts";
import { waitingRun } from "./modes.ts";

const squared = z.looseObject({ number: z.number() });

let engine: TestEngine;
let app: ScriptedApp;
let echo = "";
beforeAll(async () => {
  engine = await startTestEngine();
  app = await startScriptedApp();
  echo = app.url;
  app.answerOthers(({ url }) => {
    const last = url.pathname.split("/").at(-1) ?? "";
    if (last === "500") return { as: "nobody", status: 500, body: { error: "overloaded" } };
    if (last === "json") return { as: "nobody", headers: { "content-type": "application/json" }, body: { json: true } };
    return { as: "nobody", headers: { "x-path": last }, raw: last };
  });
  const broken = { name: "TypeError", message: "broken", stack: "TypeError: broken" };
  await app.register(engine, "callees", [
    { id: "square", script: ({ body }) => ({ body: squared.parse(body.event.data).number ** 2 }) },
    { id: "nothing", script: [{}] },
    { id: "throws", retries: 0, script: [{ status: 500, body: broken }] },
    { id: "slow", script: [{ status: 206, body: [{ ...stepRun("nap", null), op: "Sleep", name: "1h" }] }] },
  ]);
});
afterAll(async () => {
  await app?.stop();
  await engine?.stop();
});

const END: Reply = { status: 206, body: [{ op: "RunComplete", id: "end", data: "done" }] };

/** Runs a script once under a name; answers the run's calls when it has ended. */
async function calls(
  name: string,
  script: (call: AppCall) => Reply,
  meanwhile: (eventId: string) => Promise<unknown> = async () => undefined,
): Promise<AppCall[]> {
  await app.register(engine, name, [{ id: "f", event: `${name}/x`, retries: 0, script }]);
  const [eventId = ""] = await engine.send({ name: `${name}/x` });
  await meanwhile(eventId);
  const [run] = await engine.ended(eventId, 1, 40_000);
  expect(run).toMatchObject({ status: "Completed", output: "done" });
  return app.callsOf(`${name}-f`);
}

describe("the state that calls carry", () => {
  test.concurrent.each(MEMOS.map((one, index) => ({ ...one, index })))(
    "EX-4, EX-7: $title",
    { timeout: 60_000 },
    async ({ index, op, meanwhile, memo }) => {
      const name = `memo-${index}`;
      const callee = (id: string) => `callees-${id}`;
      const callees = {
        square: callee("square"),
        nothing: callee("nothing"),
        throws: callee("throws"),
        slow: callee("slow"),
      };
      const world: World = { engine, on: (part) => `${name}/${part}`, callees, echo };
      const announced = {
        id: "s",
        name: "s",
        displayName: "s",
        opts: {},
        userland: { id: "s" },
        data: null,
        ...op(world),
      };
      const happening = async (eventId: string) => {
        if (meanwhile === undefined) return;
        await waitingRun(engine, eventId);
        await meanwhile(world);
      };
      const seen = await calls(
        name,
        ({ number }) => (number === 1 ? { status: 206, body: [announced] } : END),
        happening,
      );
      expect(seen).toHaveLength(2);
      expect(seen[1]?.body.ctx.stack.stack).toEqual(["s"]);
      expect(seen[1]?.body.steps).toEqual({ s: memo(world) });
    },
  );
});

describe("operations that leave no state", () => {
  test("EX-66: SyncRunComplete ends a run like RunComplete", async () => {
    const end = { op: "SyncRunComplete", id: "end", data: "done" };
    expect(await calls("sync-complete", () => ({ status: 206, body: [end] }))).toHaveLength(1);
  });

  test("EX-71: DeferAdd and DeferAbort are told back, and a step may have the same id as a defer", async () => {
    const add = { op: "DeferAdd", id: "d", name: "d", opts: { fn_slug: "callees-nothing", input: { x: 1 } } };
    const abort = {
      op: "DeferAbort",
      id: "other",
      name: "d",
      opts: { target_hashed_id: "d", fn_slug: "callees-nothing" },
    };
    const replies: readonly Reply[] = [
      { status: 206, body: [add, stepRun("d", 1)] },
      { status: 206, body: [add, stepRun("b", 2)] },
      { status: 206, body: [add, abort, stepRun("c", 3)] },
      END,
    ];
    const seen = await calls("defers", ({ number }) => replies[number - 1] ?? END);
    expect(seen.map(({ body }) => body["defers"])).toEqual([
      {},
      { d: { abortable: true } },
      { d: { abortable: true } },
      { d: { abortable: false } },
    ]);
    expect(seen[3]?.body.steps).toEqual({ d: { data: 1 }, b: { data: 2 }, c: { data: 3 } });
  });
});
