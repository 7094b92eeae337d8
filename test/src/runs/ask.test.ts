import { describe, expect, it } from "vitest";
import type { Bindings } from "../../../src/bindings.ts";
import { askRun } from "../../../src/runs/ask.ts";

/** Bindings whose runs answer from a script, in order: when an object leaves memory is beyond our control. */
function scripted(...answers: readonly (string | Error)[]): { bindings: Bindings; asked: () => number } {
  let asked = 0;
  const actions = async () => {
    const answer = answers[asked++];
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { bindings: { RUN: { getByName: () => ({ actions }) } } as unknown as Bindings, asked: () => asked };
}

const reset = (): Error =>
  Object.assign(new Error("The run has finished and leaves memory."), { durableObjectReset: true });
const ask = (bindings: Bindings) => askRun(bindings, "e", "r", (run) => run.actions());

describe("asking a run", () => {
  it("API-6, row 3: an object that leaves memory during the question is asked once more", async () => {
    const { bindings, asked } = scripted(reset(), "answer");
    expect(await ask(bindings)).toBe("answer");
    expect(asked()).toBe(2);
  });

  it("is not asked for ever", async () => {
    const { bindings, asked } = scripted(reset(), reset(), "answer");
    await expect(ask(bindings)).rejects.toThrow("leaves memory");
    expect(asked()).toBe(2);
  });

  it("is not asked again when it failed for a reason of its own", async () => {
    const { bindings, asked } = scripted(new Error("its own"), "answer");
    await expect(ask(bindings)).rejects.toThrow("its own");
    expect(asked()).toBe(1);
  });
});
