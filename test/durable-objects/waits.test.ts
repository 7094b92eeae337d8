import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Run } from "../../durable-objects/run.ts";
import { waitsStub } from "../../src/objects.ts";
import { anEvent, bindings } from "./records.ts";

describe("probe", () => {
  it("spies on runs", async () => {
    const calls: unknown[] = [];
    vi.spyOn(Run.prototype, "offerEvent").mockImplementation(async (stepId) => {
      calls.push(stepId);
      return true;
    });
    const waits = waitsStub(bindings, "env-p", "event", "app/go");
    const now = Date.now();
    await waits.register({ runId: "r1", stepId: "s", since: now, expiresAt: now + 1e6, expression: null, event: null, triggers: [] });
    expect(await waits.offer(anEvent({ payload: { name: "app/go" } }).event)).toEqual({ matched: 1 });
    await vi.waitFor(() => expect(calls).toEqual(["s"]));
    const long = waitsStub(bindings, "env-p", "signal", "😀".repeat(400));
    expect(await runInDurableObject(long, (_, state) => state.id.name?.length)).toBe(13 + 800);
  });
});
