/**
 * Ranges and forms of a function's options (AP-14, FC-3, FC-5, FC-15, FC-16). Owns every rule that looks at one option alone,
 * except triggers and expressions.
 */
import { EVENT, REGISTRATION } from "../../limits.ts";
import type { ConcurrencyLimit, FunctionConfiguration } from "../function.ts";
import { checkCount, checkLength, type Report } from "./rules.ts";

/** Checks all options of one function. */
export function checkOptions(configuration: FunctionConfiguration, report: Report): void {
  const { throttle, rateLimit, debounce, batchEvents, cancel } = configuration;
  checkCount(report, "retries", configuration.retries, { min: 0, max: REGISTRATION.retries });
  checkConcurrency([...configuration.concurrency, ...configuration.runConcurrency], report);
  if (throttle !== null) {
    checkCount(report, "throttle.limit", throttle.limit, { min: 1 });
    checkCount(report, "throttle.burst", throttle.burst, { min: 1 });
    checkLength(report, "throttle.period", throttle.period, REGISTRATION.period);
    if (throttle.period > REGISTRATION.period.min && throttle.period % 1000 > 0)
      report("throttle.period", "must be whole seconds");
  }
  if (rateLimit !== null) {
    checkCount(report, "rateLimit.limit", rateLimit.limit, { min: 1 });
    checkLength(report, "rateLimit.period", rateLimit.period, REGISTRATION.rateLimitPeriod);
  }
  if (debounce !== null) {
    checkLength(report, "debounce.period", debounce.period, REGISTRATION.period);
    checkLength(report, "debounce.timeout", debounce.timeout, REGISTRATION.period);
  }
  if (batchEvents !== null) {
    checkCount(report, "batchEvents.maxSize", batchEvents.maxSize, REGISTRATION.batchSize, "batch_size_invalid");
    const { timeout } = batchEvents;
    checkLength(report, "batchEvents.timeout", timeout, REGISTRATION.batchTimeout, "batch_timeout_invalid");
  }
  if (cancel.length > REGISTRATION.cancellations) {
    report("cancelOn", `has ${cancel.length} entries, at most ${REGISTRATION.cancellations} are allowed`);
  }
  for (const [at, { event }] of cancel.entries()) checkEventName(`cancelOn[${at}].event`, event, report);
}

/** Reports an event name that is empty or too long. */
export function checkEventName(option: string, name: string, report: Report): void {
  if (name.length >= 1 && name.length <= EVENT.nameLength) return;
  const found = name === "" ? "it is missing" : `it has ${name.length}`;
  report(option, `must have 1 to ${EVENT.nameLength} characters; ${found}`);
}

function checkConcurrency(limits: readonly ConcurrencyLimit[], report: Report): void {
  const code = "concurrency_limit_invalid";
  if (limits.length > REGISTRATION.concurrencyLimits) {
    const rule = `has ${limits.length} limits, at most ${REGISTRATION.concurrencyLimits} are allowed`;
    report("concurrency", rule, code);
  }
  for (const { limit, scope, key } of limits) {
    checkCount(report, "concurrency.limit", limit, { min: 0 }, code);
    if (scope !== "fn" && key === null) report("concurrency.key", `is needed with scope "${scope}"`, code);
  }
}
