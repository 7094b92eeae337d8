import { describe, expect, it } from "vitest";
import { checkRegistration } from "../../../../src/apps/validation/registration.ts";
import { sentenceOf } from "../../../../src/apps/violation.ts";
import type { JsonObject } from "../../../../src/json.ts";
import { parseRegistration } from "../../../../src/protocol/registration.ts";

const OPTIONS = {
  concurrency: { concurrency: 5 },
  throttle: { throttle: { limit: 1, period: "1m" } },
  rateLimit: { rateLimit: { limit: 1, period: "1m" } },
  idempotency: { idempotency: "event.data.id" },
  debounce: { debounce: { period: "5s" } },
  priority: { priority: { run: "1" } },
  batchEvents: { batchEvents: { maxSize: 10, timeout: "5s" } },
  singleton: { singleton: { mode: "skip" } },
  cancelOn: { cancel: [{ event: "c/x" }] },
  timeouts: { timeouts: { start: "1m" } },
} satisfies Record<string, JsonObject>;

const FORBIDDEN = new Set(["rateLimit", "idempotency", "debounce", "priority", "singleton", "cancelOn"]);

const names = Object.keys(OPTIONS) as (keyof typeof OPTIONS)[];
const pairs = names.flatMap((first, at) => names.slice(at + 1).map((second) => [first, second] as const));

function sentences(options: JsonObject): string[] {
  const functions = [{ id: "sc-import", triggers: [{ event: "a" }], ...options }];
  const registration = parseRegistration({ appName: "sc", url: "https://app.example.com/", functions });
  return checkRegistration(registration, null, { allowPrivate: false, ownHost: null }).violations.map(sentenceOf);
}

describe("combinations", () => {
  it.each(pairs)("FC-40: %s with %s", (first, second) => {
    const other = first === "batchEvents" ? second : second === "batchEvents" ? first : null;
    const found = sentences({ ...OPTIONS[first], ...OPTIONS[second] });
    if (other === null || !FORBIDDEN.has(other)) expect(found).toEqual([]);
    else expect(found).toEqual([`Function "sc-import", batchEvents: cannot be combined with ${other}.`]);
  });

  it("AP-15: every forbidden partner is named", () => {
    const all = Object.assign({}, ...Object.values(OPTIONS)) as JsonObject;
    expect(sentences(all)).toHaveLength(FORBIDDEN.size);
  });
});
