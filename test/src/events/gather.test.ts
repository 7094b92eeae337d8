import { describe, expect, it } from "vitest";
import type { Bindings } from "../../../src/bindings.ts";
import type { EventPayload } from "../../../src/events/event.ts";
import { type GatherContext, gather, groupsOf, type Joining, joinGroups } from "../../../src/events/gather.ts";
import type { Join } from "../../../src/events/gathering.ts";
import type { JsonObject } from "../../../src/json.ts";
import { GATHER } from "../../../src/limits.ts";
import { fn, NOW } from "./registered.ts";

const batched = {
  ...fn({
    batchEvents: { maxSize: 10, timeout: 5000, key: "event.data.user", condition: null },
  }),
  id: "batched",
};
const debounced = { ...fn({ debounce: { period: 2000, timeout: 9000, key: null } }), id: "debounced" };

let ids = 0;
function joining(into: Joining["into"], data: JsonObject): Joining {
  const id = `event-${ids++}`;
  const payload: EventPayload = { name: "app/a", data, id, ts: NOW, user: {} };
  const event = { internalId: id, receivedAt: NOW, source: "test", deduplicationId: null, depth: 2, payload };
  return { event, parent: null, into, function: into === "batch" ? batched : debounced };
}

/** Windows that note how they are called, and fail where told to. */
function windows(fails: (name: string) => boolean = () => false) {
  const calls: { name: string; join: Join }[] = [];
  const WINDOW = {
    getByName: (name: string) => ({
      async join(join: Join) {
        if (fails(name)) throw new Error(`no way to ${name}`);
        calls.push({ name, join });
        return join.events.map(({ event }) => `run of ${event.internalId}`);
      },
    }),
  };
  const context: GatherContext = {
    bindings: { WINDOW } as unknown as Bindings,
    environmentId: "env",
    now: NOW,
  };
  return { calls, context };
}

describe("gathering", () => {
  it("FC-26, FC-34: one call for each function and key, with its events in the order of the request", async () => {
    const { calls, context } = windows();
    const all = [
      joining("batch", { user: 1 }),
      joining("debounce", { user: 1 }),
      joining("batch", { user: "2" }),
      joining("batch", { user: "1" }),
      joining("debounce", { user: 2 }),
    ];
    const outcomes = await gather(context, all);
    expect(
      calls.map(({ name, join: { kind, key, depth, options, events } }) => [
        name,
        kind,
        key,
        depth,
        options,
        events.length,
      ]),
    ).toEqual([
      ["env:batch:batched:=1", "batch", "1", 2, { version: 2, maxSize: 10, timeout: 5000 }, 2],
      ["env:debounce:debounced:=", "debounce", "", 2, { version: 2, period: 2000, timeout: 9000 }, 2],
      ["env:batch:batched:=2", "batch", "2", 2, { version: 2, maxSize: 10, timeout: 5000 }, 1],
    ]);
    expect(calls[0]?.join.events.map(({ event }) => event)).toEqual([all[0]?.event, all[3]?.event]);
    expect(outcomes).toEqual(
      all.map(({ event, into, function: { id, slug } }) => ({
        functionId: id,
        functionSlug: slug,
        outcome: into === "batch" ? "batched" : "debounced",
        runId: `run of ${event.internalId}`,
      })),
    );
  });

  it("FC-41: a key that cannot be computed is the empty one, and the event shows a warning", async () => {
    const { calls, context } = windows();
    const [outcome] = await gather(context, [joining("batch", {})]);
    expect(calls[0]?.join.key).toBe("");
    expect(outcome).toMatchObject({
      outcome: "batched",
      warnings: [{ option: "batchEvents.key", reason: "the result was missing" }],
    });
  });

  it("a window that cannot be reached keeps no others from being joined", async () => {
    const { calls, context } = windows((name) => name.endsWith("=bad"));
    const all = [joining("batch", { user: "bad" }), joining("batch", { user: "good" })];
    const { outcomes, failure } = await joinGroups(context, groupsOf(all, NOW));
    expect([...outcomes.keys()]).toEqual([1]);
    expect(failure?.message).toContain("no way to env:batch:batched:=bad");
    expect(calls).toHaveLength(1);
    await expect(gather(context, all)).rejects.toThrow("no way to");
  });

  it("events too large for one call go in several, in order", async () => {
    const { calls, context } = windows();
    const size = GATHER.callSize / 4;
    const all = Array.from({ length: 9 }, () => joining("debounce", { text: "x".repeat(size) }));
    const outcomes = await gather(context, all);
    expect(calls.map(({ join }) => join.events.length)).toEqual([3, 3, 3]);
    expect(calls.flatMap(({ join }) => join.events.map(({ event }) => event))).toEqual(all.map(({ event }) => event));
    expect(outcomes.map((outcome) => "runId" in outcome && outcome.runId)).toEqual(
      all.map(({ event }) => `run of ${event.internalId}`),
    );
  });
});
