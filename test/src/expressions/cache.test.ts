import { describe, expect, it } from "vitest";
import { compileCached } from "../../../src/expressions/cache.ts";
import { EXPRESSION } from "../../../src/limits.ts";

describe("compiled expressions are remembered", () => {
  it("by source and place", () => {
    const first = compileCached("event.data.a == 1", "trigger");
    expect(compileCached("event.data.a == 1", "trigger")).toBe(first);
    expect(compileCached("event.data.a == 1", "key")).not.toBe(first);
    expect(compileCached("now() > now()", "trigger").ok).toBe(true);
    expect(compileCached("now() > now()", "key").ok).toBe(false);
  });
  it("as errors, too, unless the source is too long to keep", () => {
    expect(compileCached("event.", "trigger")).toBe(compileCached("event.", "trigger"));
    const long = `event.data.a == '${"x".repeat(EXPRESSION.sourceBytes)}'`;
    expect(compileCached(long, "trigger")).not.toBe(compileCached(long, "trigger"));
  });
  it("up to a bound, and the one unused for longest goes first", () => {
    const kept = compileCached("event.data.kept", "key");
    const dropped = compileCached("event.data.dropped", "key");
    for (let index = 0; index < EXPRESSION.cached - 1; index++) {
      compileCached(`event.data.filler${index}`, "key");
      expect(compileCached("event.data.kept", "key")).toBe(kept);
    }
    expect(compileCached("event.data.dropped", "key")).not.toBe(dropped);
  });
});
