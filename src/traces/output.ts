/**
 * The output behind a span, whole (OB-11): what a step, an attempt or the run gave, and what it was given. Pure.
 */
import type { Json } from "../json.ts";
import type { Keeps, RunRecord } from "./records.ts";
import { ROOT } from "./step-span.ts";
import { FINALIZATION } from "./trace.ts";

/** An output as it is loaded. Exactly one of `data` and `error` counts: `ok` says which. */
export interface LoadedOutput {
  readonly ok: boolean;
  /** The result, or the error object. */
  readonly value: Json;
  readonly input: Json | null;
}

/** The output with this id, as a span names it; null when there is none. The log was folded with {@link keepsFor}. */
export function outputNamed(run: RunRecord, id: string): LoadedOutput | null {
  const { outcome } = run;
  if (id === ROOT || id === FINALIZATION) {
    if (outcome === null) return null;
    const input = run.identity.events[0]?.event.payload ?? null;
    return { ok: outcome.status === "completed", value: outcome.output, input };
  }
  const step = run.steps.get(id);
  if (step !== undefined) {
    const { finished } = step;
    return finished === null
      ? null
      : { ok: finished.ok, value: finished.result.value ?? null, input: inputOf(run, id) };
  }
  const number = id.slice(id.lastIndexOf(".") + 1);
  return /^\d+$/.test(number) ? attemptOutput(run, ownerOf(id), Number(number)) : null;
}

function attemptOutput(run: RunRecord, owner: string, number: number): LoadedOutput | null {
  const job = /^job-(\d+)$/.exec(owner)?.[1];
  const failures = owner === FINALIZATION ? run.outcome?.job?.failures : job && run.jobs.get(Number(job))?.failures;
  const attempts = run.steps.get(owner)?.attempts ?? (failures || []);
  const attempt = attempts[number];
  // The last attempt gave what its owner gave.
  if (attempt === undefined)
    return owner === FINALIZATION && number === attempts.length ? outputNamed(run, owner) : null;
  if (attempt.error === null) return outputNamed(run, owner);
  return { ok: false, value: attempt.error.value ?? null, input: run.steps.has(owner) ? inputOf(run, owner) : null };
}

function inputOf(run: RunRecord, stepId: string): Json | null {
  const step = run.steps.get(stepId);
  const request = step?.attempts.at(-1)?.call?.request;
  const prompt = request?.via === "ai" ? request.prompt : undefined;
  const { announced } = step ?? {};
  const invoked = announced?.is === "waiting" && announced.on.kind === "invoke" ? announced.on.data.value : undefined;
  return step?.finished?.input?.value ?? prompt ?? invoked ?? null;
}

/** What has to be kept of the log to load this output: what belongs to its owner. */
export function keepsFor(id: string): Keeps {
  const owner = ownerOf(id);
  return (step) => step === null || step === id || step === owner;
}

/** Of `<owner>.<attempt>` the owner. */
function ownerOf(id: string): string {
  return id.slice(0, Math.max(0, id.lastIndexOf(".")));
}
