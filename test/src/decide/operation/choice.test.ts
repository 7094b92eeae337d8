import { describe, expect, it } from "vitest";
import { filterOf, isChosen } from "../../../../src/decide/operation/choice.ts";
import type { RunStatus } from "../../../../src/history/message.ts";
import { REPLAY } from "../../../../src/limits.ts";

const T0 = 1_800_000_000_000;
const request = { statuses: ["failed", "skipped"], after: T0 - 1000, before: T0 + 5000, createdAt: T0 } as const;
const run = (status: RunStatus, queuedAt: number, endedAt: number | null = queuedAt) => ({ status, queuedAt, endedAt });

describe("CR-22: which runs a replay chooses", () => {
  it("those of its statuses that were created in its range", () => {
    const filter = filterOf(request);
    expect(isChosen(filter, run("failed", T0 - 500))).toBe(true);
    expect(isChosen(filter, run("skipped", T0 - 1000))).toBe(true);
    expect(isChosen(filter, run("completed", T0 - 500))).toBe(false);
    expect(isChosen(filter, run("failed", T0 - 1001))).toBe(false);
    expect(isChosen(filterOf({ ...request, after: null }), run("failed", 1))).toBe(true);
    expect(isChosen(filterOf({ ...request, before: T0 - 600 }), run("failed", T0 - 600))).toBe(false);
  });

  it("none that is younger than itself, whatever was asked for: not the runs it starts", () => {
    const filter = filterOf(request);
    expect(isChosen(filter, run("failed", T0 - 1))).toBe(true);
    expect(isChosen(filter, run("failed", T0))).toBe(false);
  });

  it("none that had not ended when it was asked for", () => {
    const filter = filterOf(request);
    expect(isChosen(filter, run("failed", T0 - 500, null))).toBe(false);
    expect(isChosen(filter, run("failed", T0 - 500, T0))).toBe(true);
    expect(isChosen(filter, run("failed", T0 - 500, T0 + REPLAY.skew + 1))).toBe(false);
  });
});
