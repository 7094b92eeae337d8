/**
 * kill -9 of the engine while runs are being cancelled: what was cancelled stays so, what is to be cancelled will be, and each cancelled run
 * says so once (CR-1, CR-2, CR-9, CR-33).
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { startTestEngine, type TestEngine } from "../harness/engine.ts";
import { type OpenScenario, openScenario } from "../harness/scenario.ts";
import { expectCancelled, onlyRun, sleeping } from "./cancelled.ts";

let engine: TestEngine;
const open: OpenScenario[] = [];

beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(async () => {
  for (const { close } of open) await close();
  await engine?.stop();
});

function scenarioOf(id: string) {
  const opened = openScenario(engine, id, "v4");
  open.push(opened);
  return opened.scenario;
}

async function killAndBoot(): Promise<void> {
  await engine.kill();
  await engine.boot();
}

const progress = z.object({ data: z.looseObject({ status: z.string(), count: z.number() }) });

describe("cancelling through crashes", () => {
  test("CR-1, CR-2: a step in flight is lost with the engine; listeners are not", { timeout: 120_000 }, async () => {
    const scenario = scenarioOf("CR-1-crash");
    const { app, fn, on, send, trigger, until, api, pause, mark, marks } = scenario;
    await app([
      fn("busy", on("busy"), async ({ step }) => {
        await step.run("long", async () => {
          mark("begin");
          await pause(60_000);
        });
        mark("after");
      }),
      fn({ id: "sleeper", cancelOn: [{ event: on("stop"), match: "data.id" }] }, on("x"), async ({ step }) =>
        step.sleep("s", "1h"),
      ),
    ]);
    const busy = await onlyRun(scenario, await trigger(on("busy")));
    const asleep = await sleeping(scenario, await trigger(on("x"), { id: 1 }));
    const [later = ""] = await send([{ name: on("x"), data: { id: 2 }, ts: Date.now() + 3_600_000 }]);
    const future = await onlyRun(scenario, later);
    await until(() => marks("begin").length > 0);
    expect((await api("DELETE", `/v1/runs/${busy.run_id}`)).status).toBe(200);
    await killAndBoot();
    for (const id of [1, 2]) await trigger(on("stop"), { id });
    await expectCancelled(scenario, asleep.run_id, "event");
    await expectCancelled(scenario, future.run_id, "event");
    await expectCancelled(scenario, busy.run_id, "api");
    expect(marks("begin")).toHaveLength(1);
    expect(marks("after")).toEqual([]);
  });

  test("CR-9, CR-33: a bulk cancellation goes on, and doubles nothing", { timeout: 180_000 }, async () => {
    const scenario = scenarioOf("CR-9-crash");
    const { app, appId, fn, on, slug, send, until, api, pause, mark, marks } = scenario;
    const count = 300;
    await app([
      fn("sleeper", on("x"), async ({ step }) => step.sleep("s", "1h")),
      fn<{ run_id: string }>(
        "listener",
        { event: "inngest/function.cancelled", if: `event.data.function_id == '${slug("sleeper")}'` },
        ({ event }) => mark(`cancelled:${event.data.run_id}`),
      ),
    ]);
    await send(Array.from({ length: count }, (_, n) => ({ name: on("x"), data: { n } })));
    const listed = z.object({
      data: z.array(z.unknown()),
      metadata: z.looseObject({ next_cursor: z.string().nullable() }),
    });
    // A crash loses what history's queue holds: the runs have to be there before.
    await until(async () => {
      let seen = 0;
      for (let cursor: string | null = ""; cursor !== null; ) {
        const query = `status=Running&limit=100${cursor === "" ? "" : `&cursor=${cursor}`}`;
        const page: z.infer<typeof listed> = listed.parse((await api("GET", `/v1/runs?${query}`)).json);
        seen += page.data.length;
        cursor = page.metadata.next_cursor;
      }
      return seen >= count;
    }, 60_000);
    const wish = { app_id: appId, function_id: "sleeper", started_before: new Date().toISOString() };
    const { json } = await api("POST", "/v1/cancellations", wish);
    const { id } = z.looseObject({ id: z.string() }).parse(json);
    await until(() => marks("cancelled:").length > 10, 60_000);
    await killAndBoot();
    const state = async () => progress.parse((await api("GET", `/v1/cancellations/${id}`)).json).data;
    let known = 0;
    const done = await until(async () => {
      const now = await state();
      expect(now.count).toBeGreaterThanOrEqual(known);
      known = now.count;
      return now.status === "completed" ? now : null;
    }, 90_000);
    expect(done.count).toBe(count);
    const told = () => new Set(marks("cancelled:").map(({ name }) => name)).size;
    await until(() => told() === count, 60_000);
    await pause(1000);
    const stored = z.object({ data: z.array(z.looseObject({ data: z.looseObject({ run_id: z.string() }) })) });
    const path = "/v1/events?limit=100&name=inngest%2Ffunction.cancelled";
    const events = stored.parse((await api("GET", path)).json).data.map(({ data }) => data.run_id);
    expect(new Set(events).size).toBe(events.length);
  });
});
