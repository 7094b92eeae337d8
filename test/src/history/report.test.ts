import { describe, expect, test } from "vitest";
import { utf8Length } from "../../../src/history/bulk.ts";
import type { RunReport } from "../../../src/history/message.ts";
import { historyMessage } from "../../../src/history/report.ts";
import { HISTORY } from "../../../src/limits.ts";

function reportWith(output: string): RunReport {
  return {
    run: {
      environmentId: "env",
      runId: "01J00000000000000000000000",
      appId: "app",
      functionId: "fn",
      functionSlug: "shop-pay",
      functionVersion: 1,
      status: "completed",
      queuedAt: 1,
      startedAt: 2,
      endedAt: 3,
      eventIds: ["01J00000000000000000000001"],
      eventName: "cart/done",
      originalRunId: null,
      replayId: null,
      parentRunId: null,
      cron: null,
      cancelReason: null,
      skipReason: null,
      output,
      sequence: 4,
    },
    events: [],
  };
}

const overhead = utf8Length(JSON.stringify({ kind: "report", report: reportWith("") }));

describe("historyMessage", () => {
  test.each([
    ["one byte below the limit", "x".repeat(HISTORY.messageBytes - overhead - 1), "report"],
    ["at the limit", "x".repeat(HISTORY.messageBytes - overhead), "reference"],
    ["below it in characters but not in bytes", "é".repeat((HISTORY.messageBytes - overhead) / 2), "reference"],
  ])("a report %s", (_, output, kind) => {
    expect(historyMessage(reportWith(output)).kind).toBe(kind);
  });

  test("a reference names the environment and the run, an inline message carries the report unchanged", () => {
    expect(historyMessage(reportWith("x".repeat(HISTORY.messageBytes)))).toEqual({
      kind: "reference",
      environmentId: "env",
      runId: "01J00000000000000000000000",
    });
    expect(historyMessage(reportWith("small"))).toEqual({ kind: "report", report: reportWith("small") });
  });
});
