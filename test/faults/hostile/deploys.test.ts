/**
 * Row 17 of the fault matrix: the app is deployed anew while a run of it goes on. Real SDK apps, whose code changes between two calls of a run;
 * all cases at once on one engine.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startTestEngine, type TestEngine } from "../../conformance/harness/engine.ts";
import { openScenario, type Scenario, type Variant } from "../../conformance/harness/scenario.ts";
import { jobsOf } from "../../conformance/wire/case.ts";
import { CHANGES, type Code, toolsOf } from "./code-changes.ts";
import { engineLog } from "./table.ts";

// They mostly sleep.
vi.setConfig({ maxConcurrency: 20 });

const EVERY_SDK: readonly Variant[] = ["v3", "v4", "v4-checkpointed"];

const log = engineLog();
let engine: TestEngine;

beforeAll(async () => {
  engine = await startTestEngine({ onLine: log.onLine });
});

afterAll(async () => {
  await engine?.stop();
});

describe("row 17: the app is deployed in the middle of a run", () => {
  for (const { id, title, from, to, output, ran, sleeps = false } of CHANGES) {
    for (const variant of EVERY_SDK) {
      it.concurrent(`row 17: ${title} (${variant})`, () =>
        within(`row-17-${id}`, variant, async (scenario) => {
          const { app, fn, on, trigger, finished, marks, until } = scenario;
          const tools = toolsOf(scenario);
          const served = await app([fn("f", on("go"), from(tools))]);
          const eventId = await trigger(on("go"));
          await until(() => marks("<A>").length === 1);
          await until(() => asleep(eventId));
          // Every other deployment does not tell the engine at once.
          if (variant === "v4") served.redeploy([fn("f", on("go"), to(tools))]);
          else await served.resync([fn("f", on("go"), to(tools))]);
          if (!sleeps) await wake(scenario);
          expect(await finished(eventId)).toMatchObject({ status: "Completed", output });
          expect(Object.fromEntries(Object.keys(ran).map((name) => [name, marks(`<${name}>`).length]))).toEqual(ran);
        }));
    }
  }

  it.concurrent("row 17: what fails in the old code is tried again in the new (EX-62)", () =>
    within("row-17-mended", "v4", async ({ app, fn, on, trigger, finished, mark, marks, until }) => {
      const code = (works: boolean): Code => {
        return async ({ step }) => {
          const a = await step.run("a", () => {
            mark(works ? "new" : "old");
            if (!works) throw new Error("a bug");
            return "mended";
          });
          return a;
        };
      };
      const served = await app([fn("f", on("go"), code(false))]);
      const eventId = await trigger(on("go"));
      await until(() => marks("old").length >= 1);
      served.redeploy([fn("f", on("go"), code(true))]);
      expect(await finished(eventId)).toMatchObject({ status: "Completed", output: "mended" });
      expect(marks("new")).toHaveLength(1);
    }));

  for (const told of [false, true]) {
    it.concurrent(`row 17: the runs of a deleted function fail with what the app says, others go on (EX-62, EX-24) (${told ? "synced" : "not synced"})`, () =>
      within(`row-17-deleted-${told}`, "v4", async (scenario) => {
        const { app, fn, on, ended, runOf, trigger, marks, until } = scenario;
        const tools = toolsOf(scenario);
        const code = (name: string): Code => {
          return async ({ step }) => [
            await tools(step).run("A"),
            await tools(step).nap(name),
            await tools(step).run("B"),
          ];
        };
        const kept = fn({ id: "kept", retries: 1 }, on("go"), code("kept"));
        const served = await app([kept, fn({ id: "deleted", retries: 1 }, on("go"), code("deleted"))]);
        const eventId = await trigger(on("go"));
        await until(() => marks("<A>").length === 2);
        await until(() => asleep(eventId));
        if (told) await served.resync([kept]);
        else served.redeploy([kept]);
        for (const name of ["kept", "deleted"]) await wake(scenario, name);
        const runs = await ended(eventId, 2);
        expect(runOf(runs, "kept")).toMatchObject({ status: "Completed", output: ["A", null, "B"] });
        const deleted = runOf(runs, "deleted");
        expect({ status: deleted.status, output: JSON.stringify(deleted.output) }).toEqual({
          status: "Failed",
          output: expect.stringMatching(/was not found in this app|no longer registered/),
        });
        expect(marks("<B>")).toHaveLength(1);
      }));
  }

  it.concurrent("row 17: an app that registers at another port is called there, although the old one still answers (AP-12, EX-40)", () =>
    within("row-17-moved", "v4", async (scenario) => {
      const { app, fn, on, finished, trigger, marks, until } = scenario;
      const at = (place: string) =>
        fn("f", on("go"), async ({ step }) => {
          await toolsOf(scenario)(step).run("A");
          await toolsOf(scenario)(step).nap();
          return await step.run("where", () => place);
        });
      const old = await app([at("the old place")]);
      const eventId = await trigger(on("go"));
      await until(() => marks("<A>").length === 1);
      await until(() => asleep(eventId));
      const calls = old.calls();
      const moved = await app([at("the new place")]);
      expect(moved.port).not.toBe(old.port);
      await wake(scenario);
      expect(await finished(eventId)).toMatchObject({ status: "Completed", output: "the new place" });
      expect(old.calls()).toBe(calls);
    }));

  it.concurrent("row 17: an app that is gone while it moves is called until it is back, at its new place (AP-12, EX-24)", () =>
    within("row-17-moving", "v4", async (scenario) => {
      const { app, fn, on, finished, trigger, marks, until } = scenario;
      const code: Code = async ({ step }) => {
        const a = await toolsOf(scenario)(step).run("A");
        await toolsOf(scenario)(step).nap();
        return [a, await toolsOf(scenario)(step).run("B")];
      };
      const old = await app([fn({ id: "f", retries: 20 }, on("go"), code)]);
      const eventId = await trigger(on("go"));
      await until(() => marks("<A>").length === 1);
      await until(() => asleep(eventId));
      await old.stop();
      await wake(scenario);
      const runId = (await engine.runsOf(eventId))[0]?.run_id ?? "";
      await until(async () => (await jobsOf(engine, runId)).some(({ attempt }) => attempt >= 2));
      await app([fn({ id: "f", retries: 20 }, on("go"), code)]);
      expect(await finished(eventId)).toMatchObject({ status: "Completed", output: ["A", "B"] });
      expect(marks("<A>")).toHaveLength(1);
    }));

  it.concurrent("row 17: a planned step that the new code does not have is given up after its attempts, and the run goes on (EX-61, EX-62)", () =>
    within("row-17-planned", "v4", async (scenario) => {
      const { app, fn, on, finished, trigger, marks, mark, until, sdk } = scenario;
      const code = (branch: string): Code => {
        return async ({ step }) =>
          await Promise.all([
            toolsOf(scenario)(step).run("A"),
            step.run(branch, async () => {
              mark(branch);
              if (branch === "old") throw new sdk.RetryAfterError("not yet", "3s");
              return branch;
            }),
          ]);
      };
      const served = await app([fn({ id: "f", retries: 1 }, on("go"), code("old"))]);
      const eventId = await trigger(on("go"));
      await until(() => marks("<A>").length === 1 && marks("old").length === 1);
      served.redeploy([fn({ id: "f", retries: 1 }, on("go"), code("new"))]);
      const run = await finished(eventId);
      expect(run).toMatchObject({ status: "Completed", output: ["A", "new"] });
      expect(marks("<A>")).toHaveLength(1);
    }));

  it("SE-15: the engine logged no failure of its own", () => {
    expect(log.failures()).toEqual([]);
  });
});

/** Ends a nap, as soon as it has begun. */
async function wake({ on, api, until }: Scenario, name = "nap"): Promise<void> {
  await until(async () => (await api("POST", "/v1/signals", { signal: on(name), data: null })).status === 200);
}

/** True when the event has runs and they have nothing to do but to wait. */
async function asleep(eventId: string): Promise<boolean> {
  const runs = await engine.runsOf(eventId);
  const jobs = await Promise.all(runs.map((run) => jobsOf(engine, run.run_id)));
  const waits = (kind: string): boolean => kind === "sleep" || kind === "wait";
  return jobs.length > 0 && jobs.every((all) => all.length > 0 && all.every(({ kind }) => waits(kind)));
}

async function within(id: string, variant: Variant, check: (scenario: Scenario) => Promise<void>): Promise<void> {
  const { scenario, close } = openScenario(engine, id, variant);
  try {
    await check(scenario);
  } finally {
    await close();
  }
}
