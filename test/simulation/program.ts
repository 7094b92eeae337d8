/**
 * What a function of a simulated app is: a list of parts, and how an SDK of protocol 2 goes through them when it is entered with a memo.
 * Pure. Owns what the function's code does with a failed step: it ends the function unless the part catches it.
 */
import type { Json } from "../../src/json.ts";
import type { Op } from "../../src/protocol/opcodes.ts";

/** What every step has. `caught`: the function goes on when the step fails for good. */
interface StepPart {
  readonly id: string;
  readonly caught?: boolean;
}

/** A step whose body takes `ms`; its first `fails` executions fail. `sends`: an event that it sends at the end of its body. */
export type RunPart = StepPart & {
  readonly kind: "run";
  readonly ms: number;
  readonly fails?: number;
  readonly sends?: string;
};

/** Anything that is one step. Times are ms. `keyed` waits want events with the trigger's `data.key`. */
export type SinglePart =
  | RunPart
  | (StepPart & { readonly kind: "sleep"; readonly ms: number })
  | (StepPart & { readonly kind: "wait"; readonly event: string; readonly keyed: boolean; readonly ms: number })
  | (StepPart & { readonly kind: "signal"; readonly signal: string; readonly ms: number })
  | (StepPart & { readonly kind: "invoke"; readonly function: string; readonly ms: number });

/**
 * A part of a function. Steps of one `parallel` are announced together, those of a `race` too, but one of them is enough to go on; a `throw` is
 * code between steps that fails so often.
 */
export type Part =
  | SinglePart
  | { readonly kind: "parallel" | "race"; readonly steps: readonly SinglePart[] }
  | { readonly kind: "throw"; readonly id: string; readonly fails: number };

/** Where the function gets to: a body to execute, operations to report, its end, or an error. */
export type Reached =
  | { readonly at: "body"; readonly part: RunPart }
  | { readonly at: "ops"; readonly ops: readonly Op[] }
  | { readonly at: "throw"; readonly id: string }
  | { readonly at: "failed"; readonly id: string }
  | { readonly at: "end" };

/** What a call asks for: one planned step, or (null) whatever comes next, which it may only have to plan. */
export interface Entry {
  readonly stepId: string | null;
  readonly planning: boolean;
  /** How often the code of this id has failed. */
  readonly failures: (id: string) => number;
}

/** Goes through the function up to what its memo does not hold. */
export function enter(parts: readonly Part[], memo: ReadonlyMap<string, Json>, entry: Entry): Reached {
  for (const part of parts) {
    if (part.kind === "throw") {
      if (entry.failures(part.id) < part.fails) return { at: "throw", id: part.id };
      continue;
    }
    const isRace = part.kind === "race";
    const steps = "steps" in part ? part.steps : [part];
    const open = steps.filter(({ id }) => !memo.has(id));
    const target = open.find(({ id }) => id === entry.stepId);
    if (target?.kind === "run") return { at: "body", part: target };
    if (isRace && open.length < steps.length) continue;
    const [first] = open;
    if (part.kind === "run" && first !== undefined && entry.stepId === null && !entry.planning)
      return { at: "body", part };
    if (first !== undefined) return { at: "ops", ops: open.map((one) => ({ ...announced(one), race: isRace })) };
    const failed = steps.find(({ id, caught }) => caught !== true && isError(memo.get(id)));
    if (failed !== undefined) return { at: "failed", id: failed.id };
  }
  return { at: "end" };
}

/** The steps of a function, those inside groups included. */
export function stepsOf(parts: readonly Part[]): SinglePart[] {
  return parts.flatMap((part) => ("steps" in part ? part.steps : part.kind === "throw" ? [] : [part]));
}

function announced(part: SinglePart): Exclude<Op, { op: "none" }> {
  const step = stepOf(part.id);
  switch (part.kind) {
    case "run":
      return { op: "planned", ...step };
    case "sleep":
      return { op: "sleep", until: `${part.ms}ms`, ...step };
    case "wait": {
      const condition = part.keyed ? "event.data.key == async.data.key" : null;
      return { op: "wait", event: part.event, condition, until: `${part.ms}ms`, ...step };
    }
    case "signal":
      return { op: "signal", signal: part.signal, conflict: "replace", until: `${part.ms}ms`, ...step };
    case "invoke":
      return { op: "invoke", functionId: part.function, payload: {}, until: `${part.ms}ms`, ...step };
  }
}

/** What every operation says of its step. */
export function stepOf(id: string) {
  return { id, label: { name: id, type: null }, race: false, metadata: [] };
}

function isError(memo: Json | undefined): boolean {
  return typeof memo === "object" && memo !== null && !Array.isArray(memo) && "error" in memo;
}
