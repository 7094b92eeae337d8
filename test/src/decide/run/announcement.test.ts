import { describe, expect, it } from "vitest";
import { slept, TestRun } from "./run.ts";

describe("times that make no sense (EX-38, SE-15)", () => {
  it.each(["99999999999y", `${"9".repeat(400)}s`, "8640000000000001ms"])(
    "a sleep of %s fails the run, whatever no date can tell",
    (length) => {
      const run = new TestRun();
      run.ops([slept("nap", length)]);
      expect(run.state.outcome).toMatchObject({
        status: "failed",
        output: {
          code: "timeout_too_long",
          message: expect.stringMatching(/lasts until \+27\d{4}-.*limit is 366 days/),
        },
      });
    },
  );

  it("of a text that is no time the beginning is quoted", () => {
    const run = new TestRun();
    run.ops([slept("nap", "x".repeat(1_000_000))]);
    const message = `Step "nap" names "${"x".repeat(100)}", which is neither a duration nor a date.`;
    expect(run.state.outcome).toMatchObject({ status: "failed", output: { code: "bad_reply", message } });
  });
});
