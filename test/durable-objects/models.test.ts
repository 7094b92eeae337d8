import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { ModelCalls } from "../../src/decide/run/ai-activity.ts";
import { LOCAL } from "../../src/environments/environment.ts";
import type { RunRow } from "../../src/history/message.ts";
import { projectionStatements } from "../../src/history/projection.ts";
import { ensureSchema } from "../../src/history/schema.ts";
import { METRICS } from "../../src/limits.ts";
import { expireModels, sumsByModel } from "../../src/metrics/models.ts";
import { aRun, bindings, freshEnvironment } from "./records.ts";

// The Worker itself; the plugin types exports only for projects that generate their types.
const worker = (exports as unknown as { default: Fetcher }).default;

const db = bindings.DB;
/** A minute's beginning. */
const T = Math.floor(Date.now() / METRICS.bucket) * METRICS.bucket;
const MINUTE = T / METRICS.bucket;
const EVER = { from: T - METRICS.retention, until: T + METRICS.retention, appId: null, functionId: null };

const of = (model: string, calls: number): ModelCalls => {
  return { model, calls, inputTokens: 10 * calls, outputTokens: calls, latency: 500 * calls };
};

/** What a run has done: calls of models, by the minute before this one. */
const activity = (...minutes: readonly (readonly ModelCalls[])[]) =>
  minutes.map((ai, i) => {
    const none = { scheduled: 0, succeeded: 0, errored: 0, failed: 0, bytes: 0, steps: 0, busy: 0 };
    return { ...none, minute: MINUTE - minutes.length + 1 + i, ...(ai.length === 0 ? {} : { ai }) };
  });

/** Writes reports as the consumer does; answers the rows that were written. */
async function record(...runs: readonly RunRow[]): Promise<number> {
  const results = await db.batch(projectionStatements(db, [], runs));
  return results.reduce((sum, { meta }) => sum + meta.rows_written, 0);
}

const sums = async (environmentId: string) =>
  (await sumsByModel(db, environmentId, EVER)).map(({ model, calls, input_tokens, output_tokens, latency }) => {
    return [model, calls, input_tokens, output_tokens, latency];
  });

describe("OB-12: calls of models", () => {
  beforeAll(() => ensureSchema(db));

  it("cost a run without any nothing, and all runs of a batch one row", async () => {
    const environmentId = freshEnvironment();
    const at = { queuedAt: T, startedAt: T + 1, endedAt: T + 2, eventIds: [] };
    const silent = await record(aRun(environmentId, { ...at, activity: activity([]) }));
    expect(silent).toBe(await record(aRun(environmentId, at)));
    expect(await record(aRun(environmentId, { ...at, activity: activity([of("gpt", 1)]) }))).toBe(silent + 1);
    const many = Array.from({ length: 50 }, () => aRun(environmentId, { ...at, activity: activity([of("gpt", 2)]) }));
    expect(await record(...many)).toBe(50 * (silent - 1) + 2);
    expect(await sums(environmentId)).toEqual([["gpt", 101, 1010, 101, 50_500]]);
  });

  it("count once, however often and in whatever order reports of a run arrive", async () => {
    const base = (environmentId: string) => aRun(environmentId, { status: "running", endedAt: null, sequence: 2 });
    for (const order of [[0, 1, 2], [2, 0, 1], [2, 1, 0], [1, 1, 2, 2], [2], [0, 2]]) {
      const environmentId = freshEnvironment();
      const run = base(environmentId);
      const rows: RunRow[] = [
        { ...run, activity: activity([of("gpt", 1)]) },
        { ...run, sequence: 5, activity: activity([of("gpt", 3), of('cl"au.de $', 1)]) },
        {
          ...run,
          sequence: 9,
          status: "completed",
          endedAt: T,
          activity: activity([of("gpt", 3), of('cl"au.de $', 1)], [of("gpt", 4)]).map((one, i) => {
            return { ...one, minute: MINUTE + i };
          }),
        },
      ];
      for (const index of order) await record(...rows.slice(index, index + 1));
      expect(await sums(environmentId), `order ${order}`).toEqual([
        ['cl"au.de $', 1, 10, 1, 500],
        ["gpt", 7, 70, 7, 3500],
      ]);
    }
  });

  it("are shown by function and model, and go when their time is over", async () => {
    const functionId = crypto.randomUUID();
    const fn = { functionId, functionSlug: "shop-writer", appId: "app-of-models" };
    await record(aRun(LOCAL.id, { ...fn, activity: activity([of("gpt", 2)], [of("gpt", 1), of("", 1)]) }));
    await record(aRun(LOCAL.id, { functionId: crypto.randomUUID(), activity: activity([of("gpt", 100)]) }));
    const figures = async (query: string) => {
      const reply = await worker.fetch(`http://engine/v1/metrics/ai?${query}`);
      return (await reply.json<{ data: { total: object; models: object[] } }>()).data;
    };
    const row = { function_id: functionId, function_slug: "shop-writer", app_id: "app-of-models" };
    expect(await figures(`function_id=${functionId}&range=1h`)).toEqual({
      total: { calls: 4, input_tokens: 40, output_tokens: 4 },
      models: [
        { ...row, model: null, calls: 1, input_tokens: 10, output_tokens: 1, latency_seconds: 0.5 },
        { ...row, model: "gpt", calls: 3, input_tokens: 30, output_tokens: 3, latency_seconds: 0.5 },
      ],
    });
    expect((await figures("app_id=app-of-models")).models).toHaveLength(2);
    expect((await figures("")).total).toMatchObject({ calls: 104 });
    const from = new Date(T).toISOString();
    expect((await figures(`function_id=${functionId}&from=${from}`)).total).toMatchObject({ calls: 2 });
    await expireModels(db, LOCAL.id, T).run();
    expect((await figures(`function_id=${functionId}`)).total).toMatchObject({ calls: 2 });
  });
});
