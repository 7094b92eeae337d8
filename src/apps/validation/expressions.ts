/**
 * The expressions of a function (AP-14, AP-17, XP-1). Owns which options hold expressions, and for which use each is compiled.
 */
import { compileCached } from "../../expressions/cache.ts";
import type { Place } from "../../expressions/place.ts";
import type { FunctionConfiguration } from "../function.ts";
import type { Report } from "./rules.ts";

/** One expression of a function. */
export interface PlacedExpression {
  readonly option: string;
  readonly source: string;
  readonly place: Place;
}

/** Every expression of a function, in the order in which options are documented. */
export function expressionsOf(configuration: FunctionConfiguration): PlacedExpression[] {
  const { triggers, concurrency, runConcurrency, throttle, rateLimit, debounce, batchEvents, singleton } =
    configuration;
  const placed: readonly (readonly [option: string, source: string | null | undefined, place: Place])[] = [
    ...triggers.map((trigger, at) => {
      return [`triggers[${at}].if`, trigger.kind === "event" ? trigger.expression : null, "trigger"] as const;
    }),
    ...[...concurrency, ...runConcurrency].map(({ key }) => ["concurrency.key", key, "key"] as const),
    ["throttle.key", throttle?.key, "key"],
    ["rateLimit.key", rateLimit?.key, "key"],
    ["idempotency", configuration.idempotency, "key"],
    ["debounce.key", debounce?.key, "key"],
    ["batchEvents.key", batchEvents?.key, "key"],
    ["batchEvents.if", batchEvents?.condition, "batch"],
    ["singleton.key", singleton?.key, "key"],
    ["priority.run", configuration.priority, "priority"],
    ...configuration.cancel.map(({ condition }, at) => [`cancelOn[${at}].if`, condition, "cancel"] as const),
  ];
  return placed.flatMap(([option, source, place]) => {
    return source === null || source === undefined ? [] : [{ option, source, place }];
  });
}

/** Reports every expression that does not compile, with its position. */
export function checkExpressions(configuration: FunctionConfiguration, report: Report): void {
  for (const { option, source, place } of expressionsOf(configuration)) {
    const compiled = compileCached(source, place);
    if (compiled.ok) continue;
    const { message, line, column } = compiled.error;
    const rule = `${message.replace(/\.$/, "")} (line ${line}, column ${column} of "${source}")`;
    report(option, rule, "expression_invalid");
  }
}
