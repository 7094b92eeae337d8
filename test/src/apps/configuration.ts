/**
 * The configuration of a function that asks for nothing, for tests that only care about some of its options.
 */
import type { FunctionConfiguration } from "../../../src/apps/function.ts";

/** These options, and no others. */
export function configurationWith(options: Partial<FunctionConfiguration> = {}): FunctionConfiguration {
  return {
    triggers: [],
    url: "http://app.test/api/inngest",
    retries: 4,
    concurrency: [],
    runConcurrency: [],
    throttle: null,
    rateLimit: null,
    idempotency: null,
    debounce: null,
    batchEvents: null,
    singleton: null,
    priority: null,
    timeouts: null,
    cancel: [],
    ...options,
  };
}
