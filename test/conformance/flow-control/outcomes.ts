/**
 * What tests of gates read of an event: what each function did with it.
 */
import * as z from "zod";
import type { TestEngine } from "../harness/engine.ts";

const outcomesSchema = z.array(
  z.looseObject({
    function_slug: z.string(),
    outcome: z.string(),
    reason: z.string().nullable(),
    run_id: z.string().nullable(),
    warnings: z.array(z.object({ option: z.string(), reason: z.string() })).default([]),
  }),
);

/** The outcomes of an event, once they are known (EV-12). */
export async function outcomesOf(engine: TestEngine, eventId: string) {
  return await engine.until(async () => {
    const { outcomes } = await engine.event(eventId);
    const known = outcomesSchema.parse(outcomes);
    return known.length > 0 && known;
  });
}

/** `outcome`, or `skipped: reason`, of an event that one function considered. */
export async function verdictOn(engine: TestEngine, eventId: string): Promise<string> {
  const [outcome] = await outcomesOf(engine, eventId);
  return outcome?.reason == null ? (outcome?.outcome ?? "nothing") : `${outcome.outcome}: ${outcome.reason}`;
}
