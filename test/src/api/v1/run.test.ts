import { expect, test } from "vitest";
import { jobJson, runJson } from "../../../../src/api/v1/run.ts";
import type { CancelCause } from "../../../../src/decide/run/flow.ts";
import type { RunRow, RunStatus } from "../../../../src/history/message.ts";

const row: RunRow = {
  environmentId: "00000000-0000-4000-b000-000000000000",
  runId: "01J00000000000000000000000",
  appId: "11111111-1111-8111-8111-111111111111",
  functionId: "22222222-2222-8222-8222-222222222222",
  functionSlug: "shop-pay",
  functionVersion: 3,
  status: "failed",
  queuedAt: Date.UTC(2026, 10, 21, 2, 0, 0, 1),
  startedAt: Date.UTC(2026, 10, 21, 2, 0, 0, 50),
  endedAt: null,
  eventIds: ["01J00000000000000000000001", "01J00000000000000000000002"],
  eventName: "cart/done",
  originalRunId: null,
  replayId: null,
  parentRunId: null,
  cron: null,
  cancelReason: null,
  skipReason: null,
  output: { name: "Error", message: "boom" },
  sequence: 9,
};

test("API-8: the run object has every promised field", () => {
  expect(runJson(row)).toEqual({
    run_id: "01J00000000000000000000000",
    run_started_at: "2026-11-21T02:00:00.050Z",
    ended_at: null,
    status: "Failed",
    output: { name: "Error", message: "boom" },
    function_id: "22222222-2222-8222-8222-222222222222",
    function_slug: "shop-pay",
    function_version: 3,
    app_id: "11111111-1111-8111-8111-111111111111",
    environment_id: "00000000-0000-4000-b000-000000000000",
    event_id: "01J00000000000000000000001",
    event_ids: ["01J00000000000000000000001", "01J00000000000000000000002"],
    event_name: "cart/done",
    batch_id: null,
    original_run_id: null,
    replay_id: null,
    parent_run_id: null,
    cron: null,
    queued_at: "2026-11-21T02:00:00.001Z",
    cancel_reason: null,
    cancelled_by: null,
    skip_reason: null,
  });
});

test.each<[CancelCause, string, object | null]>([
  [{ by: "event", eventId: "01J", eventName: "a/stop" }, "event", { event_id: "01J", event_name: "a/stop" }],
  [{ by: "start_timeout" }, "timeout_start", null],
  [{ by: "finish_timeout" }, "timeout_finish", null],
  [{ by: "user" }, "user", null],
  [{ by: "api", children: true }, "api", null],
  [{ by: "bulk", cancellationId: "01K" }, "bulk", { cancellation_id: "01K" }],
  [{ by: "pause" }, "pause", null],
  [{ by: "singleton", runId: "01L" }, "singleton", { run_id: "01L" }],
  [{ by: "parent", runId: "01M" }, "parent", { run_id: "01M" }],
])("CR-13: the cause %j is %s", (cause, word, by) => {
  expect(runJson({ ...row, cancelReason: cause })).toMatchObject({ cancel_reason: word, cancelled_by: by });
});

test.each<[RunStatus, string]>([
  ["queued", "Scheduled"],
  ["running", "Running"],
  ["completed", "Completed"],
  ["failed", "Failed"],
  ["cancelled", "Cancelled"],
  ["skipped", "Skipped"],
])("API-8: status %s reads %s", (status, word) => {
  expect(runJson({ ...row, status })["status"]).toBe(word);
});

test("API-9: a job has the fields of protocol/11, and its step", () => {
  const at = Date.UTC(2026, 10, 21, 3);
  expect(jobJson({ id: "run.4", kind: "sleep", at, attempt: 0, step: "wait a bit" }, 2)).toEqual({
    JobID: "run.4",
    at: "2026-11-21T03:00:00.000Z",
    position: 2,
    kind: "sleep",
    attempt: 0,
    Raw: null,
    step: "wait a bit",
    waiting_for: null,
  });
});
