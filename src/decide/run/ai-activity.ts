/**
 * Calls of models that a run made, as its activity counts them (OB-12): by model, whether the engine made the request or the app wrapped its
 * own. Pure. Guarantees that a run tells a bounded number of models apart, of bounded names.
 */
import type { JsonObject } from "../../json.ts";
import { METRICS } from "../../limits.ts";
import type { Op } from "../../protocol/opcodes.ts";
import { AI_KIND, aiFacts } from "../../traces/ai.ts";
import type { FinishDetails } from "./change.ts";
import type { RunState } from "./state.ts";

/** Calls of one model. Empty name: nobody says which. */
export interface ModelCalls {
  readonly model: string;
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** ms, of all of them. */
  readonly latency: number;
}

/** One call, as far as it is known. */
export interface ModelCall {
  readonly model: string | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  /** ms. */
  readonly latency: number | null;
}

/** One call as counts. What an app reports may be any number. */
export function oneCall({ model, inputTokens, outputTokens, latency }: ModelCall): ModelCalls {
  return {
    model: (model ?? "").slice(0, METRICS.models.length),
    calls: 1,
    inputTokens: whole(inputTokens),
    outputTokens: whole(outputTokens),
    latency: whole(latency),
  };
}

/** What comes of calls and one more; when there are too many models, it counts for the last of them. */
export function withCalls(before: readonly ModelCalls[], more: ModelCalls): readonly ModelCalls[] {
  const known = before.findIndex(({ model }) => model === more.model);
  const at = known < 0 && before.length >= METRICS.models.count ? before.length - 1 : known;
  const one = before[at];
  if (one === undefined) return [...before, more];
  const sum: ModelCalls = {
    model: one.model,
    calls: one.calls + more.calls,
    inputTokens: one.inputTokens + more.inputTokens,
    outputTokens: one.outputTokens + more.outputTokens,
    latency: one.latency + more.latency,
  };
  return before.map((each) => (each === one ? sum : each));
}

/** What a step that wrapped a call says about it, reported by job `id` at `now` (ms); nothing for any other step. */
export function wrappedCall(
  { jobs, stack, steps }: Pick<RunState, "jobs" | "stack" | "steps">,
  { label, input, data, metadata }: Extract<Op, { op: "run" }>,
  id: number,
  now: number,
): Pick<FinishDetails, "ai"> {
  if (label.type !== "step.ai.wrap") return {};
  const notes = metadata.filter(({ kind }) => kind === AI_KIND);
  const noted: JsonObject = Object.fromEntries(notes.flatMap(({ values }) => Object.entries(values)));
  // Of several steps in one call each begins where the one before it ended.
  const last = steps.get(stack.at(-1) ?? "");
  const began = Math.max(jobs.get(id)?.due ?? now, last?.status === "finished" ? last.endedAt : 0);
  const took = Math.max(0, now - began);
  const { model, inputTokens, outputTokens, latency } = aiFacts({
    call: null,
    input,
    result: data,
    took,
    noted,
  });
  return { ai: { model, inputTokens, outputTokens, latency } };
}

function whole(count: number | null): number {
  return count === null || !Number.isFinite(count) || count < 0 ? 0 : Math.min(Math.round(count), METRICS.models.most);
}
