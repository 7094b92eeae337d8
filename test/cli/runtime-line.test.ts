import { expect, test } from "vitest";
import { isNoise } from "../../cli/runtime-line.ts";

test("drops Miniflare's announcement of a restart, which the launcher makes itself when it has succeeded", () => {
  const text =
    "The Workers runtime crashed unexpectedly and is being restarted (crash #1). Any additional runtime output …";
  expect(isNoise({ level: "warn", text })).toBe(true);
});

test.each([
  "uncaught exception; exception = TypeError: x is not a function",
  "SQLITE_CANTOPEN",
  "accept(): Too many open files",
  "The Workers runtime failed to restart after an unexpected crash.",
  "",
])("keeps everything else: %j", (text) => {
  expect(isNoise({ level: "error", text })).toBe(false);
});
