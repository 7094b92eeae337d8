/**
 * The execution call: how it looks, which one follows which, and where a run's limits are.
 */
import { runTable } from "../case.ts";
import { ATTEMPTS } from "./attempts.ts";
import { ENDS } from "./ends.ts";
import { LIMITS, MAX_STEPS } from "./limits.ts";
import { REQUEST } from "./request.ts";
import { SEQUENCE } from "./sequence.ts";
import { SLEEPS } from "./sleeps.ts";

runTable("calls", [...REQUEST, ...SEQUENCE, ...ATTEMPTS, ...SLEEPS, ...ENDS, ...LIMITS], {
  bindings: { MILLRACE_MAX_STEPS: String(MAX_STEPS) },
  waitMs: 30_000,
});
