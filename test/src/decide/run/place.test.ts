import { expect, it } from "vitest";
import type { RunFlow } from "../../../../src/decide/run/flow.ts";
import { placeOf } from "../../../../src/decide/run/place.ts";
import { accepted, NOW } from "../../events/registered.ts";

const flow = (priority: number): RunFlow => ({
  lines: [],
  priority,
  priorityError: null,
  singleton: null,
  timeouts: { start: null, finish: null },
  cancelOn: [],
});

it.each([
  [120, NOW - 120_000],
  [0, NOW],
  [-120, NOW],
])("FC-29: with priority %s a run stands where it would have been created at %s", (priority, score) => {
  const event = accepted();
  const events = [{ event, outcomes: [], duplicate: false }];
  expect(placeOf({ queuedAt: NOW, events, flow: flow(priority) })).toEqual({ rank: 0, score, tie: event.internalId });
});
