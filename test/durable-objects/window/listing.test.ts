import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import * as z from "zod";
import { router } from "../../../src/api/router.ts";
import { LOCAL } from "../../../src/environments/environment.ts";
import { ensureSchema } from "../../../src/history/schema.ts";
import { directoryStub } from "../../../src/objects.ts";
import { muteApps, registerFunctions } from "../registered.ts";
import { bindings, gatherings, membersOf, type WindowStub, windowOf } from "./gathered.ts";

const MINUTE = 60_000;
const listSchema = z.object({
  data: z.object({
    windows: z.array(
      z.object({
        kind: z.string(),
        key: z.string(),
        run_id: z.string(),
        events: z.number(),
        bytes: z.number(),
        opened_at: z.iso.datetime(),
        closes_at: z.iso.datetime(),
      }),
    ),
    more: z.boolean(),
  }),
});

async function api(method: string, path: string, body?: unknown) {
  const init = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await router.request(path, init, bindings);
  return { status: response.status, json: await response.json() };
}

async function list(slug = "fn") {
  return listSchema.parse((await api("GET", `/v1/functions/${slug}/windows`)).json).data;
}

const until = <T>(check: () => Promise<T>) => vi.waitFor(check, { timeout: 8000, interval: 50 });

/** The open window of a key, with so many events. */
async function batch(key: string, count: number): Promise<{ window: WindowStub; runId: string }> {
  const window = await windowOf(LOCAL.id, "batch", key);
  const options = { version: 1, maxSize: 100, timeout: MINUTE };
  const [runId = ""] = await window.join({ kind: "batch", events: gatherings(count), key, options, depth: 0 });
  return { window, runId };
}

beforeAll(async () => {
  muteApps();
  await ensureSchema(bindings.DB);
  const batchEvents = { maxSize: 100, timeout: MINUTE, key: "event.data.k", condition: null };
  await registerFunctions(bindings.DB, LOCAL.id, { fn: ["app/a"] }, { batchEvents });
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the open windows of a function", () => {
  it("FC-28: are listed with key, events and closing time, by slug and by id, and are gone when they close", async () => {
    const [a, b] = [await batch("a", 2), await batch("a key that does not fit into a name: ".repeat(20), 1)];
    const listed = await until(async () => {
      const { windows } = await list();
      expect(windows).toHaveLength(2);
      return windows;
    });
    expect(listed[0]).toMatchObject({ kind: "batch", key: "a", run_id: a.runId, events: 2 });
    expect(Date.parse(listed[0]?.closes_at ?? "") - Date.parse(listed[0]?.opened_at ?? "")).toBe(MINUTE);
    expect(listed[0]?.bytes).toBeGreaterThan(100);
    expect((await list("id-of-fn")).windows).toEqual(listed);
    await a.window.closeWindow();
    expect((await list()).windows.map(({ run_id }) => run_id)).toEqual([b.runId]);
    await b.window.closeWindow();
    await until(async () => {
      expect((await directoryStub(bindings, LOCAL.id, "id-of-fn").list(["batch"])).entries).toEqual([]);
    });
  });

  it("FC-28: running one now starts its run at once, also when its key is long; a closed one is not open", async () => {
    const key = "k".repeat(1000);
    const { runId } = await batch(key, 3);
    const path = "/v1/functions/fn/windows/run";
    expect(await api("POST", path, { kind: "batch", key })).toMatchObject({
      status: 200,
      json: { data: { run_id: runId } },
    });
    expect(await membersOf(LOCAL.id, runId)).toEqual([0, 1, 2]);
    expect(await api("POST", path, { kind: "batch", key })).toMatchObject({
      status: 404,
      json: { code: "window_not_open" },
    });
  });

  it("refuses what is no window and no function, naming it", async () => {
    const path = "/v1/functions/fn/windows/run";
    expect(await api("POST", path, { kind: "throttle" })).toMatchObject({
      status: 400,
      json: { code: "invalid_request" },
    });
    expect(await api("POST", path, { kind: "batch", key: 5 })).toMatchObject({ status: 400 });
    expect(await api("POST", "/v1/functions/nobody/windows/run", { kind: "batch" })).toMatchObject({
      status: 404,
      json: { code: "function_not_found" },
    });
    expect(await api("GET", "/v1/functions/nobody/windows")).toMatchObject({ status: 404 });
  });

  it("an entry that a crash left behind is not shown, and is removed by the reader", async () => {
    const directory = directoryStub(bindings, LOCAL.id, "id-of-fn");
    await directory.enter({ kind: "batch", key: "gone", name: "left behind" });
    expect((await list()).windows.map(({ key }) => key)).not.toContain("gone");
    expect((await directory.list(["batch"])).entries.map(({ key }) => key)).not.toContain("gone");
  });

  it("a window that lost its place in the directory gets it back when its alarm comes", async () => {
    const { window, runId } = await batch("c", 1);
    await until(async () => expect((await list()).windows.map(({ key }) => key)).toContain("c"));
    await evictDurableObject(window);
    const directory = directoryStub(bindings, LOCAL.id, "id-of-fn");
    for (const { name } of (await directory.list(["batch"])).entries) await directory.leave(name, null);
    await batch("c", 1);
    expect((await list()).windows).toEqual([]);
    await runDurableObjectAlarm(window);
    await until(async () => expect((await list()).windows).toMatchObject([{ key: "c", run_id: runId, events: 2 }]));
    await window.closeWindow();
  });

  it("a window that opens and closes all the time tells the directory about once a second", async () => {
    const directory = directoryStub(bindings, LOCAL.id, "id-of-fn");
    const written = () =>
      runInDurableObject(directory, (_, { storage }) => storage.sql.exec("SELECT total_changes() AS n").one()["n"]);
    const before = Number(await written());
    const began = performance.now();
    for (let i = 0; i < 10; i++) await (await batch("busy", 1)).window.closeWindow();
    await until(async () => expect((await list()).windows).toEqual([]));
    const seconds = Math.ceil((performance.now() - began) / 1000);
    // Each of them enters or leaves, the reader removes what it finds gone.
    expect(Number(await written()) - before).toBeLessThanOrEqual(2 * (seconds + 1));
  });
});
