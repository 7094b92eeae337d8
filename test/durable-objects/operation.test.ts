import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { Run } from "../../durable-objects/run.ts";
import type { OperationState } from "../../src/decide/operation/operation.ts";
import type { RunIdentity } from "../../src/decide/run/identity.ts";
import { LOCAL } from "../../src/environments/environment.ts";
import type { RunRow } from "../../src/history/message.ts";
import { runStatements } from "../../src/history/runs.ts";
import { ensureSchema } from "../../src/history/schema.ts";
import { newUlid } from "../../src/ids.ts";
import { OPERATION } from "../../src/limits.ts";
import { operationStub, runStub } from "../../src/objects.ts";
import { anEvent, aRun, bindings, freshEnvironment } from "./records.ts";
import { muteApps, registerFunctions } from "./registered.ts";

// The Worker itself; the plugin types exports only for projects that generate their types.
const worker = (exports as unknown as { default: Fetcher }).default;

const HOUR = 3_600_000;
/** ms; an operation looks at history until it has settled, and a busy machine may take its time. */
const PATIENCE = 60_000;

let functions = 0;
/** A function nobody used before. */
const freshFunction = () => ({ id: `id-of-fn-${functions}`, slug: `shop-fn-${functions++}` });
type Fn = ReturnType<typeof freshFunction>;

/** A run that will not begin before an hour has passed. */
async function startLater(environmentId: string, fn: Fn, user: number, createdAt = Date.now()): Promise<string> {
  const identity: RunIdentity = {
    environmentId,
    runId: newUlid(createdAt),
    app: { id: "app-id", name: "shop" },
    function: { ...fn, name: fn.slug, version: 1 },
    retries: 4,
    events: [anEvent({ payload: { name: "app/start", data: { user } } })],
    queuedAt: createdAt,
    startAt: createdAt + HOUR,
    depth: 0,
    parent: null,
    originalRunId: null,
  };
  await runStub(bindings, environmentId, identity.runId).start(identity);
  return identity.runId;
}

interface Wish {
  readonly after?: number;
  readonly before?: number;
  readonly condition?: string;
}

async function cancelMany(environmentId: string, fn: Fn, { after, before, condition }: Wish = {}) {
  const now = Date.now();
  const id = newUlid(now);
  const stub = operationStub(bindings, environmentId, id);
  await stub.begin({
    id,
    environmentId,
    kind: "cancel",
    app: { id: "app-id", name: "shop" },
    function: fn,
    after: after ?? null,
    before: before ?? now,
    condition: condition ?? null,
    createdAt: now,
  });
  return { id, stub };
}

type Stub = Awaited<ReturnType<typeof cancelMany>>["stub"];

async function ends(stub: Stub): Promise<OperationState> {
  return await vi.waitFor(
    async () => {
      const state = await stub.view();
      if (state === null || state.status === "running") throw new Error(`still ${JSON.stringify(state)}`);
      return state;
    },
    { timeout: PATIENCE, interval: 200 },
  );
}

const statusOf = async (environmentId: string, runId: string) =>
  (await runStub(bindings, environmentId, runId).view())?.row.status;
const statuses = async (environmentId: string, runIds: readonly string[]) =>
  new Set(await Promise.all(runIds.map((runId) => statusOf(environmentId, runId))));

const many = <T>(count: number, make: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, i) => make(i)));

/** What happens in an environment before a run is cancelled. */
const before = new Map<string, (runId: string) => Promise<void>>();

beforeAll(async () => {
  await ensureSchema(bindings.DB);
  muteApps();
  await registerFunctions(bindings.DB, LOCAL.id, { "shop-pay": ["app/start"], "shop-mail": ["app/never"] });
  const cancel = Run.prototype.cancel;
  vi.spyOn(Run.prototype, "cancel").mockImplementation(async function (this: Run, cause) {
    const name = (Reflect.get(this, "ctx") as DurableObjectState).id.name ?? "";
    const [environmentId = "", runId = ""] = name.split(":");
    await before.get(environmentId)?.(runId);
    return await cancel.call(this, cause);
  });
});

// Side by side, because each looks at history until that has settled.
describe.concurrent("a bulk cancellation", () => {
  it("CR-9, CR-11: cancels what exists at its moment, known to history or not, and nothing that comes later", {
    timeout: 2 * PATIENCE,
  }, async () => {
    const [environmentId, fn, other] = [freshEnvironment(), freshFunction(), freshFunction()];
    const meant = await many(12, () => startLater(environmentId, fn, 1));
    const spared = await many(3, () => startLater(environmentId, fn, 2));
    const others = await many(2, () => startLater(environmentId, other, 1));
    await scheduler.wait(2);
    // No run has shown itself to history yet: that takes a second.
    const { id, stub } = await cancelMany(environmentId, fn, { condition: "event.data.user == 1" });
    const fresh = await startLater(environmentId, fn, 1);
    expect(await ends(stub)).toMatchObject({ status: "completed", count: 12, failed: 0 });
    expect(await statuses(environmentId, meant)).toEqual(new Set(["cancelled"]));
    expect(await statuses(environmentId, [...spared, ...others, fresh])).toEqual(new Set(["queued"]));
    const view = await runStub(bindings, environmentId, meant[0] ?? "").view();
    expect(view?.row.cancelReason).toEqual({ by: "bulk", cancellationId: id });
  });

  it("CR-9: only runs created in its range", { timeout: 2 * PATIENCE }, async () => {
    const [environmentId, fn] = [freshEnvironment(), freshFunction()];
    const now = Date.now();
    const [early, within, late] = await Promise.all(
      [10, 5, 1].map((minutes) => startLater(environmentId, fn, 1, now - minutes * 60_000)),
    );
    const range = { after: now - 6 * 60_000, before: now - 4 * 60_000 };
    const { stub } = await cancelMany(environmentId, fn, range);
    expect(await ends(stub)).toMatchObject({ count: 1 });
    expect(await statusOf(environmentId, within ?? "")).toBe("cancelled");
    expect(await statuses(environmentId, [early ?? "", late ?? ""])).toEqual(new Set(["queued"]));
  });

  it("CR-9: goes through any number of runs, ended ones included, a bounded page at a time", {
    timeout: 2 * PATIENCE,
  }, async () => {
    const [environmentId, fn] = [freshEnvironment(), freshFunction()];
    const ended: RunRow[] = Array.from({ length: OPERATION.page.rows + 50 }, () =>
      aRun(environmentId, { functionId: fn.id, status: "completed" }),
    );
    await bindings.DB.batch(runStatements(bindings.DB, ended));
    const open = await many(5, () => startLater(environmentId, fn, 1));
    await scheduler.wait(2);
    const { stub } = await cancelMany(environmentId, fn, { before: Date.now() + HOUR });
    expect(await ends(stub)).toMatchObject({ status: "completed", count: 5 });
    expect(await statuses(environmentId, open)).toEqual(new Set(["cancelled"]));
  });

  it("CR-24, row 1: a crash in the middle loses and doubles nothing", { timeout: 2 * PATIENCE }, async () => {
    const [environmentId, fn] = [freshEnvironment(), freshFunction()];
    const runIds = await many(6, () => startLater(environmentId, fn, 1));
    await bindings.DB.batch(
      runStatements(
        bindings.DB,
        runIds.map((runId) =>
          aRun(environmentId, { runId, functionId: fn.id, status: "queued", sequence: 0, output: null }),
        ),
      ),
    );
    await scheduler.wait(2);
    let asked = 0;
    let crash = () => {};
    const crashed = new Promise<void>((resolve) => {
      crash = resolve;
    });
    before.set(environmentId, async () => {
      if (asked++ >= 3) await crashed;
    });
    const { id, stub } = await cancelMany(environmentId, fn);
    await vi.waitFor(() => expect(asked).toBeGreaterThan(3), PATIENCE);
    const aborted = runInDurableObject(stub, (_, context) => context.abort("crash"));
    await aborted.catch(() => undefined);
    crash();
    const reborn = operationStub(bindings, environmentId, id);
    await runDurableObjectAlarm(reborn);
    expect(await ends(reborn)).toMatchObject({ status: "completed", count: 6 });
    expect(await statuses(environmentId, runIds)).toEqual(new Set(["cancelled"]));
  });

  it("row 22: a run that cannot be reached keeps nobody else, and is tried again", {
    timeout: 2 * PATIENCE,
  }, async () => {
    const [environmentId, fn] = [freshEnvironment(), freshFunction()];
    const runIds = await many(3, () => startLater(environmentId, fn, 1));
    await scheduler.wait(2);
    let failures = 2;
    before.set(environmentId, async (runId) => {
      if (runId === runIds[0] && failures-- > 0) throw new Error("partition");
    });
    const { stub } = await cancelMany(environmentId, fn);
    expect(await ends(stub)).toMatchObject({ status: "completed", count: 3, failed: 0 });
    expect(failures).toBeLessThan(0);
  });

  it("nobody began it: there is nothing", async () => {
    const stub = operationStub(bindings, freshEnvironment(), newUlid(Date.now()));
    expect([await stub.view(), await stub.stop()]).toEqual([null, null]);
    expect(await runDurableObjectAlarm(stub)).toBe(false);
  });
});

describe("a bulk cancellation by itself", () => {
  it("row 25: history that cannot be read is tried again", { timeout: 2 * PATIENCE }, async () => {
    const [environmentId, fn] = [freshEnvironment(), freshFunction()];
    const runId = await startLater(environmentId, fn, 1);
    await scheduler.wait(2);
    const prepare = vi.spyOn(bindings.DB, "prepare").mockImplementationOnce(() => {
      throw new Error("D1 is away");
    });
    const { stub } = await cancelMany(environmentId, fn);
    prepare.mockRestore();
    expect(await ends(stub)).toMatchObject({ status: "completed", count: 1 });
    expect(await statusOf(environmentId, runId)).toBe("cancelled");
  });

  it("API-12: stopped, it cancels no more runs, and is gone from memory when its time is over", async () => {
    const [environmentId, fn] = [freshEnvironment(), freshFunction()];
    const runId = await startLater(environmentId, fn, 1);
    await scheduler.wait(2);
    const { stub } = await cancelMany(environmentId, fn);
    expect(await stub.stop()).toMatchObject({ status: "stopped" });
    expect(await stub.stop()).toMatchObject({ status: "stopped" });
    await scheduler.wait(2500);
    expect(await statusOf(environmentId, runId)).toBe("queued");
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 400 * 24 * HOUR });
    await runDurableObjectAlarm(stub);
    vi.useRealTimers();
    expect(await stub.view()).toBeNull();
    expect(await runInDurableObject(stub, (_, { storage }) => storage.getAlarm())).toBeNull();
  });
});

describe.concurrent("/v1/cancellations", () => {
  const call = async (method: string, path: string, body?: object) => {
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    const reply = await worker.fetch(new Request(`http://engine${path}`, { method, ...text }));
    // biome-ignore lint/suspicious/noExplicitAny: a reply is whatever the test says it is.
    return { status: reply.status, body: (await reply.json()) as any };
  };
  const iso = (time: number) => new Date(time).toISOString();

  it("CR-9, API-12: the reply is bare and in the envelope; progress, list and stop", {
    timeout: 2 * PATIENCE,
  }, async () => {
    const fn = { id: "id-of-shop-pay", slug: "shop-pay" };
    const runIds = await many(3, (i) => startLater(LOCAL.id, fn, i));
    await scheduler.wait(2);
    const now = Date.now();
    const wish = { app_id: "shop", function_id: "pay", started_before: iso(now), if: "event.data.user < 2" };
    const { status, body } = await call("POST", "/v1/cancellations", wish);
    expect(status).toBe(200);
    const { data, metadata, ...bare } = body;
    expect(bare).toEqual(data);
    expect(metadata).toMatchObject({ cached_until: null });
    expect(data).toEqual({
      id: expect.stringMatching(/^[0-9A-Z]{26}$/),
      name: null,
      environment_id: LOCAL.id,
      app_id: "app-id",
      app_name: "shop",
      function_internal_id: "id-of-shop-pay",
      function_id: "pay",
      function_slug: "shop-pay",
      started_after: null,
      started_before: iso(now),
      if: "event.data.user < 2",
      created_at: expect.stringMatching(/Z$/),
      ended_at: null,
      status: "running",
      count: 0,
      failed: 0,
    });
    const path = `/v1/cancellations/${data.id}`;
    await vi.waitFor(
      async () => expect((await call("GET", path)).body.data).toMatchObject({ status: "completed", count: 2 }),
      {
        timeout: PATIENCE,
        interval: 200,
      },
    );
    expect(await Promise.all(runIds.map((runId) => statusOf(LOCAL.id, runId)))).toEqual([
      "cancelled",
      "cancelled",
      "queued",
    ]);
    const second = await call("POST", "/v1/cancellations", { ...wish, function_id: "shop-mail", if: null });
    expect(await call("DELETE", `/v1/cancellations/${second.body.id}`)).toEqual({ status: 200, body: { ok: true } });
    const list = await call("GET", "/v1/cancellations?limit=2");
    expect(
      list.body.data.map((one: { id: string; status: string; count: number }) => [one.id, one.status, one.count]),
    ).toEqual([
      [second.body.id, "stopped", 0],
      [data.id, "completed", 2],
    ]);
    const page = await call("GET", "/v1/cancellations?limit=1");
    const next = await call("GET", `/v1/cancellations?limit=1&cursor=${page.body.metadata.next_cursor}`);
    expect(next.body.data[0].id).toBe(data.id);
    expect(next.body.metadata.next_cursor).toBeNull();
  });

  it.each([
    [{ app_id: "nobody" }, 404, "app_not_found"],
    [{ function_id: "nothing" }, 404, "function_not_found"],
    [{ app_id: undefined }, 400, "invalid_request"],
    [{ function_id: 7 }, 400, "invalid_request"],
    [{ started_before: undefined }, 400, "invalid_request"],
    [{ started_before: "yesterday" }, 400, "invalid_request"],
    [{ started_before: "2999-01-01T00:00:00Z" }, 400, "invalid_request"],
    [{ started_after: "2030-01-01T00:00:00Z" }, 400, "invalid_request"],
    [{ if: "event.data.user ==" }, 400, "expression_invalid"],
    [{ if: "async.data.user == 1" }, 400, "expression_invalid"],
  ])("API-4: %j is refused", async (draft, status, code) => {
    const wish = { app_id: "shop", function_id: "pay", started_before: "2026-01-01T00:00:00Z", ...draft };
    expect(await call("POST", "/v1/cancellations", wish)).toMatchObject({ status, body: { code } });
  });

  it("API-4: an unknown cancellation is 404", async () => {
    for (const id of [newUlid(Date.now()), "nonsense"]) {
      for (const method of ["GET", "DELETE"]) {
        expect(await call(method, `/v1/cancellations/${id}`)).toMatchObject({
          status: 404,
          body: { code: "not_found" },
        });
      }
    }
  });
});
