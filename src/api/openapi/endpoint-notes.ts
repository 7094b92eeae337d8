/**
 * What the routes of endpoints (EX-68 … EX-70) note about themselves; they exist under two prefixes.
 */
import * as z from "zod";
import { one } from "../v1/reply.ts";

const begun = z.object({
  fn_id: z.string(),
  app_id: z.string(),
  run_id: z.string(),
  token: z.string().optional(),
  realtime_token: z.string(),
});

const body = z.looseObject({});

/** The notes under one prefix; `name` is the end of their ids. */
export function endpointNotes(name: string) {
  const running = z.object({ data: z.object({ run_id: z.string(), status: z.literal("running") }) });
  return {
    begin: {
      id: `begin${name}`,
      summary: "Begins a run in the app's own HTTP handler.",
      body,
      answers: { 200: one(begun) },
    },
    steps: {
      id: `continue${name}`,
      summary: "Steps of a run in the app's own HTTP handler.",
      body,
      answers: { 200: one(z.object({ run_id: z.string() })) },
    },
    output: {
      id: `resultOf${name}`,
      summary: "The handler's own answer, with a token, by any method.",
      query: z.object({ token: z.string() }),
      answers: { 200: { media: "*/*" }, 202: running },
      open: true,
    },
  } as const;
}
