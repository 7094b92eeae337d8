/**
 * What v4 added: deferred functions, races, experiments, metadata and scores (EX-33, EX-71, EX-72).
 */
import { experiment } from "inngest";
import { createDefer, createScorer } from "inngest/experimental";
import { expect } from "vitest";
import * as z from "zod";
import type { Case } from "../harness/cases.ts";
import type { Scenario, Variant } from "../harness/scenario.ts";
import { natives, newestClient } from "./v4.ts";

const V4: readonly Variant[] = ["v4", "v4-checkpointed"];

const metadataSchema = z.object({
  data: z.object({
    metadata: z.array(
      z.looseObject({ step_id: z.string().nullable(), kind: z.string(), values: z.record(z.string(), z.unknown()) }),
    ),
  }),
});

/** The metadata a run shows. */
async function metadataOf({ api }: Scenario, runId: string) {
  const { json } = await api("GET", `/v1/runs/${runId}`);
  return metadataSchema.parse(json).data.metadata;
}

const deferred: readonly Case[] = [
  {
    id: "EX-71",
    title: "Deferred functions start once, when the run has ended, however often it was entered",
    proves: ["EX-71"],
    sdks: V4,
    async run(scenario) {
      const { app, on, slug, trigger, finished, until, pause, mark, marks } = scenario;
      const { client, inngest } = newestClient(scenario);
      const cleanup = createDefer(inngest, { id: "cleanup" }, async ({ event, parents, step }) => {
        const seen = await step.run("clean", () => event.data["n"]);
        mark(`cleanup:${seen}:${parents[0].fnSlug}:${parents[0].runId}`);
      });
      const main = inngest.createFunction(
        { id: "main", triggers: [{ event: on("x") }] },
        async ({ step, defer, attempt }) => {
          defer("one", { function: cleanup, data: { n: 1 } });
          await step.run("a", () => 1);
          defer("two", { function: cleanup, data: { n: 2 } });
          await step.run("b", () => {
            if (attempt === 0) throw new Error("once");
          });
          await step.sleep("nap", "1s");
          mark("end");
          return "ok";
        },
      );
      await app(natives(cleanup, main), { client });
      const run = await finished(await trigger(on("x")));
      expect(run).toMatchObject({ status: "Completed", output: "ok" });
      await until(() => marks("cleanup:").length >= 2);
      await pause(500);
      const [end] = marks("end");
      const all = marks("cleanup:");
      expect(all.map(({ name }) => name).sort()).toEqual(
        [1, 2].map((n) => `cleanup:${n}:${slug("main")}:${run.run_id}`),
      );
      for (const { at } of all) expect(at).toBeGreaterThanOrEqual(end?.at ?? Number.NaN);
    },
  },
  {
    id: "EX-71b",
    title: "A run that fails starts them too; an aborted one never starts",
    proves: ["EX-71"],
    sdks: V4,
    async run(scenario) {
      const { app, on, trigger, finished, until, pause, mark, marks } = scenario;
      const { client, inngest } = newestClient(scenario);
      const cleanup = createDefer(inngest, { id: "cleanup" }, ({ event }) => mark(`cleanup:${event.data["n"]}`));
      const main = inngest.createFunction(
        { id: "main", retries: 1, triggers: [{ event: on("x") }] },
        async ({ step, defer }) => {
          defer("kept", { function: cleanup, data: { n: "kept" } });
          const aborted = defer("aborted", { function: cleanup, data: { n: "aborted" } });
          await step.run("a", () => 1);
          aborted.abort();
          await step.run("b", () => 2);
          throw new Error("no");
        },
      );
      await app(natives(cleanup, main), { client });
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Failed", output: { message: "no" } });
      await until(() => marks("cleanup:").length > 0);
      await pause(700);
      expect(marks("cleanup:").map(({ name }) => name)).toEqual(["cleanup:kept"]);
    },
  },
  {
    id: "EX-71c",
    title: "At most twenty per run",
    proves: ["EX-71"],
    sdks: V4,
    async run(scenario) {
      const { app, on, trigger, finished, until, pause, mark, marks } = scenario;
      const { client, inngest } = newestClient(scenario);
      const one = createDefer(inngest, { id: "one" }, ({ event }) => mark(`one:${event.data["n"]};`));
      const main = inngest.createFunction({ id: "main", triggers: [{ event: on("x") }] }, async ({ step, defer }) => {
        for (let n = 0; n < 22; n++) defer(`d${n}`, { function: one, data: { n } });
        await step.run("a", () => 1);
        return "ok";
      });
      await app(natives(one, main), { client });
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed" });
      await until(() => marks("one:").length >= 20);
      await pause(700);
      expect(new Set(marks("one:").map(({ name }) => name)).size).toBe(20);
      expect(marks("one:")).toHaveLength(20);
    },
  },
];

const races: readonly Case[] = [
  {
    id: "EX-33",
    title: "In a race each branch goes on by itself, and the first one ends it",
    proves: ["EX-33", "EX-34"],
    sdks: V4,
    async run(scenario) {
      const { app, on, trigger, finished, pause, mark, marks } = scenario;
      const { client, inngest } = newestClient(scenario);
      const race = inngest.createFunction({ id: "race", triggers: [{ event: on("x") }] }, async ({ step, group }) => {
        const branch = async (name: string, ms: number) => {
          for (const part of [1, 2]) {
            await step.run(`${name}.${part}`, async () => {
              await pause(ms);
              mark(`${name}.${part}`);
            });
          }
          return name;
        };
        const winner = await group.parallel({ mode: "race" }, () =>
          Promise.race([branch("slow", 1500), branch("fast", 50)]),
        );
        const after = await step.run("after", () => "after");
        return [winner, after];
      });
      await app(natives(race), { client });
      const run = await finished(await trigger(on("x")));
      expect(run).toMatchObject({ status: "Completed", output: ["fast", "after"] });
      expect(marks("fast.").map(({ name }) => name)).toEqual(["fast.1", "fast.2"]);
      const [second] = marks("fast.2");
      const [slow] = marks("slow.1");
      expect(second?.at).toBeLessThan(slow?.at ?? Number.POSITIVE_INFINITY);
    },
  },
];

const annotations: readonly Case[] = [
  {
    id: "EX-72",
    title: "An experiment keeps its variant and shows it",
    proves: ["EX-72"],
    sdks: V4,
    async run(scenario) {
      const { app, on, trigger, finished } = scenario;
      const { client, inngest } = newestClient(scenario);
      let selections = 0;
      const checkout = inngest.createFunction(
        { id: "checkout", triggers: [{ event: on("x") }] },
        async ({ step, group, attempt }) => {
          const { result, variant } = await group.experiment("flow", {
            variants: {
              control: () => step.run("old", () => "old"),
              fresh: () =>
                step.run("new", () => {
                  if (attempt === 0) throw new Error("once");
                  return "new";
                }),
            },
            select: experiment.custom(() => (selections++ === 0 ? "fresh" : "control")),
          });
          return [result, variant];
        },
      );
      await app(natives(checkout), { client });
      const run = await finished(await trigger(on("x")));
      expect(run).toMatchObject({ status: "Completed", output: ["new", "fresh"] });
      expect(await metadataOf(scenario, run.run_id)).toContainEqual(
        expect.objectContaining({
          kind: "inngest.experiment",
          values: expect.objectContaining({ variant: "fresh", available_variants: ["control", "fresh"] }),
        }),
      );
    },
  },
  {
    id: "EX-72b",
    title: "Metadata and scores, from steps, from between them, and from outside",
    proves: ["EX-72"],
    sdks: V4,
    async run(scenario) {
      const { app, on, trigger, finished } = scenario;
      const { client, inngest } = newestClient(scenario);
      const rated = inngest.createFunction({ id: "rated", triggers: [{ event: on("x") }] }, async ({ step, runId }) => {
        await step.metadata("mark").run().set({ plan: "pro" });
        await step.score("judge", { name: "quality", value: 0.5 });
        await inngest.score({ runId, name: "speed", value: true });
        return "ok";
      });
      await app(natives(rated), { client });
      const run = await finished(await trigger(on("x")));
      expect(run).toMatchObject({ status: "Completed", output: "ok" });
      await inngest.score({ runId: run.run_id, name: "late", value: 1 });
      const metadata = await metadataOf(scenario, run.run_id);
      expect(metadata).toContainEqual(expect.objectContaining({ kind: "userland.default", values: { plan: "pro" } }));
      const scores = metadata.filter(({ kind }) => kind === "inngest.score").map(({ values }) => values);
      expect(Object.assign({}, ...scores)).toEqual({
        quality: { value: 0.5 },
        speed: { value: true },
        late: { value: 1 },
      });
    },
  },
  {
    id: "EX-72c",
    title: "A scorer scores the run that deferred it",
    proves: ["EX-72", "EX-71"],
    sdks: V4,
    async run(scenario) {
      const { app, on, trigger, finished, until } = scenario;
      const { client, inngest } = newestClient(scenario);
      const scorer = createScorer(inngest, { id: "scorer" }, ({ event }) => ({
        name: "length",
        value: String(event.data["text"]).length,
      }));
      const main = inngest.createFunction({ id: "main", triggers: [{ event: on("x") }] }, async ({ step, defer }) => {
        const text = await step.run("write", () => "four");
        defer("score", { function: scorer, data: { text } });
        return text;
      });
      await app(natives(scorer, main), { client });
      const run = await finished(await trigger(on("x")));
      const score = await until(async () => {
        const metadata = await metadataOf(scenario, run.run_id);
        return metadata.find(({ kind }) => kind === "inngest.score");
      }, 10_000);
      expect(score.values).toEqual({ length: { value: 4 } });
    },
  },
];

/** The scenarios. */
export const newer: readonly Case[] = [...deferred, ...races, ...annotations];
