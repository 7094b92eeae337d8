/**
 * Metadata of a run and its steps (EX-72). Pure. Owns the limits, and what `set`, `merge` and `delete` make of what was there.
 */
import type { Json, JsonObject } from "../../json.ts";
import { RUN } from "../../limits.ts";
import type { MetadataChange } from "../../protocol/metadata.ts";
import type { RunState } from "./state.ts";
import { jsonBytes, record, type Turn } from "./turn.ts";

/** True when all of the changes fit beside what the run has. */
export function isWithinMetadata(state: RunState, changes: readonly MetadataChange[]): boolean {
  let bytes = state.metadataBytes;
  return changes.every(({ values }) => {
    const added = jsonBytes(values);
    bytes += added;
    return added <= RUN.metadata.entryBytes && bytes <= RUN.metadata.runBytes;
  });
}

/** Records changes of metadata; one beyond the limits is left out. */
export function annotate(turn: Turn, changes: readonly MetadataChange[]): void {
  for (const change of changes) {
    if (isWithinMetadata(turn.state, [change]))
      record(turn, { is: "annotated", change, bytes: jsonBytes(change.values) });
  }
}

/** What the changes so far add up to: one entry per target and kind, in the order of their first change. */
export function metadataOf(state: RunState): JsonObject[] {
  const entries = new Map<string, { step_id: string | null; kind: string; values: Record<string, Json> }>();
  for (const { stepId, kind, op, values } of state.metadata) {
    const key = `${stepId ?? ""} ${kind}`;
    const entry = entries.get(key) ?? { step_id: stepId, kind, values: {} };
    if (op === "set") entry.values = { ...values };
    else if (op === "merge") Object.assign(entry.values, values);
    else for (const name of Object.keys(values)) delete entry.values[name];
    entries.set(key, entry);
  }
  return [...entries.values()];
}
