import { describe, expect, it } from "vitest";
import type { Bindings } from "../../src/bindings.ts";
import { guardLog, ownKeys } from "../../src/log-border.ts";

const KEY = "c0ffee00".repeat(8);
const ROOT = "facade22".repeat(8);
const cloud = {
  MILLRACE_MODE: "cloud",
  MILLRACE_SECRET: ROOT,
  INNGEST_SIGNING_KEY: `signkey-prod-${KEY}`,
  INNGEST_EVENT_KEY: "the-event-key, k",
} as Partial<Bindings> as Bindings;

/** A log that is guarded, and the lines that reach it. */
function guarded() {
  const lines: string[] = [];
  const write = (...parts: unknown[]) => {
    lines.push(parts.map(String).join(" "));
  };
  const log = { debug: write, log: write, info: write, warn: write, error: write };
  guardLog(log, () => ownKeys(cloud));
  return { log, lines };
}

describe("SE-2, SE-14, OB-13: the log", () => {
  it.each([
    `the key signkey-prod-${KEY} was refused`,
    `the key ${KEY} was refused`,
    `a token signed with ${ROOT}`,
    "POST /e/the-event-key: D1_ERROR",
    "POST /e/any-other-key-there-is: D1_ERROR",
    "key the-event-key",
    `no function for the key ek_${"swordfish".padEnd(43, "_")}`,
    `an API key is mk_${"-swordfish".padEnd(43, "z")}.`,
    "fetch https://joe:swordfish@example.com/ failed",
    "fetch https://example.com/?api_key=swordfish&a=1 failed",
    "authorization: Bearer swordfish123",
  ])("never holds the secret of: %s", (text) => {
    const { log, lines } = guarded();
    log.error(text);
    log.warn("something happened:", new Error(text));
    expect(lines.join("\n")).toContain("***");
    expect(lines.join("\n")).not.toMatch(/c0ffee|facade22|the-event-key|any-other-key|swordfish/);
  });

  it("has no keys to hide in a deployment that has none, or a wrong one", () => {
    expect(ownKeys({ MILLRACE_MODE: "cloud" } as Partial<Bindings> as Bindings)).toEqual([]);
    expect(ownKeys({ ...cloud, INNGEST_SIGNING_KEY: "no key" })).toEqual([]);
  });

  it("keeps everything else, on every level", () => {
    const { log, lines } = guarded();
    const texts = ["run env:01JD: the app failed", "GET /v1/runs?limit=1: no such table", "key k of 3 events in /e/"];
    for (const level of ["debug", "log", "info", "warn", "error"] as const) for (const text of texts) log[level](text);
    expect(new Set(lines)).toEqual(new Set(texts));
    log.info(7, null);
    expect(lines.at(-1)).toBe("7 null");
  });
});
