import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { LOCAL } from "../../src/environments/environment.ts";
import { chunksOf } from "../../src/events/chunk.ts";
import { consumeFanout } from "../../src/events/fanout.ts";
import { consumeHistory } from "../../src/history/consume.ts";
import type { HistoryMessage, RunRow } from "../../src/history/message.ts";
import { ensureSchema } from "../../src/history/schema.ts";
import { METRICS } from "../../src/limits.ts";
import { sumsByFunction } from "../../src/metrics/read.ts";
import { askRun } from "../../src/runs/ask.ts";
import { aRun, bindings, freshEnvironment } from "./records.ts";
import { registerFunctions } from "./registered.ts";

// The Worker itself; the plugin types exports only for projects that generate their types.
const worker = (exports as unknown as { default: Fetcher }).default;
/** ms; a busy machine may take its time. */
const PATIENCE = 20_000;

const NAMES = ["messages_retried", "replies_discarded", "late_timers", "step_calls", "step_latency"] as const;

async function counts(environmentId: string): Promise<Record<(typeof NAMES)[number], number>> {
  const now = Date.now();
  const scope = { from: now - METRICS.retention, until: now + METRICS.bucket, appId: null, functionId: null };
  const rows = await sumsByFunction(bindings.DB, environmentId, scope, NAMES);
  const sum = (name: (typeof NAMES)[number]) => rows.reduce((total, row) => total + row[name], 0);
  return Object.fromEntries(NAMES.map((name) => [name, sum(name)])) as Record<(typeof NAMES)[number], number>;
}

/** Delivers messages of the history queue for the `attempts`th time. */
async function deliver(attempts: number, ...bodies: readonly HistoryMessage[]) {
  const messages = bodies.map((body, i) => ({ id: `m${i}`, timestamp: new Date(), attempts, body }));
  const batch = createMessageBatch<HistoryMessage>("millrace-history", messages);
  await consumeHistory(batch, bindings);
  return await getQueueResult(batch, createExecutionContext());
}

const reportOf = (run: RunRow): HistoryMessage => ({ kind: "report", report: { run, events: [] } });

const figures = async () => {
  const reply = await worker.fetch(new Request("http://engine/v1/metrics/engine?range=30d"));
  // biome-ignore lint/suspicious/noExplicitAny: a reply is whatever the test says it is.
  return ((await reply.json()) as any).data;
};

beforeAll(() => ensureSchema(bindings.DB));

describe("OB-19: messages of the engine that were retried", () => {
  it("are counted once the report is written, and once only", async () => {
    const environmentId = freshEnvironment();
    const run = aRun(environmentId);
    await deliver(3, reportOf(run));
    expect(await counts(environmentId)).toMatchObject({ messages_retried: 2 });
    await deliver(4, reportOf(run));
    await deliver(1, reportOf({ ...run, repeats: 5 }));
    expect(await counts(environmentId)).toMatchObject({ messages_retried: 2 });
    await deliver(1, reportOf(aRun(environmentId)));
    expect(await counts(environmentId)).toMatchObject({ messages_retried: 2 });
    // The run itself sent it again, and the queue had to as well.
    await deliver(2, reportOf(aRun(environmentId, { repeats: 1 })));
    expect(await counts(environmentId)).toMatchObject({ messages_retried: 4 });
  });

  it("are those of the fan-out queue as well", async () => {
    const environmentId = freshEnvironment();
    const [chunk] = await chunksOf(["a", "b"]);
    const body = { environmentId, chunkId: chunk?.id ?? "", eventIds: ["a", "b"] };
    for (const again of [{}, { attempt: 1 }, { attempt: 2 }]) {
      const messages = [{ id: "m", timestamp: new Date(), attempts: 1, body: { ...body, ...again } }];
      await consumeFanout(createMessageBatch("millrace-fanout", messages), bindings);
    }
    expect(await counts(environmentId)).toMatchObject({ messages_retried: 2 });
  });
});

describe("OB-19: the engine's figures", () => {
  let hold: Promise<void> = Promise.resolve();
  let calls = 0;

  beforeAll(async () => {
    vi.stubGlobal("fetch", async (_url: string | URL | Request, init?: RequestInit) => {
      const call = await new Request("http://app", { ...init, method: "POST" }).json<{ steps: object }>();
      calls++;
      await hold;
      const headers = { "x-inngest-sdk": "inngest-js:v4.24.0", "x-inngest-req-version": "2" };
      const next = ["a", "b"].find((id) => !(id in call.steps));
      if (next === undefined) return Response.json("done", { headers });
      return Response.json([{ id: next, op: "StepRun", displayName: next, data: 1 }], { status: 206, headers });
    });
    await registerFunctions(bindings.DB, LOCAL.id, { steps: ["figures/go"] });
  });

  async function begin(): Promise<string> {
    const init = { method: "POST", body: JSON.stringify({ name: "figures/go" }) };
    const { ids } = await (await worker.fetch(new Request("http://engine/e/key", init))).json<{ ids: string[] }>();
    return await vi.waitFor(async () => {
      const { data } = await (await worker.fetch(`http://engine/v1/events/${ids[0]}/runs`)).json<{
        data: { run_id: string }[];
      }>();
      if (data[0] === undefined) throw new Error("no run yet");
      return data[0].run_id;
    }, PATIENCE);
  }

  it("a run of three calls has two that follow a step, and none that is late", async () => {
    const before = await figures();
    await begin();
    const after = await vi.waitFor(async () => {
      expect((await counts(LOCAL.id)).step_calls).toBe(2);
      return await figures();
    }, PATIENCE);
    expect(before.step_to_step_seconds).toBeNull();
    expect(after.step_to_step_seconds).toBeGreaterThanOrEqual(0);
    expect(after.step_to_step_seconds).toBeLessThan(PATIENCE / 1000);
    expect(after.lines.map(({ name }: { name: string }) => name)).toEqual(["event_to_first_call", "step_to_step"]);
    expect(after).toMatchObject({ late_timers: 0, messages_retried: 0, replies_discarded: 0 });
    expect(after.counts.map(({ name }: { name: string }) => name)).toEqual([
      "late_timers",
      "messages_retried",
      "replies_discarded",
    ]);
    const text = await (await worker.fetch("http://engine/metrics")).text();
    expect(text).toMatch(/millrace_step_to_step_seconds_count\{date="[\d-]+"\} 2\n/);
    expect(text).toMatch(/# TYPE millrace_replies_discarded_total counter\n/);
  });

  it("given a late reply, the discarded count rises by one", async () => {
    const before = await figures();
    let open = () => {};
    hold = new Promise((resolve) => {
      open = resolve;
    });
    const made = calls;
    const runId = await begin();
    await vi.waitFor(() => expect(calls).toBe(made + 1), PATIENCE);
    const run = <Answer>(question: Parameters<typeof askRun<Answer>>[3]) => askRun(bindings, LOCAL.id, runId, question);
    expect(await run((one) => one.cancel({ by: "api" }))).toBe("cancelling");
    open();
    await vi.waitFor(
      async () => expect((await figures()).replies_discarded).toBe(before.replies_discarded + 1),
      PATIENCE,
    );
    expect((await run((one) => one.view()))?.row.status).toBe("cancelled");
  });
});
