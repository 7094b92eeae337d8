/**
 * kill -9 of the engine while it works: what was accepted runs, what sleeps wakes, and no step is recorded twice
 * (EV-8, EX-4, EX-10, EX-40, CR-29). One scenario at a time; both SDKs go through each kill together.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { type RunJson, startTestEngine, type TestEngine } from "../harness/engine.ts";
import { type OpenScenario, openScenario, type Scenario } from "../harness/scenario.ts";

let engine: TestEngine;
const open: OpenScenario[] = [];

beforeAll(async () => {
  engine = await startTestEngine();
});

afterAll(async () => {
  for (const { close } of open) await close();
  await engine?.stop();
});

/** One scenario per SDK, closed at the end of the file. */
function bothSdks(id: string): readonly [Scenario, Scenario] {
  const [v3, v4] = [openScenario(engine, id, "v3"), openScenario(engine, id, "v4")];
  open.push(v3, v4);
  return [v3.scenario, v4.scenario];
}

/** Does the same in both scenarios at the same time. */
function each<T>(scenarios: readonly Scenario[], work: (scenario: Scenario) => Promise<T>): Promise<T[]> {
  return Promise.all(scenarios.map(work));
}

async function killAndBoot(downFor: number): Promise<void> {
  await engine.kill();
  await sleep(downFor);
  await engine.boot();
}

/** What a function of the load returns and notes. */
interface Work {
  readonly n: number;
  readonly kind: "sequence" | "parallel" | "sleeper" | "flaky" | "failing";
}

const KINDS = ["sequence", "parallel", "sleeper", "flaky", "failing"] as const;

/** Functions of every kind; each body notes itself as `<run>:<step>` when it begins and answers a value nobody else answers. */
function load({ fn, on, mark, marks }: Scenario) {
  const work = (run: string, step: string, ms: number) => async (): Promise<string> => {
    mark(`${run}:${step};`);
    await sleep(ms);
    return `${run}:${step}:${marks(`${run}:${step};`).length}`;
  };
  return [
    fn<Work>("sequence", { event: on("x"), if: "event.data.kind == 'sequence'" }, async ({ step, runId }) => {
      const results: string[] = [];
      for (let i = 0; i < 5; i++) results.push(await step.run(`s${i}`, work(runId, `s${i}`, 150)));
      return results;
    }),
    fn<Work>("parallel", { event: on("x"), if: "event.data.kind == 'parallel'" }, async ({ step, runId }) => {
      const results = await Promise.all([0, 1, 2, 3].map((i) => step.run(`s${i}`, work(runId, `s${i}`, 300))));
      return [...results, await step.run("join", work(runId, "join", 100))];
    }),
    fn<Work>("sleeper", { event: on("x"), if: "event.data.kind == 'sleeper'" }, async ({ step, runId }) => {
      const results = [await step.run("before", work(runId, "before", 50))];
      await step.sleep("nap", "3s");
      results.push(await step.run("between", work(runId, "between", 50)));
      await step.sleep("doze", "2s");
      return [...results, await step.run("after", work(runId, "after", 50))];
    }),
    fn<Work>(
      { id: "flaky", retries: 3 },
      { event: on("x"), if: "event.data.kind == 'flaky'" },
      async ({ step, runId, attempt }) => {
        const results: string[] = [];
        for (const name of ["a", "b"]) {
          const result = await step.run(name, async () => {
            const value = await work(runId, name, 100)();
            if (attempt === 0) throw new Error("not yet");
            return value;
          });
          results.push(result);
        }
        return results;
      },
    ),
    fn<Work>(
      { id: "failing", retries: 1 },
      { event: on("x"), if: "event.data.kind == 'failing'" },
      async ({ step, runId }) => {
        await step.run("a", work(runId, "a", 100));
        throw new Error("for good");
      },
    ),
  ];
}

const finishedSchema = z.object({
  data: z.array(z.looseObject({ data: z.looseObject({ run_id: z.string() }) })),
  metadata: z.looseObject({ next_cursor: z.string().nullable() }),
});

/** How many events of a kind exist per run. */
async function eventsPerRun(name: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  let cursor: string | null = "";
  while (cursor !== null) {
    const path = `/v1/events?limit=100&name=${encodeURIComponent(name)}${cursor === "" ? "" : `&cursor=${cursor}`}`;
    const page: z.infer<typeof finishedSchema> = finishedSchema.parse((await engine.api("GET", path)).json);
    for (const { data } of page.data) counts.set(data.run_id, (counts.get(data.run_id) ?? 0) + 1);
    cursor = page.metadata.next_cursor;
  }
  return counts;
}

/** A completed run against the ledger: each result is that of a body that ran, and no body began once its step was finished. */
function checkLedger({ marks }: Scenario, run: RunJson): void {
  const results = z.array(z.string()).parse(run.output);
  const steps = results.map((result) => {
    const [, id, step, tries] = /^(\w+):(\w+):(\d+)$/.exec(result) ?? [];
    expect(id).toBe(run.run_id);
    const begun = marks(`${id}:${step};`).map(({ at }) => at);
    expect(Number(tries), result).toBeGreaterThanOrEqual(1);
    expect(Number(tries), result).toBeLessThanOrEqual(begun.length);
    return { step, first: Math.min(...begun), last: Math.max(...begun) };
  });
  for (const [at, { step, first }] of steps.entries()) {
    const parallel = /^s\d$/.test(step ?? "") && run.function_slug.endsWith("-parallel");
    // A step begins only after those before it are stored; the parallel ones come before the join alone.
    if (!parallel)
      for (const before of steps.slice(0, at))
        expect(before.last, `${run.run_id}: ${before.step}`).toBeLessThanOrEqual(first);
  }
}

describe("Killing the engine", () => {
  test("SC-15 Accepted means it will run: EV-8, API-8, EX-10 (v3, v4)", { timeout: 90_000 }, async () => {
    const scenarios = bothSdks("SC-15");
    const output = { status: "success", processedItems: 98, failedItems: 2 };
    const sent = await each(scenarios, async ({ app, fn, on, send }) => {
      await app([fn("import", on("uploaded"), () => output)]);
      const ids = await send(Array.from({ length: 50 }, () => ({ name: on("uploaded"), data: {} })));
      expect(await engine.runsOf(ids[0] ?? "")).toHaveLength(1);
      return ids;
    });
    await killAndBoot(0);
    for (const id of sent.flat()) {
      const runs = await engine.ended(id, 1, 40_000);
      expect(runs).toMatchObject([{ status: "Completed", output }]);
    }
  });

  test("EV-8 A kill right after the reply, with more events than are started at once: EV-8 (v3, v4)", {
    timeout: 90_000,
  }, async () => {
    const scenarios = bothSdks("EV-8");
    await each(scenarios, async ({ app, fn, on, mark }) => {
      await app([
        fn<{ n: number }>("one", on("x"), ({ event }) => mark(`one:${event.data.n};`)),
        fn("two", on("x"), () => "two"),
      ]);
    });
    const ids = await each(scenarios, ({ send, on }) =>
      send(Array.from({ length: 120 }, (_, n) => ({ name: on("x"), data: { n } }))),
    );
    await killAndBoot(500);
    for (const id of ids.flat()) {
      const runs = await engine.ended(id, 2, 40_000);
      expect(runs.map(({ status }) => status)).toEqual(["Completed", "Completed"]);
    }
    for (const { marks } of scenarios) {
      for (let n = 0; n < 120; n++) expect(marks(`one:${n};`).length, `event ${n}`).toBeGreaterThanOrEqual(1);
    }
  });

  test("SC-74 Sleep over a restart: EX-40, EX-37, DEV-15 (v3, v4)", { timeout: 90_000 }, async () => {
    const scenarios = bothSdks("SC-74");
    const begun = await each(scenarios, async ({ app, fn, on, trigger, until, mark, marks }) => {
      await app([
        fn("survivor", on("x"), async ({ step }) => {
          await step.run("before", () => mark("before"));
          await step.sleep("s", "8s");
          return step.run("after", () => Date.now());
        }),
      ]);
      const id = await trigger(on("x"));
      await until(() => marks("before").length === 1);
      return { id, from: marks("before")[0]?.at ?? Number.NaN };
    });
    await sleep(3000);
    await killAndBoot(2000);
    for (const [at, { finished, marks }] of scenarios.entries()) {
      const run = await finished(begun[at]?.id ?? "");
      expect(run.status).toBe("Completed");
      const slept = Number(run.output) - (begun[at]?.from ?? 0);
      expect(slept).toBeGreaterThanOrEqual(8000);
      expect(slept).toBeLessThan(11_000);
      expect(marks("before")).toHaveLength(1);
    }
  });

  test("EX-40 Kills under load, in steps and in sleeps: EX-4, EX-10, EX-40, CR-29, CR-34 (v3, v4)", {
    timeout: 120_000,
  }, async () => {
    const scenarios = bothSdks("EX-40");
    const perSdk = 25;
    const kindOf = (n: number) => KINDS[n % KINDS.length] ?? "sequence";
    const sent = await each(scenarios, async (scenario) => {
      await scenario.app(load(scenario));
      return scenario.send(
        Array.from({ length: perSdk }, (_, n) => ({ name: scenario.on("x"), data: { n, kind: kindOf(n) } })),
      );
    });
    // The first kill meets the steps, the second the sleeps and the retries of what the first interrupted.
    await sleep(700);
    await killAndBoot(500);
    await sleep(2500);
    await killAndBoot(0);
    const runs: RunJson[] = [];
    for (const [at, scenario] of scenarios.entries()) {
      for (const [n, id] of (sent[at] ?? []).entries()) {
        const run = await scenario.finished(id);
        expect(run, kindOf(n)).toMatchObject({ status: kindOf(n) === "failing" ? "Failed" : "Completed" });
        if (run.status === "Completed") checkLedger(scenario, run);
        runs.push(run);
      }
    }
    expect(runs).toHaveLength(2 * perSdk);
    const bodies = scenarios.flatMap(({ marks }) => marks("")).length;
    const fewest = 2 * 5 * (5 + 5 + 3 + 4 + 1);
    expect(bodies).toBeGreaterThanOrEqual(fewest);
    // At least once, and rarely more: only a body whose reply a kill swallowed runs again.
    expect(bodies).toBeLessThanOrEqual(fewest + 2 * 2 * perSdk);
    await engine.until(async () => {
      const counts = await eventsPerRun("inngest/function.finished");
      return runs.every(({ run_id }) => counts.has(run_id));
    });
    const [finished, failed] = [
      await eventsPerRun("inngest/function.finished"),
      await eventsPerRun("inngest/function.failed"),
    ];
    for (const { run_id, status } of runs) {
      expect(finished.get(run_id), `finished events of ${run_id}`).toBe(1);
      expect(failed.get(run_id) ?? 0, `failed events of ${run_id}`).toBe(status === "Failed" ? 1 : 0);
    }
  });
});
