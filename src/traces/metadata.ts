/**
 * Metadata in a trace (EX-72): what the changes of each kind add up to, for the run and for each of its steps. Pure.
 */
import type { Json } from "../json.ts";
import type { RunRecord } from "./records.ts";
import type { SpanMetadata } from "./span.ts";

/** By step id; null is the run's own. */
export function metadataByStep({ metadata }: RunRecord): ReadonlyMap<string | null, readonly SpanMetadata[]> {
  const byStep = new Map<string | null, Map<string, SpanMetadata>>();
  for (const { change, at } of metadata) {
    const kinds = byStep.get(change.stepId) ?? new Map<string, SpanMetadata>();
    byStep.set(change.stepId, kinds);
    const before = kinds.get(change.kind)?.values ?? {};
    const values = applied(before, change);
    const scope = change.stepId === null ? "run" : "step";
    kinds.set(change.kind, { scope, kind: change.kind, values, updatedAt: at });
  }
  return new Map([...byStep].map(([stepId, kinds]) => [stepId, [...kinds.values()]]));
}

function applied(
  before: Readonly<Record<string, Json>>,
  { op, values }: RunRecord["metadata"][number]["change"],
): Record<string, Json> {
  switch (op) {
    case "set":
      return { ...values };
    case "merge":
      return { ...before, ...values };
    case "delete":
      return Object.fromEntries(Object.entries(before).filter(([name]) => !(name in values)));
  }
}
