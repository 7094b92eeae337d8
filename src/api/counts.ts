/**
 * `GET /dev/counts`: what this isolate has cost so far, for the benchmark and the test that guards the budget of a run.
 * Dev mode only; reveals counts, no content.
 */
import { Hono } from "hono";
import { counters } from "../counters.ts";
import { MillraceError } from "../errors.ts";
import type { Api } from "./api.ts";

/** The route. Queue operations are three per message: write, read and delete. */
export const counts = new Hono<Api>();

counts.get("/dev/counts", (context) => {
  if (context.get("settings").mode !== "dev")
    throw new MillraceError("not_found", "This route exists in dev mode only.");
  const { queueMessages, ...others } = counters;
  return context.json({ ...others, queueOperations: queueMessages * 3 });
});
