import { describe, expect, it } from "vitest";
import { WEBHOOK } from "../../../src/limits.ts";
import { transformFailure } from "../../../src/webhooks/failure.ts";

describe("EV-32: a failure", () => {
  it("has a stack that begins with name and message", () => {
    expect(transformFailure("TypeError", "no", "    at a (transform.js:1:2)\n")).toEqual({
      name: "TypeError",
      message: "no",
      stack: "TypeError: no\n    at a (transform.js:1:2)",
    });
    expect(transformFailure("TypeError", "no").stack).toBe("TypeError: no");
  });

  it("is never long, and keeps the nearest frames", () => {
    const { failure } = WEBHOOK;
    const frames = Array.from({ length: 1000 }, (_, n) => `    at f${n} (transform.js:1:1)`).join("\n");
    const long = transformFailure("n".repeat(1e5), "m".repeat(1e5), frames);
    expect([long.name.length, long.message.length]).toEqual([failure.name, failure.message]);
    expect(long.stack.length).toBeLessThanOrEqual(failure.stack);
    expect(long.stack).toContain("at f0 ");
    expect(long.stack).not.toContain(`at f${failure.frames} `);
  });
});
