import { abortAllDurableObjects } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RunIdentity } from "../../src/decide/run/identity.ts";
import { newUlid } from "../../src/ids.ts";
import { runStub } from "../../src/objects.ts";
import { anEvent, bindings, freshEnvironment } from "./records.ts";
import { registerFunctions } from "./registered.ts";

/** ms; a busy machine may take its time. */
const PATIENCE = 20_000;

/** Generations of the calls that the app got; it answers none of them. */
let calls: number[] = [];

async function app(_url: string | URL | Request, init?: RequestInit): Promise<Response> {
  const call = (await new Request("http://app", { ...init, method: "POST" }).json()) as {
    ctx: { generation_id: number };
  };
  calls.push(call.ctx.generation_id);
  return await new Promise(() => undefined);
}

beforeEach(() => {
  calls = [];
  vi.stubGlobal("fetch", app);
});

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("checkpoints of a call that outlived its instance", () => {
  it("EX-66: what it finished counts until its call is repeated, and never beside the repetition", async () => {
    const environmentId = freshEnvironment();
    await registerFunctions(bindings.DB, environmentId, { fn: ["app/start"] });
    const now = Date.now();
    const identity: RunIdentity = {
      environmentId,
      runId: newUlid(now),
      app: { id: "app-id", name: "shop" },
      function: { id: "id-of-fn", slug: "fn", name: "Fn", version: 1 },
      retries: 4,
      events: [anEvent({ payload: { name: "app/start" } })],
      queuedAt: now,
      startAt: now,
      depth: 0,
      parent: null,
      originalRunId: null,
    };
    const run = () => runStub(bindings, environmentId, identity.runId);
    const checkpoint = (generation: number, id: string) =>
      run().checkpoint({
        functionId: null,
        job: 1,
        generation,
        ops: [{ op: "run", id, data: 1, label: { name: id, type: null }, race: false, metadata: [] }],
      });
    await run().start(identity);
    await vi.waitFor(() => expect(calls).toEqual([1]), PATIENCE);
    await abortAllDurableObjects();
    expect(await checkpoint(1, "one")).toBe("stored");
    await vi.waitFor(() => expect(calls).toEqual([1, 2]), PATIENCE);
    expect(await checkpoint(1, "two")).toBe("stale");
    expect(await checkpoint(2, "two")).toBe("stored");
    expect(Object.keys((await run().actions()) ?? {})).toEqual(["one", "two"]);
  });
});
