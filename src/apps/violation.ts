/**
 * What validation has to say: refusals and warnings, and the sentences they become (AP-14, AP-16).
 * Owns the wording that names function, option and rule.
 */
import { MillraceError } from "../errors.ts";
import { REGISTRATION } from "../limits.ts";
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

/** One error for a whole registration: the first violation's code, and a sentence for each, as far as a person reads them. */
export function refusalOf(violations: readonly [Violation, ...Violation[]]): MillraceError {
  const { violations: most, sentenceLength } = REGISTRATION.refusal;
  const sentences = violations.slice(0, most).map((violation) => clipped(sentenceOf(violation), sentenceLength));
  const more = violations.length - sentences.length;
  if (more > 0) sentences.push(`And ${more} more.`);
  return new MillraceError(violations[0].code, sentences.join(" "));
}

function clipped(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}

/** True for a list with at least one violation. */
export function hasViolations(violations: readonly Violation[]): violations is readonly [Violation, ...Violation[]] {
  return violations.length > 0;
}
