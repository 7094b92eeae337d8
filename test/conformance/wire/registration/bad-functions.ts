/**
 * Registrations that break a rule (AP-14, AP-15, AP-17, TR-5, TR-9), as data: one function with one fault each.
 */

/** A function that breaks a rule. Its id is `<app>-bad`; the message must name it. */
export interface BadFunction {
  /** What is wrong, with the spec ID. */
  readonly proves: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly code: string;
  /** What the message must name besides the function: options and limits. */
  readonly names: readonly (string | RegExp)[];
}

const event = (name: string, expression?: string) => ({
  triggers: [{ event: name, ...(expression === undefined ? {} : { expression }) }],
});

const cron = (text: string) => ({ triggers: [{ cron: text }] });

const retries = (attempts: unknown) => ({ retries: { attempts } });

const cancelOn = (count: number) => ({
  cancel: Array.from({ length: count }, (_, n) => ({ event: `reg/cancel-${n}` })),
});

const batch = (more: Record<string, unknown> = {}) => ({ batchEvents: { maxSize: 10, timeout: "5s", ...more } });

function config(proves: string, options: BadFunction["options"], ...names: BadFunction["names"]): BadFunction {
  return { proves: `AP-14: ${proves}`, options, code: "config_invalid", names };
}

function combination(option: string, value: unknown): BadFunction {
  const options = { ...batch(), [option]: value };
  const shown = option === "cancel" ? "cancelOn" : option;
  return {
    proves: `AP-15: batchEvents with ${shown}`,
    options,
    code: "combo_unsupported",
    names: ["batchEvents", shown],
  };
}

/** All of them. */
export const BAD_FUNCTIONS: readonly BadFunction[] = [
  config("a trigger without event and cron", { triggers: [{}] }, "triggers[0]"),
  config("an event name of 257 characters", event("e".repeat(257)), "triggers[0]", "256"),
  config(
    "eleven triggers",
    { triggers: Array.from({ length: 11 }, (_, n) => ({ event: `reg/${n}` })) },
    "triggers",
    "10",
  ),
  config("two equal triggers", { triggers: [{ event: "reg/x" }, { event: "reg/x" }] }, "triggers[1]"),
  config("triggers that are no list", { triggers: "reg/x" }, "triggers"),
  ...["reg/x*", "reg/*/y", "*", "reg/x*y", "reg/**"].map(
    (name): BadFunction => ({
      proves: `AP-14, TR-5: the wildcard ${name}`,
      options: event(name),
      code: "event_name_invalid",
      names: ["triggers[0].event", name],
    }),
  ),
  ...["* * *", "0 0 0 * * *", "61 * * * *", "every day", "TZ=Mars/Olympus 0 * * * *", "TZ= 0 * * * *"].map(
    (text): BadFunction => ({
      proves: `AP-14, TR-9: the cron "${text}"`,
      options: cron(text),
      code: "schedule_invalid",
      names: ["triggers[0].cron"],
    }),
  ),
  config("21 retries", retries(21), "retries", "20"),
  config("-1 retries", retries(-1), "retries"),
  config("half a retry", retries(1.5), "retries"),
  config("retries in words", retries("many"), "retries"),
  ...(
    [
      ["three concurrency limits", [{ limit: 1 }, { limit: 2 }, { limit: 3 }], /concurrency.*2/],
      ["a negative concurrency limit", -1, /concurrency/],
      ["an unknown scope", { limit: 1, scope: "world", key: "event.data.k" }, /scope/],
      ["scope env without a key", { limit: 1, scope: "env" }, /concurrency\.key/],
      ["scope account without a key", [{ limit: 1, scope: "account" }], /concurrency\.key/],
      ["a limit that is a text", { limit: "5" }, /concurrency/],
    ] as const
  ).map(
    ([proves, concurrency, name]): BadFunction => ({
      proves: `AP-14: ${proves}`,
      options: { concurrency },
      code: "concurrency_limit_invalid",
      names: [name],
    }),
  ),
  config("a throttle limit of 0", { throttle: { limit: 0, period: "1m" } }, "throttle.limit"),
  config("a throttle burst of 0", { throttle: { limit: 1, period: "1m", burst: 0 } }, "throttle.burst"),
  config("a throttle period of 8 days", { throttle: { limit: 1, period: "8d" } }, "throttle.period"),
  config("a throttle period in nonsense", { throttle: { limit: 1, period: "soon" } }, "throttle.period", "soon"),
  config("a throttle without a period", { throttle: { limit: 1 } }, "throttle.period"),
  config("a rate limit of 0", { rateLimit: { limit: 0, period: "1m" } }, "rateLimit.limit"),
  config("a rate limit of 25 hours", { rateLimit: { limit: 1, period: "25h" } }, "rateLimit.period"),
  config("a debounce of half a second", { debounce: { period: "500ms" } }, "debounce.period"),
  config("a debounce time-out of 8 days", { debounce: { period: "1s", timeout: "8d" } }, "debounce.timeout"),
  ...[0, 1, 101].map(
    (maxSize): BadFunction => ({
      proves: `AP-14: a batch of ${maxSize}`,
      options: batch({ maxSize }),
      code: "batch_size_invalid",
      names: ["batchEvents.maxSize"],
    }),
  ),
  ...["500ms", "61s", "whenever"].map(
    (timeout): BadFunction => ({
      proves: `AP-14: a batch time-out of ${timeout}`,
      options: batch({ timeout }),
      code: "batch_timeout_invalid",
      names: ["batchEvents.timeout"],
    }),
  ),
  config("an unknown singleton mode", { singleton: { mode: "wait" } }, "singleton"),
  config("six cancelOn entries", cancelOn(6), "cancelOn", "5"),
  config("a cancelOn without an event", { cancel: [{ if: "true" }] }, "cancelOn[0]"),
  config("a cancelOn with match and if", { cancel: [{ event: "reg/c", match: "data.id", if: "true" }] }, "cancelOn[0]"),
  config("a time-out of 367 days", { timeouts: { finish: "367d" } }, "timeouts.finish"),
  config("a time-out that is an object", { timeouts: { start: {} } }, "timeouts.start"),
  {
    proves: "AP-17: a trigger filter with an unquoted id",
    options: event("reg/x", "user_1234 == event.data.id"),
    code: "expression_invalid",
    names: ["user_1234", "column"],
  },
  ...(
    [
      ["concurrency.key", { concurrency: { limit: 1, key: "event.data." } }],
      ["throttle.key", { throttle: { limit: 1, period: "1m", key: "(" } }],
      ["rateLimit.key", { rateLimit: { limit: 1, period: "1m", key: "1 +" } }],
      ["idempotency", { idempotency: "event..data" }],
      ["debounce.key", { debounce: { period: "1s", key: "'" } }],
      ["batchEvents.key", batch({ key: "nobody.data" })],
      ["batchEvents.if", batch({ if: "if" })],
      ["singleton.key", { singleton: { mode: "skip", key: "unknown_function(1)" } }],
      ["priority.run", { priority: { run: "event.data.x ?" } }],
      ["cancelOn[0].if", { cancel: [{ event: "reg/c", if: "async.data.id == 1234abc" }] }],
    ] as const
  ).map(
    ([option, options]): BadFunction => ({
      proves: `AP-14: an expression in ${option} that does not compile`,
      options,
      code: "expression_invalid",
      names: [option, "column"],
    }),
  ),
  combination("debounce", { period: "1s" }),
  combination("singleton", { mode: "skip" }),
  combination("priority", { run: "1" }),
  combination("rateLimit", { limit: 1, period: "1m" }),
  combination("idempotency", "event.data.id"),
  combination("cancel", [{ event: "reg/c" }]),
];
