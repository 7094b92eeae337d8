/**
 * What validation has to say: refusals and warnings, and the sentences they become (AP-14, AP-16).
 * Owns the wording that names function, option and rule.
 */
import { MillraceError } from "../errors.ts";
import type { Violation } from "../protocol/registration-function.ts";

/** Something questionable that does not refuse the registration; stored with the sync. */
export interface Warning {
  /** Slug of the function. */
  readonly functionId: string;
  readonly option: string;
  readonly message: string;
}

/** `Function "shop-import", batchEvents.maxSize: must be between 2 and 100, not 1.` */
export function sentenceOf(violation: Violation): string {
  const subject = violation.functionId === null ? "App" : `Function "${violation.functionId}"`;
  return `${subject}, ${violation.option}: ${violation.rule}.`;
}

/** One error for a whole registration: the first violation's code, and a sentence for each. */
export function refusalOf(violations: readonly [Violation, ...Violation[]]): MillraceError {
  return new MillraceError(violations[0].code, violations.map(sentenceOf).join(" "));
}

/** True for a list with at least one violation. */
export function hasViolations(violations: readonly Violation[]): violations is readonly [Violation, ...Violation[]] {
  return violations.length > 0;
}
