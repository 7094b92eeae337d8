import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ModelCalls, oneCall, withCalls, wrappedCall } from "../../../../src/decide/run/ai-activity.ts";
import type { Change, Decision } from "../../../../src/decide/run/change.ts";
import { replay } from "../../../../src/decide/run/evolve.ts";
import type { Json } from "../../../../src/json.ts";
import { METRICS } from "../../../../src/limits.ts";
import type { Op } from "../../../../src/protocol/opcodes.ts";
import { identity, TestRun } from "./run.ts";

const T = 1_735_689_600_000;
const call = (model: string | null, inputTokens: number | null = 1, outputTokens: number | null = 2, latency = 10) =>
  oneCall({ model, inputTokens, outputTokens, latency });

type RunOp = Extract<Op, { op: "run" }>;
const wrapped = (result: Json, over: Partial<RunOp> = {}): RunOp => ({
  op: "run",
  id: "w",
  label: { name: "ask", type: "step.ai.wrap" } as never,
  race: false,
  data: result,
  metadata: [],
  ...over,
});

describe("OB-12: calls of models", () => {
  it("add up by model, however many there are", () => {
    const names = fc.array(fc.constantFrom("a", "b", "c", null), { maxLength: 40 });
    fc.assert(
      fc.property(names, (models) => {
        const sums = models.map((model) => call(model)).reduce<readonly ModelCalls[]>(withCalls, []);
        for (const { model, calls, inputTokens, outputTokens, latency } of sums) {
          expect(calls).toBe(models.filter((one) => (one ?? "") === model).length);
          expect([inputTokens, outputTokens, latency]).toEqual([calls, 2 * calls, 10 * calls]);
        }
        expect(new Set(sums.map(({ model }) => model)).size).toBe(sums.length);
      }),
    );
  });

  it("are told apart up to a limit, and none is lost beyond it", () => {
    const many = Array.from({ length: 3 * METRICS.models.count }, (_, i) => call(`model-${i}`));
    const sums = many.reduce<readonly ModelCalls[]>(withCalls, []);
    expect(sums).toHaveLength(METRICS.models.count);
    expect(sums.reduce((sum, { calls }) => sum + calls, 0)).toBe(many.length);
    expect(call("m".repeat(1000)).model).toHaveLength(METRICS.models.length);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -5, null])("take %s for no number of tokens", (tokens) => {
    expect(call("m", tokens, tokens)).toMatchObject({ calls: 1, inputTokens: 0, outputTokens: 0 });
  });

  it("of the engine's own requests are counted with their answers, also failed ones", () => {
    const request = { via: "ai", url: "https://api.openai.com/", format: "openai" } as const;
    const asked = (at: number, model: string | null, tokens: number | null): [number, Change[]] => {
      const record = { ...request, model, inputTokens: tokens, outputTokens: tokens };
      return [at, [{ is: "called", job: 2, began: T + at - 30, request: record }]];
    };
    const log: Decision[] = [
      { at: T, changes: [{ is: "created", identity: identity(), bytes: 2 }] },
      ...[asked(100, "gpt", 7), asked(200, "gpt", null), asked(300, null, 1)].map(([at, changes]) => {
        return { at: T + at, changes };
      }),
    ];
    expect(replay(log)?.activity).toMatchObject([
      {
        scheduled: 0,
        ai: [
          { model: "gpt", calls: 2, inputTokens: 7, outputTokens: 7, latency: 60 },
          { model: "", calls: 1, inputTokens: 1, outputTokens: 1, latency: 30 },
        ],
      },
    ]);
  });

  it("that a step wrapped are what its result gives away, and what its SDK noted beats that", () => {
    const { state } = new TestRun();
    const job = [...state.jobs.values()][0];
    const now = (job?.due ?? 0) + 250;
    const result = { model: "claude", usage: { prompt_tokens: 3, completion_tokens: 4 } };
    const of = (op: RunOp) => wrappedCall(state, op, job?.id ?? 0, now).ai;
    expect(of(wrapped(result))).toEqual({ model: "claude", inputTokens: 3, outputTokens: 4, latency: 250 });
    const values = { response_model: "claude-2", input_tokens: 30, latency_ms: 9 };
    const metadata = [{ stepId: "w", kind: "inngest.ai", op: "merge", values }] as const;
    expect(of(wrapped(result, { metadata }))).toEqual({
      model: "claude-2",
      inputTokens: 30,
      outputTokens: 4,
      latency: 9,
    });
    expect(of(wrapped("a text"))).toEqual({ model: null, inputTokens: null, outputTokens: null, latency: 250 });
    expect(of(wrapped(result, { label: { name: "s", type: null } as never }))).toBeUndefined();
  });

  it("that a step wrapped count in the minute in which it ended, once", () => {
    const run = new TestRun();
    const ops = [wrapped({ model: "claude", usage: { prompt_tokens: 3, completion_tokens: 4 } })];
    run.reply({ kind: "ops", ops, version: 2 } as never);
    expect(run.state.activity).toMatchObject([
      { ai: [{ model: "claude", calls: 1, inputTokens: 3, outputTokens: 4 }] },
    ]);
    expect(replay(run.log)?.activity).toEqual(run.state.activity);
  });
});
