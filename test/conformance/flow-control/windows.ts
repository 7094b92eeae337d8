/**
 * What the scenarios of batches and debounce windows ask the engine: open windows, and what became of events.
 */
import * as z from "zod";
import type { TestEngine } from "../harness/engine.ts";

const windowSchema = z.object({
  kind: z.enum(["batch", "debounce"]),
  key: z.string(),
  run_id: z.string(),
  events: z.number(),
  bytes: z.number(),
  opened_at: z.iso.datetime(),
  closes_at: z.iso.datetime(),
});

/** The open windows of a function. */
export async function windowsOf(engine: TestEngine, slug: string): Promise<z.infer<typeof windowSchema>[]> {
  const { json, status, text } = await engine.api("GET", `/v1/functions/${slug}/windows`);
  if (status !== 200) throw new Error(`The windows of ${slug} are not shown: ${status} ${text}`);
  return z.object({ data: z.object({ windows: z.array(windowSchema) }) }).parse(json).data.windows;
}

const outcomeSchema = z.looseObject({
  function_slug: z.string(),
  outcome: z.string(),
  reason: z.string().nullable(),
  run_id: z.string().nullable(),
});

/** What became of an event at each function (EV-12). */
export async function outcomesOf(engine: TestEngine, eventId: string): Promise<z.infer<typeof outcomeSchema>[]> {
  const { outcomes } = await engine.event(eventId);
  return z.array(outcomeSchema).parse(outcomes);
}
