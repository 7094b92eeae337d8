/**
 * Going on from the results of another run (CR-26): which of its results are taken over, and how they enter the new one. Pure.
 * Guarantees that the original is not changed, and that what was taken over stays what it was while the original goes on.
 */
import type { Json } from "../../json.ts";
import { RERUN } from "../../limits.ts";
import type { StepLabel } from "../../protocol/opcodes.ts";
import type { Change } from "./change.ts";
import type { RunIdentity } from "./identity.ts";
import type { RunState } from "./state.ts";
import { jsonBytes } from "./turn.ts";

/** What a run that is to be run again says of itself. */
export interface Origin {
  readonly identity: RunIdentity;
  /** Where the new run begins, when a step was named that this one knows. */
  readonly cut: Cut | null;
}

/** The place of a step among the results of its run. */
export interface Cut {
  /** Hashed id. */
  readonly stepId: string;
  readonly label: StepLabel;
  /** Results that came before it; all there are while it has none of its own. */
  readonly results: number;
}

/** A result on its way from one run to another. */
export interface CopiedStep {
  readonly id: string;
  readonly label: StepLabel;
  readonly race: boolean;
  readonly memo: Json;
  /** When it came, ms since 1970. */
  readonly at: number;
}

/** The run as the origin of another one. `names` are the ids that the wanted step may have, the likeliest first; none: no step is wanted. */
export function originOf(state: RunState, names: readonly string[]): Origin {
  const { identity, steps, stack } = state;
  const stepId = names.find((name) => steps.has(name));
  const step = stepId === undefined ? undefined : steps.get(stepId);
  if (stepId === undefined || step === undefined) return { identity, cut: null };
  const place = stack.indexOf(stepId);
  return { identity, cut: { stepId, label: step.label, results: place === -1 ? stack.length : place } };
}

/** The results from place `from` of the stack up to `to`, as many as fit one answer; none only when there are none. */
export function copiesOf({ stack, steps }: RunState, from: number, to: number): CopiedStep[] {
  const copies: CopiedStep[] = [];
  let bytes = 0;
  for (const id of stack.slice(from, to)) {
    const step = steps.get(id);
    if (step?.status !== "finished") break;
    const { label, race, memo, endedAt } = step;
    bytes += jsonBytes(memo);
    if (bytes > RERUN.pageBytes && copies.length > 0) break;
    copies.push({ id, label, race, memo, at: endedAt });
  }
  return copies;
}

/** The facts by which results enter their new run. No job announced them: jobs count from 1. */
export function takeOver(copies: readonly CopiedStep[]): Change[] {
  return copies.map((copy) => ({ is: "finished", group: 0, bytes: jsonBytes(copy.memo), ...copy }));
}

/** Bytes that a run is born with: its events, the results it takes over, and the input that was edited (EX-14). */
export function bytesAtBirth({ events, fork }: RunIdentity, copies: readonly CopiedStep[]): number {
  const born = events.reduce((sum, { event }) => sum + jsonBytes(event.payload), editBytes(fork?.edit?.input));
  return copies.reduce((sum, { memo }) => sum + jsonBytes(memo), born);
}

function editBytes(input: readonly Json[] | undefined): number {
  return input === undefined ? 0 : jsonBytes([...input]);
}
