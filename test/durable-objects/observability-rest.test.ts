import { beforeAll, describe, expect, it, vi } from "vitest";
import { prometheus } from "../../src/api/prometheus.ts";
import { requestRate } from "../../src/api/request-rate.ts";
import { restV1 } from "../../src/api/rest-v1.ts";
import type { Bindings } from "../../src/bindings.ts";
import { LOCAL } from "../../src/environments/environment.ts";
import { projectionStatements } from "../../src/history/projection.ts";
import { ensureSchema } from "../../src/history/schema.ts";
import { newUlid } from "../../src/ids.ts";
import { ask } from "../../src/insights/query.ts";
import { forgetQuery, keepQuery, keptQueries } from "../../src/insights/store.ts";
import { TEMPLATES } from "../../src/insights/templates.ts";
import { INSIGHTS, METRICS, REQUEST_RATE } from "../../src/limits.ts";
import { apiOf } from "./api.ts";
import { anEvent, aRun, bindings, freshEnvironment } from "./records.ts";

const db = bindings.DB;
const KEY = "ab".repeat(16);
const cloud: Bindings = {
  ...bindings,
  MILLRACE_MODE: "cloud",
  INNGEST_SIGNING_KEY: `signkey-prod-${KEY}`,
  MILLRACE_READS_PER_MINUTE: "3",
};

const app = apiOf([restV1, prometheus], [requestRate]);

async function call(
  path: string,
  { env = bindings, method = "GET", body, key }: { env?: Bindings; method?: string; body?: unknown; key?: string } = {},
) {
  const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
  const response = await app.request(path, init, env);
  const text = await response.text();
  // biome-ignore lint/suspicious/noExplicitAny: a reply is whatever the test says it is.
  const json = (text.startsWith("{") ? JSON.parse(text) : null) as any;
  return { status: response.status, text, json, headers: response.headers };
}

beforeAll(() => ensureSchema(db));

describe("insights over REST", () => {
  it("API-35: a question is answered with columns and rows, and is in the history", async () => {
    const asked = await call("/v1/insights/query", { method: "POST", body: { sql: "SELECT 1 AS a, 'x'" } });
    expect(asked.json.data).toMatchObject({
      columns: [
        { name: "a", type: "number" },
        { name: "'x'", type: "text" },
      ],
      rows: [[1, "x"]],
      truncated: false,
    });
    const history = await call("/v1/insights/queries?kind=asked");
    expect(history.json.data[0].sql).toBe("SELECT 1 AS a, 'x'");
  });

  it("SC-146: what is not allowed is 400 and named", async () => {
    for (const [sql, word] of [
      ["WITH x AS (SELECT 1) SELECT * FROM x", "WITH"],
      ["DELETE FROM events", "DELETE"],
    ]) {
      const { status, json } = await call("/v1/insights/query", { method: "POST", body: { sql } });
      expect({ status, code: json.code }).toEqual({ status: 400, code: "query_invalid" });
      expect(json.error).toContain(`${word} is not supported`);
      expect(json.error).toContain("line 1, column 1");
      expect(json.place).toEqual({ line: 1, column: 1 });
    }
  });

  it("OB-22: questions are saved, listed and deleted; another user sees none of them", async () => {
    const saved = await call("/v1/insights/queries", { method: "POST", body: { name: "One", sql: "SELECT 1" } });
    const { id } = saved.json.data;
    const list = async () => (await call("/v1/insights/queries")).json.data.map((query: { id: string }) => query.id);
    expect(await list()).toEqual([id]);
    expect(await keptQueries(db, { environmentId: LOCAL.id, owner: "other" }, "saved")).toEqual([]);
    expect(await forgetQuery(db, { environmentId: LOCAL.id, owner: "other" }, "saved", id)).toBe(false);
    expect((await call(`/v1/insights/queries/${id}`, { method: "DELETE" })).json).toEqual({ ok: true });
    expect(await list()).toEqual([]);
    expect((await call(`/v1/insights/queries/${id}`, { method: "DELETE" })).json.code).toBe("query_not_found");
    expect((await call("/v1/insights/queries", { method: "POST", body: { name: "", sql: "" } })).status).toBe(400);
  });

  it("OB-22: the history holds the last 100 questions", async () => {
    const owner = { environmentId: freshEnvironment(), owner: "a" };
    for (let i = 0; i < INSIGHTS.history + 5; i++) {
      await keepQuery(db, owner, "asked", { id: newUlid(Date.now()), name: "", sql: `SELECT ${i}` });
    }
    const kept = await keptQueries(db, owner, "asked");
    expect(kept).toHaveLength(INSIGHTS.history);
    expect(kept.at(-1)?.sql).toBe("SELECT 5");
  });

  it("OB-22: every template can be asked; tables tell their columns", async () => {
    for (const { sql } of TEMPLATES)
      expect((await ask(db, LOCAL.id, sql, Date.now())).columns.length).toBeGreaterThan(1);
    const { json } = await call("/v1/insights/tables");
    expect(json.data.map(({ name }: { name: string }) => name)).toEqual(["events", "runs"]);
    expect((await call("/v1/insights/templates")).json.data).toHaveLength(TEMPLATES.length);
  });
});

describe("metrics over REST", () => {
  it("OB-16, OB-17, OB-19: charts, shares and figures of one hour add up to its runs", async () => {
    const now = Date.now();
    const T = Math.floor(now / METRICS.bucket) * METRICS.bucket - 5 * METRICS.bucket;
    const minute = T / METRICS.bucket;
    const appId = "99999999-1111-8111-8111-111111111111";
    const runs = Array.from({ length: 10 }, (_, i) =>
      aRun(LOCAL.id, {
        appId,
        functionId: "99999999-2222-8222-8222-222222222222",
        functionSlug: "metrics-fn",
        status: i < 2 ? "failed" : "completed",
        queuedAt: T,
        startedAt: T + 1,
        endedAt: T + 500,
        activity: [{ minute, scheduled: 2, succeeded: 1, errored: 1, failed: 0, bytes: 1, steps: 3, busy: 6000 }],
      }),
    );
    const waiting = aRun(LOCAL.id, {
      appId,
      functionId: "99999999-2222-8222-8222-222222222222",
      functionSlug: "metrics-fn",
      status: "queued",
      queuedAt: T + 60_000,
      startedAt: null,
      endedAt: null,
      output: null,
    });
    await db.batch(projectionStatements(db, [], [...runs, waiting]));
    const get = async (what: string) => (await call(`/v1/metrics/${what}?range=1h&app_id=${appId}`)).json.data;
    expect(await get("status")).toEqual({ completed: 8, failed: 2, cancelled: 0, skipped: 0 });
    expect(await get("failed-functions")).toEqual([
      { function_id: runs[0]?.functionId, function_slug: "metrics-fn", failed: 2, ended: 10 },
    ]);
    const sum = async (what: string) => {
      const { lines, points } = await get(what);
      return lines.map(({ name, values }: { name: string; values: number[] }) => {
        expect(values).toHaveLength(points.length);
        return [name, values.reduce((a, b) => a + b, 0)];
      });
    };
    expect(await sum("runs")).toEqual([[appId, 10]]);
    expect(await sum("steps")).toEqual([[appId, 30]]);
    expect(await sum("requests")).toEqual([
      ["queued", 20],
      ["started", 20],
      ["ended", 20],
    ]);
    expect(await sum("concurrency")).toEqual([["executing", 1]]);
    const { lines, points } = await get("backlog");
    const at = points.findIndex((point: string) => Date.parse(point) === T);
    expect(lines[0].values.slice(at - 1, at + 3)).toEqual([0, 0, 1, 1]);
    const engine = await get("engine");
    expect(Math.max(...engine.lines[0].values)).toBe(0.001);
    expect(engine.first_calls[0]).toEqual({ within_seconds: 0.01, count: 10 });
    expect(engine.first_calls.at(-1)).toEqual({ within_seconds: null, count: 10 });
    expect(engine.database_bytes).toBeGreaterThan(10_000);
    expect((await call("/v1/metrics/status?from=2026-01-01T00:00:00Z&until=2025-01-01T00:00:00Z")).status).toBe(400);
  });

  it("OB-18: an event name has a page of its own", async () => {
    const name = `page/${newUlid(Date.now())}`;
    const events = Array.from({ length: 10 }, () => anEvent({ payload: { name } }));
    await db.batch(
      projectionStatements(
        db,
        events.map((stored) => ({ environmentId: LOCAL.id, stored, routed: true })),
        [],
      ),
    );
    const { json } = await call(`/v1/event-types/one?name=${encodeURIComponent(name)}`);
    expect(json.data).toMatchObject({ name, volume: 10, functions: [], sources: ["js:v4.24.0"] });
    expect(json.data.chart).toHaveLength(24);
    expect((await call("/v1/event-types?limit=100")).json.data.map((type: { name: string }) => type.name)).toContain(
      name,
    );
    expect((await call("/v1/event-types/one?name=none")).json.code).toBe("event_not_found");
  });

  it("API-28, API-25: a scrape is text, and the 31st in a minute is refused with the time to come again", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      const scrapes = [];
      for (let i = 0; i <= REQUEST_RATE.metrics; i++) scrapes.push(await call("/v1/prom/production", { key: "k" }));
      expect(scrapes[0]?.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
      expect(scrapes[0]?.text).toContain("# TYPE inngest_queue_depth gauge");
      expect(scrapes.slice(0, -1).every(({ status }) => status === 200)).toBe(true);
      const last = scrapes.at(-1);
      expect({ status: last?.status, code: last?.json.code }).toEqual({ status: 429, code: "rate_limited" });
      expect(Number(last?.headers.get("retry-after"))).toBeGreaterThan(0);
      // Another key, and the same one a minute later, may ask.
      expect((await call("/metrics", { key: "other" })).status).toBe(200);
      vi.setSystemTime(Date.now() + REQUEST_RATE.window);
      expect((await call("/v1/prom/production", { key: "k" })).status).toBe(200);
    } finally {
      vi.useRealTimers();
    }
  });

  it("API-28: in cloud mode a scrape needs the key of its environment", async () => {
    expect((await call("/v1/prom/production", { env: cloud })).status).toBe(401);
    expect((await call("/v1/prom/production", { env: cloud, key: `signkey-prod-${KEY}` })).status).toBe(200);
    expect((await call("/v1/prom/staging", { env: cloud, key: `signkey-prod-${KEY}` })).status).toBe(404);
    expect((await call("/metrics", { env: cloud, key: `signkey-prod-${KEY}` })).status).toBe(404);
  });
});

describe("API-25: limits on requests", () => {
  it("are the settings' in cloud mode, by key, and there are none in dev mode", async () => {
    const key = `signkey-prod-${KEY}`;
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await call("/v1/runs", { env: cloud, key })).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    expect((await call("/v1/runs", { env: cloud, key: "another" })).status).toBe(401);
    for (let i = 0; i < 10; i++) expect((await call("/v1/runs")).status).toBe(200);
  });

  it("are no concern of SDK endpoints", async () => {
    for (const path of [
      "/v1/checkpoint/x/async",
      "/v1/realtime/publish",
      "/v1/signals",
      "/v1/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV/metadata",
    ]) {
      const statuses = new Set<number>();
      for (let i = 0; i < 5; i++) statuses.add((await call(path, { env: cloud, key: "sdk" })).status);
      // None of these routes is part of this test.
      expect([...statuses]).toEqual([404]);
    }
  });
});

describe("OB-5: the search over everything", () => {
  it("finds runs and events by id, names by their parts", async () => {
    const name = `Global/${newUlid(Date.now())}`;
    const event = anEvent({ payload: { name } });
    const run = aRun(LOCAL.id);
    await db.batch(projectionStatements(db, [{ environmentId: LOCAL.id, stored: event, routed: true }], [run]));
    const search = async (q: string) => (await call(`/v1/search?q=${encodeURIComponent(q)}`)).json.data;
    expect(await search(run.runId.toLowerCase())).toEqual([{ kind: "run", id: run.runId, name: "shop-pay" }]);
    expect(await search(event.event.internalId)).toEqual([{ kind: "event", id: event.event.internalId, name }]);
    expect(await search(name.toLowerCase().slice(2))).toEqual([{ kind: "event_type", id: name, name }]);
    expect(await search("loca")).toContainEqual({ kind: "environment", id: LOCAL.id, name: "local" });
    expect((await call("/v1/search?q=")).status).toBe(400);
  });
});
