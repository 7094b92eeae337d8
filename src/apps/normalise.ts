/**
 * From what an SDK wrote to what the engine works with (AP-19): units, defaults, legacy forms and the serve URL.
 * Owns durations and URLs, whose text must be read before it can be judged; every other rule is validation's.
 */
import type { TargetPolicy } from "../calls/address.ts";
import { parseDuration, parseMoment } from "../duration.ts";
import { REGISTRATION, RUN } from "../limits.ts";
import type { Violation, WireFunction } from "../protocol/registration-function.ts";
import type { ConcurrencyLimit, FunctionConfiguration, Trigger } from "./function.ts";
import { checkServeUrl } from "./url.ts";

/** What the functions of an app have in common. */
export interface AppContext {
  /** `js:v4.24.0`; decides what a bare number means. */
  readonly sdk: string;
  /** The app's own URL, already checked: where a function without a step URL is called. */
  readonly url: string;
  readonly policy: TargetPolicy;
}

/**
 * A function in the engine's form. A duration that could not be read is NaN, which no range check reports again;
 * such a function always comes with a violation and is never stored.
 */
export interface NormalisedFunction {
  readonly slug: string;
  readonly name: string;
  readonly configuration: FunctionConfiguration;
}

/** Normalises one function; the violations are about durations and URLs only. */
export function normaliseFunction(
  wire: WireFunction,
  app: AppContext,
): { readonly function: NormalisedFunction; readonly violations: readonly Violation[] } {
  const violations: Violation[] = [];
  const violate = (option: string, rule: string, code: Violation["code"] = "config_invalid") =>
    violations.push({ code, functionId: wire.id, option, rule });
  const length = durationReader(app.sdk, violate);
  const optional = (option: string, value: string | number | undefined) =>
    value === undefined || value === "" ? null : length(option, value);

  const { throttle, rateLimit, debounce, batchEvents, timeouts } = wire;
  const step = wire.steps["step"] ?? Object.values(wire.steps)[0];
  const configuration: FunctionConfiguration = {
    triggers: wire.triggers.map((trigger, at): Trigger => {
      const { event, expression, cron, jitter } = trigger;
      if (event !== undefined && cron !== undefined) violate(`triggers[${at}]`, "has both an event and a cron");
      if (cron === undefined) return { kind: "event", event: event ?? "", expression: textOrNull(expression) };
      return { kind: "cron", cron, jitter: optional(`triggers[${at}].jitter`, jitter) };
    }),
    url: stepUrl(step?.runtime?.url, app, violate),
    retries: step?.retries?.attempts ?? wire.retries?.attempts ?? RUN.retries,
    concurrency: limits(wire.concurrency?.step, violate),
    runConcurrency: limits(wire.concurrency?.fn, violate),
    throttle: throttle
      ? {
          limit: throttle.limit,
          period: length("throttle.period", throttle.period),
          burst: burst(throttle.burst, app.sdk),
          key: textOrNull(throttle.key),
        }
      : null,
    rateLimit: rateLimit
      ? { limit: rateLimit.limit, period: length("rateLimit.period", rateLimit.period), key: textOrNull(rateLimit.key) }
      : null,
    idempotency: textOrNull(wire.idempotency),
    debounce: debounce
      ? {
          period: length("debounce.period", debounce.period),
          timeout: optional("debounce.timeout", debounce.timeout),
          key: textOrNull(debounce.key),
        }
      : null,
    batchEvents: batchEvents
      ? {
          maxSize: batchEvents.maxSize,
          // Python may leave it out; the longest wait is the only bound that holds then.
          timeout: optional("batchEvents.timeout", batchEvents.timeout) ?? REGISTRATION.batchTimeout.max,
          key: textOrNull(batchEvents.key),
          condition: textOrNull(batchEvents.if),
        }
      : null,
    singleton: wire.singleton ? singleton(wire.singleton, violate) : null,
    priority: textOrNull(wire.priority?.run),
    timeouts: timeouts
      ? { start: optional("timeouts.start", timeouts.start), finish: optional("timeouts.finish", timeouts.finish) }
      : null,
    cancel: wire.cancel.map((entry, at) => cancellation(entry, `cancelOn[${at}]`, optional, violate)),
  };
  return { function: { slug: wire.id, name: wire.name || wire.id, configuration }, violations };
}

type Violate = (option: string, rule: string, code?: Violation["code"]) => void;

/** A reader of required durations, ms. */
function durationReader(sdk: string, violate: Violate): (option: string, value: string | number) => number {
  return (option, value) => {
    const code = option === "batchEvents.timeout" ? "batch_timeout_invalid" : "config_invalid";
    const ms = typeof value === "number" ? fromNumber(value, sdk) : parseDuration(value);
    if (ms !== null && ms >= 0 && ms <= REGISTRATION.duration) return ms;
    const rule = ms === null ? `"${value}" is not a duration` : `"${value}" is not between 0 and 366 days`;
    violate(option, rule, code);
    return Number.NaN;
  };
}

/** A bare number is milliseconds (spec/00 "Durations"), except from Go, whose durations count nanoseconds. */
function fromNumber(value: number, sdk: string): number {
  return Math.round(sdk.startsWith("go:") ? value / 1_000_000 : value);
}

/** Go writes 0 for a field that was left out; elsewhere 0 was meant and is refused later. */
function burst(value: number | undefined, sdk: string): number {
  return value === undefined || (value === 0 && sdk.startsWith("go:")) ? 1 : value;
}

function textOrNull(value: string | undefined): string | null {
  return value === undefined || value === "" ? null : value;
}

function stepUrl(text: string | undefined, app: AppContext, violate: Violate): string {
  if (text === undefined) return app.url;
  const checked = checkServeUrl(text, app.policy);
  if (checked.ok) return checked.url;
  violate("url", checked.message.replace(/\.$/, ""), checked.code);
  return app.url;
}

type WireLimits = NonNullable<WireFunction["concurrency"]>["step"];

function limits(wire: WireLimits | undefined, violate: Violate): ConcurrencyLimit[] {
  return (wire ?? []).map((entry) => {
    const scope = entry.scope || "fn";
    const known = scope === "fn" || scope === "env" || scope === "account";
    if (!known) violate("concurrency.scope", `must be fn, env or account, not "${scope}"`, "concurrency_limit_invalid");
    return { limit: entry.limit ?? 0, key: textOrNull(entry.key), scope: known ? scope : "fn" };
  });
}

function singleton(wire: NonNullable<WireFunction["singleton"]>, violate: Violate): FunctionConfiguration["singleton"] {
  const known = wire.mode === "skip" || wire.mode === "cancel";
  if (!known) violate("singleton.mode", `must be skip or cancel, not "${wire.mode}"`);
  return { mode: known && wire.mode === "cancel" ? "cancel" : "skip", key: textOrNull(wire.key) };
}

function cancellation(
  wire: WireFunction["cancel"][number],
  option: string,
  optional: (option: string, value: string | number | undefined) => number | null,
  violate: Violate,
): FunctionConfiguration["cancel"][number] {
  if (wire.match && wire.if) violate(option, "has both match and if; only one of them is allowed");
  const condition = wire.match ? `event.${wire.match} == async.${wire.match}` : textOrNull(wire.if);
  const moment = typeof wire.timeout === "string" ? parseMoment(wire.timeout) : null;
  if (moment !== null) return { event: wire.event ?? "", condition, timeout: new Date(moment).toISOString() };
  const ms = optional(`${option}.timeout`, wire.timeout);
  return { event: wire.event ?? "", condition, timeout: ms === null ? null : String(ms) };
}
