/**
 * Options that exclude each other (AP-15, FC-40). Owns the one list of forbidden pairs; everything else may be combined.
 */
import type { FunctionConfiguration } from "../function.ts";
import type { Report } from "./rules.ts";

const NOT_WITH_BATCHING: readonly (readonly [option: string, used: (c: FunctionConfiguration) => boolean])[] = [
  ["debounce", (configuration) => configuration.debounce !== null],
  ["singleton", (configuration) => configuration.singleton !== null],
  ["priority", (configuration) => configuration.priority !== null],
  ["rateLimit", (configuration) => configuration.rateLimit !== null],
  ["idempotency", (configuration) => configuration.idempotency !== null],
  ["cancelOn", (configuration) => configuration.cancel.length > 0],
];

/** Reports every forbidden pair of one function, naming both options. */
export function checkCombinations(configuration: FunctionConfiguration, report: Report): void {
  if (configuration.batchEvents === null) return;
  for (const [option, used] of NOT_WITH_BATCHING) {
    if (used(configuration)) report("batchEvents", `cannot be combined with ${option}`, "combo_unsupported");
  }
}
