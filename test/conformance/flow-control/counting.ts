/**
 * Scenarios of what a limit counts, and for whom (FC-1 … FC-7, SC-105 … SC-109).
 */
import { createServer } from "node:http";
import { expect } from "vitest";
import type { Case } from "../harness/cases.ts";
import type { RunJson } from "../harness/engine.ts";
import { listen } from "../harness/listen.ts";
import type { Scenario } from "../harness/scenario.ts";
import { type Gate, gate, lock } from "./gate.ts";

/** Sends so many events of one name and waits for the one run of each. */
async function runAll({ send, finished, on }: Scenario, data: readonly Record<string, unknown>[]): Promise<RunJson[]> {
  const ids = await send(data.map((one) => ({ name: on("x"), data: one })));
  const runs: RunJson[] = [];
  // One after another: asking for all of them again and again at the same time would keep the engine from running them.
  for (const id of ids) runs.push(await finished(id));
  return runs;
}

/** The scenarios. */
export const counting: readonly Case[] = [
  {
    id: "SC-105",
    title: "Never more steps at once than the limit, and as many as it allows",
    proves: ["FC-1", "FC-10", "FC-12"],
    async run(scenario) {
      const { app, fn, on } = scenario;
      const bodies = gate(10, 200);
      const served = await app([
        fn({ id: "ten", concurrency: 10 }, on("x"), ({ step, attempt }) =>
          step.run("work", () => bodies.enter().then(() => attempt)),
        ),
      ]);
      const runs = await runAll(
        scenario,
        Array.from({ length: 30 }, () => ({})),
      );
      expect(bodies.most).toBe(10);
      for (const run of runs) expect(run).toMatchObject({ status: "Completed", output: 0 });
      expect(served.calls()).toBe(60);
    },
  },
  {
    id: "SC-106",
    title: "One at a time per key",
    proves: ["FC-4", "FC-3"],
    sdks: ["v3", "v4", "v4-checkpointed"],
    async run(scenario) {
      const { app, fn, on, peak, maxPeak } = scenario;
      // Opens when both customers are inside: they must not wait for each other.
      const both = gate(2);
      const options = { id: "csv", concurrency: { limit: 1, key: "event.data.customerId" } };
      await app([
        fn<{ customerId: string }>(options, on("x"), async ({ event, step }) => {
          const work = () => Promise.all([both.enter(), peak(`csv:${event.data.customerId}`, 200)]);
          await step.run("parse", work);
          await step.run("process", work);
          return { message: "success" };
        }),
      ]);
      const runs = await runAll(
        scenario,
        ["A", "B", "A", "B", "A"].map((customerId) => ({ customerId })),
      );
      for (const run of runs) expect(run).toMatchObject({ status: "Completed", output: { message: "success" } });
      expect([maxPeak("csv:A"), maxPeak("csv:B"), both.most]).toEqual([1, 1, 2]);
    },
  },
  {
    id: "SC-107",
    title: "Two limits, one of them shared by functions, in either order",
    proves: ["FC-5", "FC-6"],
    async run({ app, fn, on, send, ended, peak, maxPeak }) {
      const shared = { scope: "account", key: `"${on("openai")}"`, limit: 3 };
      const own = { key: "event.data.account_id", limit: 1 };
      const openai = gate(3, 200);
      const make = (id: string, concurrency: readonly object[]) =>
        fn<{ account_id: number }>({ id, concurrency }, on("x"), ({ event, step }) =>
          step.run("call", async () => {
            await Promise.all([openai.enter(), peak(`${id}:${event.data.account_id}:`, 200)]);
          }),
        );
      await app([make("chat", [shared, own]), make("embed", [own, shared])]);
      const ids = await send(Array.from({ length: 12 }, (_, i) => ({ name: on("x"), data: { account_id: i % 4 } })));
      const runs = (await Promise.all(ids.map((id) => ended(id, 2)))).flat();
      expect(runs.map(({ status }) => status)).toEqual(Array.from({ length: 24 }, () => "Completed"));
      expect(openai.most).toBe(3);
      for (const id of ["chat", "embed"])
        for (const account of [0, 1, 2, 3]) expect(maxPeak(`${id}:${account}:`)).toBe(1);
    },
  },
  {
    id: "SC-109",
    title: "Sleeping runs are free",
    proves: ["FC-2", "EX-39"],
    async run({ app, fn, on, send, until, mark, marks }) {
      await app([
        fn<{ n: number }>({ id: "free", concurrency: 1 }, on("x"), async ({ event, step }) => {
          await step.run("first", () => mark(`free:${event.data.n}`));
          await step.sleep("s", "60s");
        }),
      ]);
      await send([1, 2].map((n) => ({ name: on("x"), data: { n } })));
      // The first one sleeps for a minute.
      await until(() => marks("free:").length === 2);
    },
  },
  {
    id: "FC-2",
    title: "Neither waits nor retries count",
    proves: ["FC-2", "FC-1"],
    async run({ app, fn, on, trigger, until, mark, marks, finished }) {
      await app([
        fn<{ n: number }>({ id: "waits", concurrency: 1, retries: 1 }, on("x"), async ({ event, step, attempt }) => {
          await step.run("first", () => mark(`first:${event.data.n}`));
          if (event.data.n === 1) await step.waitForEvent("w", { event: on("go"), timeout: "1h" });
          if (event.data.n === 2 && attempt === 0) throw new Error("once more");
          mark(`end:${event.data.n};`);
        }),
      ]);
      const waits = await trigger(on("x"), { n: 1 });
      const fails = await trigger(on("x"), { n: 2 });
      await until(() => marks("first:").length === 2);
      expect(marks("end:1")).toEqual([]);
      expect(await finished(fails)).toMatchObject({ status: "Completed" });
      await trigger(on("go"));
      expect(await finished(waits)).toMatchObject({ status: "Completed" });
    },
  },
  {
    id: "FC-1",
    title: "Parallel steps of one run, and requests of the engine, are counted",
    proves: ["FC-1", "EX-57"],
    async run({ app, fn, on, trigger, finished }) {
      const bodies = gate(2, 200);
      const pages = gate(2, 200);
      const site = createServer((_, response) => void pages.enter().then(() => response.end("page")));
      const { origin, close } = await listen(site, 0);
      await app([
        fn({ id: "branches", concurrency: 2 }, on("x"), async ({ step }) => {
          await Promise.all(["a", "b", "c", "d"].map((id) => step.run(id, bodies.enter)));
          const responses = await Promise.all(["e", "f", "g", "h"].map((id) => step.fetch(`${origin}/${id}`)));
          return responses.map(({ status }) => status);
        }),
      ]);
      const run = await finished(await trigger(on("x"))).finally(close);
      expect(run).toMatchObject({ status: "Completed", output: [200, 200, 200, 200] });
      expect([bodies.most, pages.most]).toEqual([2, 2]);
    },
  },
  {
    id: "FC-3",
    title: "A limit of 0 is none",
    proves: ["FC-3"],
    async run(scenario) {
      const { app, fn, on } = scenario;
      const open = gate(50);
      await app([fn({ id: "all", concurrency: { limit: 0 } }, on("x"), ({ step }) => step.run("work", open.enter))]);
      await runAll(
        scenario,
        Array.from({ length: 50 }, () => ({})),
      );
      expect(open.most).toBe(50);
    },
  },
  {
    id: "FC-5",
    title: "An environment's limit is shared by functions with the same key value",
    proves: ["FC-5"],
    async run({ app, fn, on, send, ended }) {
      const plans: Readonly<Record<string, Gate>> = { free: gate(2, 200), pro: gate(2, 200) };
      const make = (id: string, key: string) =>
        fn<{ plan: string }>({ id, concurrency: { scope: "env", key, limit: 2 } }, on("x"), ({ event, step }) =>
          step.run("work", () => plans[event.data.plan]?.enter()),
        );
      await app([make("one", `"${on("")}" + event.data.plan`), make("two", `"${on("")}" + event.data.plan`)]);
      const data = ["free", "pro"].flatMap((plan) => Array.from({ length: 4 }, () => ({ plan })));
      const ids = await send(data.map((one) => ({ name: on("x"), data: one })));
      await Promise.all(ids.map((id) => ended(id, 2)));
      expect([plans["free"]?.most, plans["pro"]?.most]).toEqual([2, 2]);
    },
  },
  {
    id: "FC-7",
    title: "Each function compares the shared count with its own limit",
    proves: ["FC-7"],
    async run({ app, fn, on, trigger, until, pause, finished }) {
      const held = lock();
      const make = (id: string, limit: number) =>
        fn({ id, concurrency: { scope: "account", key: `"${on("shared")}"`, limit } }, on(id), ({ step }) =>
          step.run("work", held.enter),
        );
      await app([make("narrow", 2), make("wide", 4)]);
      const first = [await trigger(on("wide")), await trigger(on("wide"))];
      await until(() => held.inside === 2);
      const narrow = await trigger(on("narrow"));
      const wide = await trigger(on("wide"));
      await until(() => held.inside === 3);
      await pause(500);
      expect(held.inside).toBe(3);
      held.open();
      for (const id of [...first, narrow, wide]) expect(await finished(id)).toMatchObject({ status: "Completed" });
    },
  },
];
