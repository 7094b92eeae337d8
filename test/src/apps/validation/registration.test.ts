import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type CheckedRegistration, checkRegistration } from "../../../../src/apps/validation/registration.ts";
import { hasViolations, refusalOf, sentenceOf } from "../../../../src/apps/violation.ts";
import { type Json, type JsonObject, parseJson } from "../../../../src/json.ts";
import { parseRegistration } from "../../../../src/protocol/registration.ts";

const POLICY = { allowPrivate: false, ownHost: null };
const URL_TEXT = "https://app.example.com/api/inngest";

function check(body: Json): CheckedRegistration {
  return checkRegistration(parseRegistration(body), null, POLICY);
}

/** Checks one function of an app with other, sound ones around it. */
function checkFunction(options: JsonObject): CheckedRegistration {
  const sound = { triggers: [{ event: "a/b" }] };
  const functions = [
    { id: "sc-before", ...sound },
    { id: "sc-f", ...sound, ...options },
    { id: "sc-after", ...sound },
  ];
  return check({ appName: "sc", url: URL_TEXT, sdk: "js:v4.24.0", functions });
}

const cancelOn = (count: number) => Array.from({ length: count }, (_, at) => ({ event: `stop/${at}` }));
const events = (count: number) => Array.from({ length: count }, (_, at) => ({ event: `t/${at}` }));
const key = "event.data.k";

describe("rules of one function", () => {
  it.each<[rule: string, options: JsonObject, option: string, code: string]>([
    ["eleven triggers", { triggers: events(11) }, "triggers", "config_invalid"],
    ["a repeated event", { triggers: [{ event: "a" }, { event: "a" }] }, "triggers[1]", "config_invalid"],
    ["a repeated cron", { triggers: [{ cron: "0 0 * * *" }, { cron: "0 0 * * *" }] }, "triggers[1]", "config_invalid"],
    ["a trigger of nothing", { triggers: [{}] }, "triggers[0]", "config_invalid"],
    ["a trigger of both", { triggers: [{ event: "a", cron: "* * * * *" }] }, "triggers[0]", "config_invalid"],
    ["an empty event name", { triggers: [{ event: "" }] }, "triggers[0]", "config_invalid"],
    ["a long event name", { triggers: [{ event: "x".repeat(257) }] }, "triggers[0].event", "config_invalid"],
    ["a bare wildcard", { triggers: [{ event: "*" }] }, "triggers[0].event", "event_name_invalid"],
    ["a wildcard inside", { triggers: [{ event: "app/blog.*.published" }] }, "triggers[0].event", "event_name_invalid"],
    ["a wildcard in a word", { triggers: [{ event: "app/user.update*" }] }, "triggers[0].event", "event_name_invalid"],
    ["a double wildcard", { triggers: [{ event: "app/**" }] }, "triggers[0].event", "event_name_invalid"],
    ["a bad cron", { triggers: [{ cron: "* * *" }] }, "triggers[0].cron", "schedule_invalid"],
    ["an unknown zone", { triggers: [{ cron: "TZ=Nope/Zone * * * * *" }] }, "triggers[0].cron", "schedule_invalid"],
    ["a long jitter", { triggers: [{ cron: "* * * * *", jitter: "6m" }] }, "triggers[0].jitter", "config_invalid"],
    ["21 retries", { retries: 21 }, "retries", "config_invalid"],
    ["negative retries", { retries: -1 }, "retries", "config_invalid"],
    ["half a retry", { retries: 1.5 }, "retries", "config_invalid"],
    ["three limits", { concurrency: [1, 2, 3] }, "concurrency", "concurrency_limit_invalid"],
    [
      "three limits in two lists",
      { concurrency: { fn: [{ limit: 1 }], step: [{ limit: 1 }, { limit: 2 }] } },
      "concurrency",
      "concurrency_limit_invalid",
    ],
    ["a negative limit", { concurrency: -1 }, "concurrency.limit", "concurrency_limit_invalid"],
    ["an unknown scope", { concurrency: { limit: 1, scope: "app" } }, "concurrency.scope", "concurrency_limit_invalid"],
    ["env without key", { concurrency: { limit: 1, scope: "env" } }, "concurrency.key", "concurrency_limit_invalid"],
    [
      "account without key",
      { concurrency: { limit: 1, scope: "account", key: "" } },
      "concurrency.key",
      "concurrency_limit_invalid",
    ],
    ["no throttle at all", { throttle: { limit: 0, period: "1m" } }, "throttle.limit", "config_invalid"],
    ["no burst", { throttle: { limit: 1, period: "1m", burst: 0 } }, "throttle.burst", "config_invalid"],
    ["a short period", { throttle: { limit: 1, period: "500ms" } }, "throttle.period", "config_invalid"],
    ["a long period", { throttle: { limit: 1, period: "8d" } }, "throttle.period", "config_invalid"],
    ["a broken period", { throttle: { limit: 1, period: "1500ms" } }, "throttle.period", "config_invalid"],
    ["no period", { throttle: { limit: 1, period: "soon" } }, "throttle.period", "config_invalid"],
    ["an empty period", { throttle: { limit: 1, period: "" } }, "throttle.period", "config_invalid"],
    ["rate limit of 0", { rateLimit: { limit: 0, period: "1m" } }, "rateLimit.limit", "config_invalid"],
    ["rate limit over a day", { rateLimit: { limit: 1, period: "25h" } }, "rateLimit.period", "config_invalid"],
    ["a short debounce", { debounce: { period: "0s" } }, "debounce.period", "config_invalid"],
    ["a long debounce", { debounce: { period: "169h" } }, "debounce.period", "config_invalid"],
    ["a long debounce bound", { debounce: { period: "1s", timeout: "8d" } }, "debounce.timeout", "config_invalid"],
    ["a batch of 1", { batchEvents: { maxSize: 1, timeout: "5s" } }, "batchEvents.maxSize", "batch_size_invalid"],
    ["a batch of 101", { batchEvents: { maxSize: 101, timeout: "5s" } }, "batchEvents.maxSize", "batch_size_invalid"],
    ["a batch of none", { batchEvents: { timeout: "5s" } }, "batchEvents.maxSize", "batch_size_invalid"],
    [
      "a quick batch",
      { batchEvents: { maxSize: 2, timeout: "999ms" } },
      "batchEvents.timeout",
      "batch_timeout_invalid",
    ],
    ["a slow batch", { batchEvents: { maxSize: 2, timeout: "61s" } }, "batchEvents.timeout", "batch_timeout_invalid"],
    ["a strange batch", { batchEvents: { maxSize: 2, timeout: "x" } }, "batchEvents.timeout", "batch_timeout_invalid"],
    ["an unknown mode", { singleton: { mode: "wait" } }, "singleton.mode", "config_invalid"],
    ["no mode", { singleton: { key } }, "singleton.mode", "config_invalid"],
    ["six cancel events", { cancel: cancelOn(6) }, "cancelOn", "config_invalid"],
    ["a cancel of nothing", { cancel: [{ if: "true" }] }, "cancelOn[0].event", "config_invalid"],
    ["match and if", { cancel: [{ event: "c", match: "data.id", if: "true" }] }, "cancelOn[0]", "config_invalid"],
    ["a late cancel", { cancel: [{ event: "c", timeout: "367d" }] }, "cancelOn[0].timeout", "config_invalid"],
    ["a strange time-out", { timeouts: { start: "soon" } }, "timeouts.start", "config_invalid"],
    ["a long time-out", { timeouts: { finish: "2y" } }, "timeouts.finish", "config_invalid"],
    ["a private step URL", { steps: { step: { runtime: { url: "https://10.0.0.1/x" } } } }, "url", "private_address"],
    [
      "trigger if",
      { triggers: [{ event: "a", expression: "event.data.a ==" }] },
      "triggers[0].if",
      "expression_invalid",
    ],
    ["concurrency key", { concurrency: { limit: 1, key: "nope" } }, "concurrency.key", "expression_invalid"],
    ["throttle key", { throttle: { limit: 1, period: "1s", key: "nope" } }, "throttle.key", "expression_invalid"],
    ["rate limit key", { rateLimit: { limit: 1, period: "1s", key: "nope" } }, "rateLimit.key", "expression_invalid"],
    ["idempotency", { idempotency: "nope" }, "idempotency", "expression_invalid"],
    ["debounce key", { debounce: { period: "1s", key: "now()" } }, "debounce.key", "expression_invalid"],
    ["batch key", { batchEvents: { maxSize: 2, timeout: "1s", key: "nope" } }, "batchEvents.key", "expression_invalid"],
    ["batch if", { batchEvents: { maxSize: 2, timeout: "1s", if: "nope" } }, "batchEvents.if", "expression_invalid"],
    ["singleton key", { singleton: { mode: "skip", key: "nope" } }, "singleton.key", "expression_invalid"],
    ["priority", { priority: { run: "nope" } }, "priority.run", "expression_invalid"],
    [
      "a macro in cancelOn",
      { cancel: [{ event: "c", if: "async.data.ids.exists(x, x == 1)" }] },
      "cancelOn[0].if",
      "expression_invalid",
    ],
  ])("AP-14: %s is refused", (_rule, options, option, code) => {
    const { violations } = checkFunction(options);
    expect(violations.map((violation) => ({ ...violation, rule: "" }))).toEqual([
      { functionId: "sc-f", option, code, rule: "" },
    ]);
  });

  it.each<[rule: string, options: JsonObject]>([
    ["no trigger (TR-18)", { triggers: [] }],
    ["ten triggers", { triggers: events(10) }],
    ["one event with two filters", { triggers: [{ event: "a", expression: "true" }, { event: "a" }] }],
    ["a name of 256", { triggers: [{ event: "x".repeat(256) }] }],
    [
      "wildcards",
      { triggers: [{ event: "app/*" }, { event: "app/user.*" }, { event: "inngest/*" }, { event: "a.*" }] },
    ],
    [
      "jitter at both ends",
      {
        triggers: [
          { cron: "* * * * *", jitter: "1s" },
          { cron: "@daily", jitter: "5m" },
        ],
      },
    ],
    ["no retries", { retries: 0 }],
    ["20 retries", { retries: 20 }],
    ["limit 0 (FC-3)", { concurrency: 0 }],
    ["a limit without number (FC-3)", { concurrency: { key } }],
    [
      "a constant key (FC-5)",
      {
        concurrency: [
          { limit: 3, scope: "account", key: '"openai"' },
          { limit: 1, key },
        ],
      },
    ],
    ["throttle at both ends", { throttle: { limit: 1, period: "7d", burst: 1 } }],
    ["rate limit over a day", { rateLimit: { limit: 1, period: "24h", key } }],
    ["debounce at both ends", { debounce: { period: "1s", timeout: "7d", key } }],
    ["a batch of 2 in 1 s", { batchEvents: { maxSize: 2, timeout: "1s" } }],
    ["a batch of 100 in 60 s", { batchEvents: { maxSize: 100, timeout: "60s" } }],
    ["both modes", { singleton: { mode: "cancel" } }],
    ["five cancel events", { cancel: cancelOn(5) }],
    ["a cancel date", { cancel: [{ event: "c", timeout: "2027-01-01T00:00:00.000Z" }] }],
    ["366 days", { timeouts: { start: "366d", finish: "" } }],
    ["numbers as milliseconds", { timeouts: { start: 1000 }, debounce: { period: 1000 } }],
  ])("AP-14: %s is accepted", (_rule, options) => {
    expect(checkFunction(options).violations).toEqual([]);
  });
});

describe("rules of the app", () => {
  it.each<[string, JsonObject, string, string]>([
    ["no id", { appName: "" }, "id", "config_invalid"],
    ["a long id", { appName: "x".repeat(256) }, "id", "config_invalid"],
    ["no URL", { url: null }, "url", "config_invalid"],
    ["a URL that is none", { url: "api/inngest" }, "url", "config_invalid"],
    ["http", { url: "http://app.example.com/" }, "url", "unsupported_protocol"],
    ["a private URL", { url: "https://localhost/" }, "url", "private_address"],
  ])("AP-14: %s is refused", (_rule, fields, option, code) => {
    const { violations } = check({ appName: "sc", url: URL_TEXT, functions: [], ...fields });
    expect(violations).toMatchObject([{ functionId: null, option, code }]);
  });

  it("AP-14: a registration without a list of functions is refused for that alone", () => {
    const { violations } = check({ appName: "sc", url: URL_TEXT });
    expect(violations).toMatchObject([{ functionId: null, option: "functions", code: "config_invalid" }]);
  });

  it("AP-1: an app without functions is accepted", () => {
    expect(check({ appName: "sc", url: URL_TEXT, functions: [] })).toMatchObject({ violations: [], functions: [] });
  });

  it.each([
    ["missing", "sc-", "config_invalid"],
    ["too long", `sc-${"x".repeat(256)}`, "config_invalid"],
  ])("AP-14: a function id that is %s is refused", (_rule, id, code) => {
    const { violations } = check({ appName: "sc", url: URL_TEXT, functions: [{ id }] });
    expect(violations).toMatchObject([{ functionId: id, option: "id", code }]);
  });

  it("AP-14: function ids are unique; slashes, spaces and other characters are kept", () => {
    const ids = ["sc-post/like", "sc-a b", "sc-grüße", `sc-${"x".repeat(255)}`, "sc-a", "sc-a"];
    const { violations, functions } = check({ appName: "sc", url: URL_TEXT, functions: ids.map((id) => ({ id })) });
    expect(functions.map(({ slug }) => slug)).toEqual(ids);
    expect(violations).toMatchObject([{ functionId: "sc-a", option: "id" }]);
  });
});

describe("refusals", () => {
  it("AP-14: all violations are listed, each naming function, option and rule; the first one's code is the code", () => {
    const { violations } = check({
      appName: "sc",
      url: URL_TEXT,
      functions: [
        { id: "sc-reminder", cancel: cancelOn(6) },
        { id: "sc-bad-cron", triggers: [{ cron: "* * *" }], retries: 30 },
      ],
    });
    if (!hasViolations(violations)) throw new Error("nothing was refused");
    const refusal = refusalOf(violations);
    expect(refusal.code).toBe("config_invalid");
    expect(refusal.message).toBe(
      'Function "sc-reminder", cancelOn: has 6 entries, at most 5 are allowed. ' +
        'Function "sc-bad-cron", triggers[0].cron: "* * *" must have five fields: minute, hour, day of month, month, day of week. ' +
        'Function "sc-bad-cron", retries: must be a whole number from 0 to 20, not 30.',
    );
  });

  it("AP-17: an expression error tells what is unknown and where", () => {
    const { violations } = checkFunction({
      triggers: [{ event: "e/x", expression: "1 == 1 && user_1234 == event.data.id" }],
    });
    const [message = ""] = violations.map(sentenceOf);
    expect(message).toContain('"sc-f"');
    expect(message).toContain("user_1234");
    expect(message).toContain("line 1, column 11");
  });
});

describe("captured bodies", () => {
  it.each(["js-v3.54.2", "js-v4.24.0"])("AP-8: the in-band reply of %s is accepted as a whole", (sdk) => {
    const path = new URL(`../../../fixtures/registration/${sdk}-in-band-sync-response.json`, import.meta.url);
    const parsed = parseJson(readFileSync(path, "utf8"));
    if (!parsed.ok) throw new Error(parsed.reason);
    const { violations, functions, url, warnings } = check(parsed.value);
    expect(violations).toEqual([]);
    expect(url).toBe("https://example.com/api/inngest");
    expect(functions.map(({ slug }) => slug).slice(0, 4)).toEqual([
      "cap-app-all",
      "cap-app-all-failure",
      "cap-app-batch",
      "cap-app-cacc",
    ]);
    expect(warnings.map(({ functionId, option }) => `${functionId} ${option}`)).toEqual(["cap-app-all singleton"]);
  });
});
