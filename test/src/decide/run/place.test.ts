import { expect, it } from "vitest";
import type { RunFlow } from "../../../../src/decide/run/flow.ts";
import { placeOf } from "../../../../src/decide/run/place.ts";
import { PRODUCTION } from "../../../../src/environments/environment.ts";
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
  const born = { environmentId: PRODUCTION.id, queuedAt: NOW, events, flow: flow(priority), originalRunId: null };
  expect(placeOf(born)).toEqual({ rank: 0, score, tie: event.internalId });
});

it("FC-8: runs of one large send stand in the order of its events, whenever each was created", () => {
  const event = { ...accepted(), receivedAt: NOW - 5000 };
  const born = {
    environmentId: PRODUCTION.id,
    queuedAt: NOW,
    events: [{ event, outcomes: [], duplicate: false }],
    flow: flow(0),
    originalRunId: null,
  };
  expect(placeOf(born).score).toBe(NOW - 5000);
  expect(placeOf({ ...born, gathered: true }).score).toBe(NOW);
  expect(placeOf({ ...born, originalRunId: "01JD00000000000000000000RN" }).score).toBe(NOW);
});

it("EV-26, FC-14: runs of production come before those of environments beside it", () => {
  const event = accepted();
  const born = {
    queuedAt: NOW,
    events: [{ event, outcomes: [], duplicate: false }],
    flow: flow(0),
    originalRunId: null,
  };
  expect(placeOf({ ...born, environmentId: PRODUCTION.id }).rank).toBe(0);
  expect(placeOf({ ...born, environmentId: "8c2d1f0a-0f4e-4c55-9a51-2b1d2f6b8f11" }).rank).toBe(1);
});
