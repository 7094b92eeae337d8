import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { Run } from "../../durable-objects/run.ts";
import type { RunIdentity } from "../../src/decide/run/identity.ts";
import { LOCAL } from "../../src/environments/environment.ts";
import type { RoutedEvent } from "../../src/events/event.ts";
import { eraseRows, forgetErased } from "../../src/history/erased.ts";
import { loadStoredEvents } from "../../src/history/events.ts";
import type { RunRow } from "../../src/history/message.ts";
import { projectionStatements } from "../../src/history/projection.ts";
import { findRun } from "../../src/history/runs.ts";
import { ensureSchema } from "../../src/history/schema.ts";
import { newUlid } from "../../src/ids.ts";
import { DELETION, METRICS } from "../../src/limits.ts";
import { runStub } from "../../src/objects.ts";
import { askRun } from "../../src/runs/ask.ts";
import { ask } from "./cloud.ts";
import { playApp } from "./isolation/app.ts";
import { inDatabase, inObjects } from "./isolation/contents.ts";
import { anEvent, aRun, bindings, freshEnvironment } from "./records.ts";
import { registerFunctions } from "./registered.ts";

// The Worker itself; the plugin types exports only for projects that generate their types.
const worker = (exports as unknown as { default: Fetcher }).default;

/** ms; a deletion waits until history has settled, and a busy machine may take its time. */
const PATIENCE = 90_000;
const LONG = { timeout: 2 * PATIENCE };

const call = async (method: string, path: string, body?: unknown) => {
  const text = body === undefined ? {} : { body: JSON.stringify(body) };
  const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  const reply = await worker.fetch(new Request(`http://engine${path}`, { method, headers, ...text }));
  const answer = await reply.text();
  // biome-ignore lint/suspicious/noExplicitAny: a reply is whatever the test says it is.
  return { status: reply.status, text: answer, body: (answer.startsWith("{") ? JSON.parse(answer) : null) as any };
};

/** Sends an event of a user; gives its internal id. */
async function send(name: string, user: string, data: object = {}): Promise<string> {
  const { body } = await call("POST", "/e/key", { name, user: { external_id: user }, data });
  return body.ids[0];
}

/** Every run that led from this event has ended, and history knows it. */
async function settled(eventId: string, count: number): Promise<RunRow[]> {
  return await vi.waitFor(
    async () => {
      const [event] = await loadStoredEvents(bindings.DB, LOCAL.id, [eventId]);
      const ids =
        event?.outcomes.flatMap((one) => ("runId" in one && one.runId !== undefined ? [one.runId] : [])) ?? [];
      const rows = await Promise.all(ids.map((id) => findRun(bindings.DB, LOCAL.id, id)));
      const ended = rows.filter((row) => row !== null && row.endedAt !== null);
      if (ended.length < count) throw new Error(`${ended.length} of ${count} runs have ended`);
      return ended.filter((row) => row !== null);
    },
    { timeout: PATIENCE, interval: 200 },
  );
}

async function deleted(wish: object) {
  const begun = await call("POST", "/v1/deletions", wish);
  expect(begun, begun.text).toMatchObject({ status: 200, body: { data: { status: "running" } } });
  const path = `/v1/deletions/${begun.body.data.id}`;
  return await vi.waitFor(
    async () => {
      const { body } = await call("GET", path);
      if (body.data.status === "running") throw new Error(JSON.stringify(body.data));
      return body.data;
    },
    { timeout: PATIENCE, interval: 250 },
  );
}

/** Where a text is stored. */
async function placesOf(text: string): Promise<string[]> {
  const kept = [...(await inDatabase()), ...(await inObjects())];
  return kept
    .filter(({ where, row }) => `${where} ${row}`.includes(text))
    .map(({ where, table }) => `${where} ${table}`);
}

/** A start that comes late. */
function start(runId: string, events: readonly RoutedEvent[]) {
  const now = Date.now();
  const identity: RunIdentity = {
    environmentId: LOCAL.id,
    runId,
    app: { id: "app-id", name: "shop" },
    function: { id: "id-of-order", slug: "order", name: "order", version: 1 },
    retries: 0,
    events,
    queuedAt: now,
    startAt: now,
    depth: 0,
    parent: null,
    originalRunId: null,
  };
  return askRun(bindings, LOCAL.id, runId, (run) => run.start(identity));
}

/** Runs that cannot be reached once. */
const unreachable = new Set<string>();

const statusOf = async (runId: string) =>
  (await askRun(bindings, LOCAL.id, runId, (run) => run.view()))?.row.status ?? null;

beforeAll(async () => {
  await ensureSchema(bindings.DB);
  playApp({
    order: ({ steps, event }) => {
      const { secret } = event.data;
      if (!("a" in steps)) return { ops: [{ id: "a", op: "StepRun", displayName: "a", data: `noted ${secret}` }] };
      const opts = { function_id: "child", payload: { data: { secret } } };
      if (!("c" in steps)) return { ops: [{ id: "c", op: "InvokeFunction", displayName: "c", opts }] };
      return { output: { secret } };
    },
    child: ({ event }) => ({ output: `child of ${event.data["secret"]}` }),
    fails: ({ event }) =>
      Response.json(
        { name: "Error", message: `no ${event.data["secret"]}` },
        { status: 400, headers: { "x-inngest-sdk": "inngest-js:v4.24.0", "x-inngest-no-retry": "true" } },
      ),
    handler: ({ event }) => ({ output: event.data }),
    sleeper: () => ({ ops: [{ id: "long", op: "Sleep", name: "1h", opts: {} }] }),
  });
  const erase = Run.prototype.erase;
  vi.spyOn(Run.prototype, "erase").mockImplementation(async function (this: Run) {
    const name = (Reflect.get(this, "ctx") as DurableObjectState).id.name ?? "";
    if (unreachable.delete(name.split(":")[1] ?? "")) throw new Error("partition");
    return await erase.call(this);
  });
  const failures = { event: "inngest/function.failed", expression: 'event.data.function_id == "fails"' };
  await registerFunctions(bindings.DB, LOCAL.id, {
    order: ["order/placed"],
    child: [],
    fails: ["order/placed"],
    handler: [failures],
    sleeper: ["user/rests"],
  });
});

describe.concurrent("a deletion", () => {
  it("OB-25: by external id: neither search nor storage contains it, and nothing brings it back", LONG, async () => {
    const [canary, secret] = ["canary-user-77", "canary-secret-77"];
    const mine = await send("order/placed", canary, { secret });
    const unheard = await send("user/unheard", canary, { secret });
    const other = await send("order/placed", "somebody-else", { secret: "theirs" });
    const runs = await settled(mine, 2);
    const others = await settled(other, 2);
    const again = await call("POST", `/v1/runs/${runs[0]?.runId}/rerun`, {});
    await vi.waitFor(async () => expect(await statusOf(again.body.data.run_id)).toMatch(/completed|failed/), PATIENCE);
    const events = await loadStoredEvents(bindings.DB, LOCAL.id, [mine, unheard]);
    expect((await placesOf(secret)).length).toBeGreaterThan(5);

    const preview = await call("POST", "/v1/deletions", { external_id: canary, dry_run: true });
    expect(preview.body.data).toEqual({ dry_run: true, count: 2, exact: true });
    expect((await call("GET", `/v1/events/${mine}`)).status).toBe(200);
    const done = await deleted({ external_id: canary });
    expect(done).toMatchObject({ status: "completed", by: "external_id", count: 2, kept: 0, failed: 0 });

    expect(await placesOf(canary)).toEqual([]);
    expect(await placesOf(secret)).toEqual([]);
    for (const path of [`/v1/events/${mine}`, `/v1/events/${unheard}`, `/v1/runs/${runs[0]?.runId}`]) {
      expect((await call("GET", path)).status, path).toBe(404);
    }
    const tool = { name: "get_run_status", arguments: { runId: runs[0]?.runId } };
    for (const { text } of [
      await call("GET", `/v1/events?limit=100&names=order/placed,inngest/function.failed,inngest/function.finished`),
      await call("GET", "/v1/runs?limit=100"),
      await call("GET", `/v1/search?q=${runs[0]?.runId}`),
      await call("GET", `/v1/deletions/${done.id}`),
      await call("GET", "/v1/deletions"),
      await call("POST", "/v1/insights/query", { sql: "SELECT id, name, data FROM events" }),
      await call("POST", "/v1/insights/query", { sql: "SELECT id, output FROM runs" }),
      await call("POST", "/v0/gql", { query: `{ run(runID: "${runs[0]?.runId}") { output } }` }),
      await call("POST", "/mcp", { jsonrpc: "2.0", id: 1, method: "tools/call", params: tool }),
    ]) {
      expect(text).not.toContain(canary);
      expect(text).not.toContain(secret);
    }
    // Another user's is all there.
    for (const { runId } of others) expect((await call("GET", `/v1/runs/${runId}`)).status).toBe(200);

    // What was under way comes late: a report, and a start that is repeated.
    const late = events.map((stored) => ({ environmentId: LOCAL.id, stored, routed: true }));
    const large = {
      ...events[0],
      event: { ...events[0]?.event, payload: { name: "x", data: { secret: secret.repeat(99_999) } } },
    };
    for (const entries of [late, [{ environmentId: LOCAL.id, stored: large as never, routed: true }]]) {
      await bindings.DB.batch(
        projectionStatements(
          bindings.DB,
          entries,
          runs.map((run) => ({ ...run, sequence: run.sequence + 1 })),
        ),
      );
    }
    for (const { runId } of runs) {
      expect(await start(runId, events.slice(0, 1))).toBe("started");
      expect(await statusOf(runId)).toBeNull();
    }
    expect(await placesOf(secret)).toEqual([]);
  });

  it("OB-25: one run, with its failure handler's; its event stays", LONG, async () => {
    const eventId = await send("order/placed", "of-one-run", { secret: "secret-of-one-run" });
    const failed = (await settled(eventId, 2)).find(({ functionSlug }) => functionSlug === "fails");
    const done = await deleted({ run_id: failed?.runId });
    expect(done).toMatchObject({ status: "completed", by: "run_id", run_id: failed?.runId, count: 1 });
    expect((await call("GET", `/v1/runs/${failed?.runId}`)).status).toBe(404);
    expect((await call("GET", `/v1/events/${eventId}`)).status).toBe(200);
    expect((await placesOf("no secret-of-one-run")).length).toBe(0);
  });

  it("OB-25: what has not ended is left, or cancelled first", LONG, async () => {
    const eventId = await send("user/rests", "restless");
    const runId = await vi.waitFor(async () => {
      const [run] = (await call("GET", `/v1/events/${eventId}/runs`)).body.data;
      expect(run.status).toBe("Running");
      return run.run_id;
    }, PATIENCE);
    for (const wish of [{ run_id: runId }, { event_id: eventId }]) {
      expect(await call("POST", "/v1/deletions", wish)).toMatchObject({ status: 409, body: { code: "conflict" } });
    }
    const wish = { if: 'event.user.external_id == "restless"' };
    expect(await deleted(wish)).toMatchObject({ status: "completed", by: "if", count: 0, kept: 1 });
    expect(await statusOf(runId)).toBe("running");
    expect(await deleted({ event_id: eventId, cancel: true })).toMatchObject({
      status: "completed",
      count: 1,
      kept: 0,
    });
    expect(await statusOf(runId)).toBeNull();
    expect((await placesOf("restless")).length).toBe(0);
  });

  it("OB-25, row 22: what could not be reached is found again, with all that led from it", LONG, async () => {
    const eventId = await send("order/placed", "partitioned", { secret: "secret-of-the-partition" });
    for (const { runId } of await settled(eventId, 2)) unreachable.add(runId);
    expect(await deleted({ event_id: eventId })).toMatchObject({ status: "completed", count: 1, failed: 0 });
    expect(await placesOf("secret-of-the-partition")).toEqual([]);
  });

  it("OB-25: stopped, it forgets what it looked for as well", LONG, async () => {
    await send("user/unheard", "stopped-one");
    const begun = await call("POST", "/v1/deletions", { external_id: "canary-of-the-stopped" });
    const { id } = begun.body.data;
    expect((await call("DELETE", `/v1/deletions/${id}`)).body).toEqual({ ok: true });
    expect((await call("GET", `/v1/deletions/${id}`)).body.data).toMatchObject({ status: "stopped" });
    expect(await placesOf("canary-of-the-stopped")).toEqual([]);
  });

  it("API-2, OB-25: is for admins alone, and for their environment alone", LONG, async () => {
    const wish = { external_id: "nobody-at-all" };
    for (const scope of ["read", "write"]) {
      const made = await ask("POST", "/v1/keys/api", { name: scope, scope });
      const key = made.body.data.key;
      for (const [method, path] of [
        ["POST", "/v1/deletions"],
        ["GET", "/v1/deletions"],
        ["GET", `/v1/deletions/${newUlid(1)}`],
        ["DELETE", `/v1/deletions/${newUlid(1)}`],
      ] as const) {
        const refused = await ask(method, path, method === "POST" ? wish : undefined, { key });
        expect(refused, path).toMatchObject({ status: 403, body: { code: "forbidden" } });
      }
    }
    expect((await ask("POST", "/v1/deletions", wish, { key: null })).status).toBe(401);
    // What the neighbour has is neither found nor removed, whatever it is called.
    const eventId = await send("user/unheard", "two-places");
    for (const mine of [{ event_id: eventId }, { run_id: newUlid(1) }]) {
      expect((await ask("POST", "/v1/deletions", mine)).status).toBe(404);
    }
    const { body } = await ask("POST", "/v1/deletions", { external_id: "two-places", dry_run: true });
    expect(body.data).toMatchObject({ count: 0, exact: true });
    expect((await call("GET", `/v1/events/${eventId}`)).status).toBe(200);
  });

  it("OB-25: a run of which nothing is there yet does not begin when its start comes late", LONG, async () => {
    const runId = newUlid(Date.now());
    const outcome = { functionId: "id-of-order", functionSlug: "order", outcome: "started", runId } as const;
    const stored = anEvent({ outcomes: [outcome], payload: { user: { external_id: "early-bird" } } });
    await bindings.DB.batch(projectionStatements(bindings.DB, [{ environmentId: LOCAL.id, stored, routed: true }], []));
    expect(await deleted({ event_id: stored.event.internalId })).toMatchObject({ status: "completed", count: 1 });
    expect(await start(runId, [stored])).toBe("started");
    expect(await statusOf(runId)).toBeNull();
    await bindings.DB.batch(projectionStatements(bindings.DB, [], [aRun(LOCAL.id, { runId })]));
    expect(await findRun(bindings.DB, LOCAL.id, runId)).toBeNull();
  });

  it.each([
    [{}, 400, "invalid_request"],
    [{ run_id: "a", event_id: "b" }, 400, "invalid_request"],
    [{ external_id: "" }, 400, "invalid_request"],
    [{ run_id: newUlid(1), from: "2026-01-01T00:00:00Z" }, 400, "invalid_request"],
    [{ external_id: "a", from: "2026-01-02T00:00:00Z", until: "2026-01-01T00:00:00Z" }, 400, "invalid_request"],
    [{ if: "event.data.x ==" }, 400, "expression_invalid"],
    [{ if: "output.x == 1" }, 400, "expression_invalid"],
    [{ run_id: newUlid(1) }, 404, "run_not_found"],
    [{ event_id: "nobody-sent-it" }, 404, "event_not_found"],
  ])("API-4: %j is refused", async (wish, status, code) => {
    expect(await call("POST", "/v1/deletions", wish)).toMatchObject({ status, body: { code } });
  });

  it("OB-24: a run of which only the row is left goes, and its report does not bring it back", LONG, async () => {
    const run = aRun(LOCAL.id);
    await bindings.DB.batch(projectionStatements(bindings.DB, [], [run]));
    expect(await deleted({ run_id: run.runId })).toMatchObject({ status: "completed", count: 1 });
    await bindings.DB.batch(projectionStatements(bindings.DB, [], [{ ...run, sequence: 99 }]));
    expect(await findRun(bindings.DB, LOCAL.id, run.runId)).toBeNull();
  });
});

describe("a deleted run", () => {
  it("OB-24: leaves a mark, which goes when its time is over", async () => {
    const stub = runStub(bindings, LOCAL.id, newUlid(Date.now()));
    expect([await stub.erase(), await stub.erase()]).toEqual([true, true]);
    await runDurableObjectAlarm(stub);
    const tables = () =>
      runInDurableObject(stub, (_, { storage }) =>
        storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'erased'").toArray(),
      );
    expect(await tables()).toHaveLength(1);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + DELETION.remembered });
    await runDurableObjectAlarm(stub);
    vi.useRealTimers();
    expect(await tables()).toEqual([]);
    expect(await runInDurableObject(stub, (_, { storage }) => storage.getAlarm())).toBeNull();
  });

  it("OB-25: is counted once, though its report comes again, and so are its event and its calls of models", async () => {
    const environmentId = freshEnvironment();
    const ai = [{ model: "gpt", calls: 1, inputTokens: 1, outputTokens: 1, latency: 1 }];
    const none = { scheduled: 1, succeeded: 1, errored: 0, failed: 0, bytes: 0, steps: 0, busy: 0 };
    const minute = Math.floor(Date.now() / METRICS.bucket);
    const run = aRun(environmentId, { activity: [{ ...none, minute, ai }], repeats: 1 });
    const stored = anEvent();
    const report = () =>
      bindings.DB.batch(projectionStatements(bindings.DB, [{ environmentId, stored, routed: true, by: run }], [run]));
    const counted = async () =>
      (await inDatabase()).filter(({ table, row }) => /_minutes$/.test(table) && row.includes(environmentId));
    await report();
    const before = await counted();
    expect(before.length).toBeGreaterThanOrEqual(2);
    await eraseRows(bindings.DB, environmentId, { runIds: [run.runId], eventIds: [stored.event.internalId] }, 1);
    await report();
    expect(await counted()).toEqual(before);
    // Ids are those of their environment alone.
    const neighbour = freshEnvironment();
    const theirs = { ...run, environmentId: neighbour };
    await bindings.DB.batch(projectionStatements(bindings.DB, [], [theirs]));
    expect(await findRun(bindings.DB, neighbour, run.runId)).not.toBeNull();
  });

  it("OB-24: so do the ids that reports are held against", async () => {
    const environmentId = freshEnvironment();
    const [old, young] = [newUlid(1), newUlid(2)];
    await eraseRows(bindings.DB, environmentId, { runIds: [old], eventIds: [] }, 1000);
    await eraseRows(bindings.DB, environmentId, { runIds: [], eventIds: [young] }, 2000);
    await forgetErased(bindings.DB, environmentId, 2000);
    const rows = bindings.DB.prepare("SELECT id FROM erased WHERE environment_id = ?1").bind(environmentId);
    expect((await rows.all()).results).toEqual([{ id: young }]);
  });
});
