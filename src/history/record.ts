/**
 * Writes to D1 what publishing hands back because nobody else reports it: events that started no run, and entries for skipped runs.
 * Guarantees that it is all written or nothing, and that writing it again changes nothing.
 */
import type { Bindings } from "../bindings.ts";
import { countD1 } from "../counters.ts";
import type { Published } from "../events/publish.ts";
import { projectionStatements } from "./projection.ts";
import { ensureSchema } from "./schema.ts";

/** Resolves when everything is in D1. `routed: false` marks events whose fan-out is still to come. */
export async function record(
  bindings: Bindings,
  environmentId: string,
  { unreported, skipped }: Pick<Published, "unreported" | "skipped">,
  { routed } = { routed: true },
): Promise<void> {
  if (unreported.length === 0 && skipped.length === 0) return;
  await ensureSchema(bindings.DB);
  const entries = unreported.map((stored) => ({ environmentId, stored, routed }));
  const statements = projectionStatements(bindings.DB, entries, skipped);
  for (const { meta } of await bindings.DB.batch(statements)) countD1(meta);
}
