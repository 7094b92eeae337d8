/**
 * What the rule files share: how a rule reports, and the checks that several options need. Owns no rule of its own.
 */
import type { ErrorCode } from "../../errors.ts";

/** Reports that `option` breaks a rule; the code is `config_invalid` unless AP-14 names another. */
export type Report = (option: string, rule: string, code?: ErrorCode) => void;

/** Reports a count that is not a whole number of at least `min` (and at most `max`). */
export function checkCount(
  report: Report,
  option: string,
  value: number,
  range: { readonly min: number; readonly max?: number },
  code?: ErrorCode,
): void {
  const { min, max = Number.MAX_SAFE_INTEGER } = range;
  if (Number.isSafeInteger(value) && value >= min && value <= max) return;
  const bounds = range.max === undefined ? `of at least ${min}` : `from ${min} to ${max}`;
  report(option, `must be a whole number ${bounds}, not ${value}`, code);
}

/** Reports a length of time (ms) outside its range. NaN was reported when it was read and passes here. */
export function checkLength(
  report: Report,
  option: string,
  value: number | null,
  range: { readonly min: number; readonly max: number },
  code?: ErrorCode,
): void {
  if (value === null || !(value < range.min || value > range.max)) return;
  report(option, `must be between ${seconds(range.min)} and ${seconds(range.max)}, not ${seconds(value)}`, code);
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}
