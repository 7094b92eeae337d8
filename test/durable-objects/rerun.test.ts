import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { RunIdentity } from "../../src/decide/run/identity.ts";
import { LOCAL } from "../../src/environments/environment.ts";
import type { RoutedEvent } from "../../src/events/event.ts";
import { storeEvents } from "../../src/history/events.ts";
import { rerunsOf } from "../../src/history/reruns.ts";
import { runStatements } from "../../src/history/runs.ts";
import { ensureSchema } from "../../src/history/schema.ts";
import { newUlid } from "../../src/ids.ts";
import { runStub, windowStub } from "../../src/objects.ts";
import { anEvent, aRun, bindings, freshEnvironment } from "./records.ts";
import { muteApps, registerFunctions } from "./registered.ts";

// The Worker itself; the plugin types exports only for projects that generate their types.
const worker = (exports as unknown as { default: Fetcher }).default;
const db = bindings.DB;
const HOUR = 3_600_000;
const fn = { id: "id-of-shop-again", slug: "shop-again" };

/** An event whose runs do not begin before an hour has passed. */
const later = (): RoutedEvent => anEvent({ payload: { name: "app/again", ts: Date.now() + HOUR } });

async function post(path: string, body: object = {}) {
  const response = await worker.fetch(`http://engine${path}`, { method: "POST", body: JSON.stringify(body) });
  // biome-ignore lint/suspicious/noExplicitAny: a reply is whatever the test says it is.
  return { status: response.status, json: (await response.json()) as any };
}

/** A run that only history knows. */
async function gone(draft: Parameters<typeof aRun>[1], events: readonly RoutedEvent[]): Promise<string> {
  const run = aRun(LOCAL.id, {
    functionId: fn.id,
    functionSlug: fn.slug,
    eventIds: events.map(({ event }) => event.internalId),
    ...draft,
  });
  await db.batch(runStatements(db, [run]));
  return run.runId;
}

function identity(over: Partial<RunIdentity>): RunIdentity {
  const now = Date.now();
  return {
    environmentId: LOCAL.id,
    runId: newUlid(now),
    app: { id: "app-id", name: "shop" },
    function: { ...fn, name: fn.slug, version: 1 },
    retries: 4,
    events: [later()],
    queuedAt: now,
    startAt: now + HOUR,
    depth: 2,
    parent: { runId: newUlid(now), stepId: "call" },
    originalRunId: null,
    ...over,
  };
}

beforeAll(async () => {
  await ensureSchema(db);
  muteApps();
  await registerFunctions(db, LOCAL.id, { "shop-again": ["app/again"] });
});

describe("POST /v1/runs/:id/rerun", () => {
  it("CR-21: a run that only history knows is run again with its events, all of a batch, in their order", async () => {
    const events = [later(), later(), later()];
    await storeEvents(db, LOCAL.id, events, { routed: true });
    const original = await gone({ status: "failed" }, events);
    const { status, json } = await post(`/v1/runs/${original}/rerun`);
    expect(status).toBe(200);
    expect(json.data).toMatchObject({ status: "Scheduled", original_run_id: original, parent_run_id: null });
    const payloads = await runStub(bindings, LOCAL.id, json.data.run_id).events();
    expect(payloads).toEqual(events.map(({ event }) => event.payload));
  });

  it("CR-25: what is past its retention is said to be gone, and nothing is begun", async () => {
    const [kept, deleted] = [later(), later()];
    await storeEvents(db, LOCAL.id, [kept], { routed: true });
    for (const [runId, from_step] of [
      [await gone({}, [kept, deleted]), null],
      [await gone({}, [deleted]), null],
      [await gone({}, [kept]), "a"],
      [await gone({ eventName: "inngest/http.request" }, [kept]), null],
    ] as const) {
      const refused = await post(`/v1/runs/${runId}/rerun`, { from_step });
      expect(refused).toMatchObject({ status: 410, json: { code: "run_deleted" } });
      expect(await rerunsOf(db, LOCAL.id, [runId], { cursor: null, limit: 10 })).toEqual([]);
    }
    const skipped = await gone({ status: "skipped", skipReason: "function_paused" }, [kept]);
    expect(await post(`/v1/runs/${skipped}/rerun`, { from_step: "a" })).toMatchObject({
      status: 404,
      json: { code: "step_not_found" },
    });
    expect((await post(`/v1/runs/${skipped}/rerun`)).status).toBe(200);
  });

  it("a function that is not registered any more starts nothing", async () => {
    const event = later();
    await storeEvents(db, LOCAL.id, [event], { routed: true });
    const orphan = await gone({ functionId: "id-of-nobody" }, [event]);
    expect(await post(`/v1/runs/${orphan}/rerun`)).toMatchObject({ status: 404, json: { code: "function_not_found" } });
  });

  it("SE-18: a rerun is as far from the first event as its original, and answers none of its parents", async () => {
    const original = identity({});
    await runStub(bindings, LOCAL.id, original.runId).start(original);
    const { json } = await post(`/v1/runs/${original.runId}/rerun`);
    const origin = await runStub(bindings, LOCAL.id, json.data.run_id).origin([]);
    expect(origin?.identity).toMatchObject({ depth: 2, parent: null, gathered: true, originalRunId: original.runId });
  });
});

describe("a run that goes on from another one's results", () => {
  it("CR-26: is not begun when the results are gone, and is begun once when they are there", async () => {
    const original = identity({});
    const stub = runStub(bindings, LOCAL.id, original.runId);
    const fork = identity({ originalRunId: original.runId, parent: null, fork: { stepId: "b", results: 1 } });
    const forked = runStub(bindings, LOCAL.id, fork.runId);
    expect(await forked.start(fork)).toBe("gone");
    expect(await forked.view()).toBeNull();
    await stub.start(original);
    expect(await forked.start(fork)).toBe("gone");
    // Its handler reports a step: that is all it takes to have a result.
    const checkpoint = { functionId: original.function.id, job: 1, generation: 1 };
    const step = { id: "a", label: { name: "a", type: null }, race: false, metadata: [] };
    expect(await stub.checkpoint({ ...checkpoint, ops: [{ op: "run", data: { n: 1 }, ...step }] })).toBe("stored");
    expect(await Promise.all([forked.start(fork), forked.start(fork)])).toEqual(["started", "started"]);
    expect(await forked.actions()).toEqual({ a: { data: { n: 1 } } });
    expect((await forked.view())?.row.sequence).toBe(1);
  });

  it("EX-14: is not begun with more than a run may hold", async () => {
    const original = identity({});
    const stub = runStub(bindings, LOCAL.id, original.runId);
    await stub.start(original);
    for (const id of ["a", "b", "c", "d", "e", "f", "g"]) {
      const op = { op: "run", data: "x".repeat(4_000_000), id, label: { name: id, type: null }, race: false } as const;
      const call = { functionId: original.function.id, job: 1, generation: 1 };
      expect(await stub.checkpoint({ ...call, ops: [{ ...op, metadata: [] }] })).toBe("stored");
    }
    const fork = identity({ originalRunId: original.runId, fork: { stepId: "h", results: 7 } });
    const large = Array.from({ length: 3 }, () => anEvent({ payload: { data: { x: "x".repeat(2_900_000) } } }));
    const forked = runStub(bindings, LOCAL.id, fork.runId);
    expect(await forked.start({ ...fork, events: large })).toBe("too_large");
    expect(await forked.view()).toBeNull();
    expect(await forked.start(fork)).toBe("started");
    expect(Object.keys((await forked.actions()) ?? {})).toHaveLength(7);
  });
});

describe("the reruns of runs", () => {
  it("CR-21: reruns of reruns too, newest first, page by page, of this environment alone", async () => {
    const environmentId = freshEnvironment();
    const start = Date.now();
    const ids = Array.from({ length: 6 }, (_, i) => newUlid(start + i));
    const [first = "", a = "", b = "", c = "", other = "", unrelated = ""] = ids;
    const rows = [
      aRun(environmentId, { runId: first }),
      aRun(environmentId, { runId: a, originalRunId: first }),
      aRun(environmentId, { runId: b, originalRunId: a, replayId: newUlid(start) }),
      aRun(environmentId, { runId: c, originalRunId: first }),
      aRun(LOCAL.id, { runId: other, originalRunId: first }),
      aRun(environmentId, { runId: unrelated }),
    ];
    await db.batch(runStatements(db, rows));
    const page = (cursor: string | null, limit = 10) => rerunsOf(db, environmentId, [first], { cursor, limit });
    expect(await page(null)).toEqual([c, b, a]);
    expect(await page(null, 2)).toEqual([c, b]);
    expect(await page(b)).toEqual([a]);
    expect(await rerunsOf(db, environmentId, [unrelated], { cursor: null, limit: 10 })).toEqual([]);
    expect(await rerunsOf(db, environmentId, [], { cursor: null, limit: 10 })).toEqual([]);
  });
});

describe("a request that arrives twice", () => {
  it("CR-28: acts under the id of its first copy, per key", async () => {
    const owner = { functionId: "", key: `click-${newUlid(Date.now())}` };
    const window = await windowStub(bindings, freshEnvironment(), "request", owner);
    const answers = await Promise.all(["first", "second", "third"].map((id) => window.first(id)));
    expect(answers).toEqual(["first", "first", "first"]);
    const other = await windowStub(bindings, freshEnvironment(), "request", owner);
    expect(await other.first("other")).toBe("other");
  });
});
