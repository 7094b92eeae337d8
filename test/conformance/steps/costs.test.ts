/**
 * What a run may cost, in the units of the bill: guarded here because these figures do not depend on the machine.
 * Nothing else runs on this engine, and everything is counted after history has confirmed, when the engine has come to rest.
 */
import { expect } from "vitest";
import * as z from "zod";
import { type Case, conformance } from "../harness/cases.ts";
import type { Scenario } from "../harness/scenario.ts";
import type { Client } from "../harness/sdk.ts";
import { recordedClient } from "./checkpoints.ts";

const countsSchema = z.object({
  objectRequests: z.number(),
  rowsWritten: z.number(),
  d1RowsWritten: z.number(),
  calls: z.number(),
  queueOperations: z.number(),
});

type Counts = z.infer<typeof countsSchema>;

/** ms without any change after which everything has arrived: history travels in batches of up to a second. */
const REST = 1600;

/** The counters when they have not moved for a while. */
async function atRest({ api, pause }: Scenario): Promise<Counts> {
  let counts = countsSchema.parse((await api("GET", "/dev/counts")).json);
  for (let still = 0; still < REST; still += 100) {
    await pause(100);
    const now = countsSchema.parse((await api("GET", "/dev/counts")).json);
    if (JSON.stringify(now) !== JSON.stringify(counts)) still = 0;
    counts = now;
  }
  return counts;
}

/** What `work` costs. */
async function cost(scenario: Scenario, work: () => Promise<unknown>): Promise<Counts> {
  const before = await atRest(scenario);
  await work();
  const after = await atRest(scenario);
  return {
    objectRequests: after.objectRequests - before.objectRequests,
    rowsWritten: after.rowsWritten - before.rowsWritten,
    d1RowsWritten: after.d1RowsWritten - before.d1RowsWritten,
    calls: after.calls - before.calls,
    queueOperations: after.queueOperations - before.queueOperations,
  };
}

/** Serves a function of three steps and answers what one run of it costs, and how often the app was called. */
async function costOfThreeSteps(
  scenario: Scenario,
  client: Client,
  { warm = false, ...options }: { readonly warm?: boolean; readonly [option: string]: unknown } = {},
): Promise<Counts & { readonly appCalls: number }> {
  const { app, fn, on, trigger, until, mark, marks } = scenario;
  const three = fn(
    { id: "three", ...options },
    on("x"),
    async ({ step }) => {
      const a = await step.run("a", () => 1);
      const b = await step.run("b", () => a + 1);
      await step.run("c", () => b + 1);
      mark("end");
    },
    client,
  );
  const served = await app([three], { client });
  if (warm) await scenario.finished(await trigger(on("x"), { k: "K" }));
  const [before, ended] = [served.calls(), marks("end").length];
  const counts = await cost(scenario, async () => {
    await trigger(on("x"), { k: "K" });
    // Asking for the run would cost what asking costs.
    await until(() => marks("end").length > ended);
  });
  return { ...counts, appCalls: served.calls() - before };
}

const costs: readonly Case[] = [
  {
    id: "COST-1",
    title: "Three steps, step by step: two object requests, seven rows, four calls, six rows of history",
    proves: ["EX-1"],
    async run(scenario) {
      const counts = await costOfThreeSteps(scenario, scenario.client);
      expect(counts).toMatchObject({ appCalls: 4, calls: 4, objectRequests: 2, queueOperations: 3 });
      expect(counts.rowsWritten).toBeLessThanOrEqual(7);
      expect(counts.d1RowsWritten).toBeLessThanOrEqual(6);
    },
  },
  {
    id: "COST-2",
    title: "Three steps with checkpoints: one call, three checkpoints, and no more rows than without",
    proves: ["EX-66"],
    sdks: ["v3-checkpointed", "v4-checkpointed"],
    async run(scenario) {
      const { client, checkpoints } = recordedClient(scenario);
      const counts = await costOfThreeSteps(scenario, client);
      // Start, three checkpoints, and history's confirmation.
      expect(counts).toMatchObject({ appCalls: 1, calls: 1, objectRequests: 5, queueOperations: 3 });
      expect(checkpoints).toHaveLength(3);
      expect(counts.rowsWritten).toBeLessThanOrEqual(7);
      expect(counts.d1RowsWritten).toBeLessThanOrEqual(6);
    },
  },
  {
    id: "COST-4",
    title: "A limit that nobody contends: two object requests and three rows more",
    proves: ["FC-1", "FC-4"],
    async run(scenario) {
      const concurrency = { limit: 1, key: "event.data.k" };
      const counts = await costOfThreeSteps(scenario, scenario.client, { warm: true, concurrency });
      expect(counts).toMatchObject({ appCalls: 4, calls: 4, objectRequests: 4, queueOperations: 3 });
      expect(counts.rowsWritten).toBeLessThanOrEqual(10);
      expect(counts.d1RowsWritten).toBeLessThanOrEqual(6);
    },
  },
  {
    id: "COST-3",
    title:
      "A wait for an event costs two calls of the app and a handful of rows, and an event nobody waits for no object at all",
    proves: ["EX-41", "XP-19"],
    sdks: ["v4"],
    async run(scenario) {
      const { app, fn, on, send, trigger, until, pause, mark, marks } = scenario;
      const served = await app([
        fn("wait", on("x"), async ({ step }) => {
          await step.waitForEvent("w", { event: on("y"), match: "data.k", timeout: "1h" });
          mark("end");
        }),
      ]);
      const unmatched = await cost(scenario, () => send({ name: on("nobody"), data: {} }));
      expect(unmatched).toMatchObject({ calls: 0, objectRequests: 0, rowsWritten: 0 });
      const before = served.calls();
      const counts = await cost(scenario, async () => {
        await trigger(on("x"), { k: 1 });
        await until(() => served.calls() - before === 1);
        await pause(500);
        await send({ name: on("y"), data: { k: 1 } });
        await until(() => marks("end").length === 1);
      });
      expect(counts.calls).toBe(2);
      expect(counts.objectRequests).toBeLessThanOrEqual(5);
      expect(counts.rowsWritten).toBeLessThanOrEqual(20);
    },
  },
];

conformance(
  "costs",
  costs.map((one) => ({ ...one, alone: true })),
);
