import { Hono } from "hono";
import { beforeAll, describe, expect, it } from "vitest";
import type { Api } from "../../src/api/api.ts";
import { home } from "../../src/api/home.ts";
import { restV0 } from "../../src/api/rest-v0.ts";
import { restV1 } from "../../src/api/rest-v1.ts";
import type { Bindings } from "../../src/bindings.ts";
import type { RunIdentity } from "../../src/decide/run/identity.ts";
import { LOCAL } from "../../src/environments/environment.ts";
import { ERRORS, MillraceError } from "../../src/errors.ts";
import type { RoutedEvent } from "../../src/events/event.ts";
import { storeEvents } from "../../src/history/events.ts";
import { runStatements } from "../../src/history/runs.ts";
import { ensureSchema } from "../../src/history/schema.ts";
import { newUlid } from "../../src/ids.ts";
import { FANOUT } from "../../src/limits.ts";
import { runStub } from "../../src/objects.ts";
import { settingsOf } from "../../src/settings.ts";
import { anEvent, aRun, bindings } from "./records.ts";

const db = bindings.DB;
const HOUR = 60 * 60 * 1000;
const KEY = "ab".repeat(16);
// A deployment of its own as far as the settings are concerned.
const cloud: Bindings = { ...bindings, MILLRACE_MODE: "cloud", INNGEST_SIGNING_KEY: `signkey-prod-${KEY}` };

/** The surfaces under test, with what the router gives every route. */
const app = new Hono<Api>();
app.use(async (context, next) => {
  context.set("settings", settingsOf(context.env));
  await next();
});
app.route("/", home).route("/", restV0).route("/", restV1);
app.onError((error, context) => {
  if (!(error instanceof MillraceError)) throw error;
  return context.json({ code: error.code }, ERRORS[error.code].status ?? 500);
});

async function get(path: string, env = bindings, headers: Record<string, string> = {}) {
  const response = await app.request(path, { headers }, env);
  // biome-ignore lint/suspicious/noExplicitAny: a reply is whatever the test says it is.
  return { status: response.status, body: (await response.json()) as any };
}

async function store(...events: RoutedEvent[]): Promise<void> {
  await storeEvents(db, LOCAL.id, events, { routed: true });
}

const fn = { functionId: "22222222-2222-8222-8222-222222222222", functionSlug: "shop-pay" };
const OLD = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/** A run that its object holds and that will not begin before an hour has passed. */
async function startLater(event: RoutedEvent, runId = newUlid(Date.now())): Promise<string> {
  const now = Date.now();
  const identity: RunIdentity = {
    environmentId: LOCAL.id,
    runId,
    app: { id: "11111111-1111-8111-8111-111111111111", name: "shop" },
    function: { id: fn.functionId, slug: fn.functionSlug, name: "Pay", version: 1 },
    retries: 4,
    events: [event],
    queuedAt: now,
    startAt: now + HOUR,
    depth: 0,
    parent: null,
    originalRunId: null,
  };
  await runStub(bindings, LOCAL.id, runId).start(identity);
  return runId;
}

beforeAll(() => ensureSchema(db));

describe("API-2: authentication", () => {
  it.each([
    `/v1/events`,
    `/v1/events/${OLD}`,
    `/v1/events/${OLD}/runs`,
    `/v1/runs`,
    `/v1/runs/${OLD}`,
    `/v1/runs/${OLD}/jobs`,
  ])("%s refuses a stranger in cloud mode", async (path) => {
    expect(await get(path, cloud)).toEqual({ status: 401, body: { code: "unauthorized" } });
    const { status } = await get(path, cloud, { authorization: `Bearer signkey-prod-${KEY}` });
    expect([200, 404]).toContain(status);
  });

  it.each([`/v0/runs/${OLD}/batch`, `/v0/runs/${OLD}/actions`])("%s refuses a stranger in cloud mode", async (path) => {
    expect((await get(path, cloud)).status).toBe(401);
  });
});

describe("/v1/events", () => {
  it("API-3: one event is found by both ids, in the envelope", async () => {
    const event = anEvent({ deduplicationId: "order-77", payload: { data: { n: 1 } } });
    await store(event);
    const byInternal = await get(`/v1/events/${event.event.internalId}`);
    expect(byInternal.status).toBe(200);
    expect(byInternal.body).toEqual({
      data: expect.objectContaining({ internal_id: event.event.internalId, id: "order-77", data: { n: 1 } }),
      metadata: { fetched_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/), cached_until: null },
    });
    expect((await get("/v1/events/order-77")).body.data).toEqual(byInternal.body.data);
  });

  it("API-5: lists are paged through next_cursor", async () => {
    const name = "paged/event";
    const events = Array.from({ length: 5 }, () => anEvent({ payload: { name } }));
    await store(...events);
    const first = await get(`/v1/events?name=${name}&limit=3`);
    const second = await get(`/v1/events?name=${name}&limit=3&cursor=${first.body.metadata.next_cursor}`);
    const ids = [...first.body.data, ...second.body.data].map((event) => event.internal_id);
    expect(ids).toEqual(events.map(({ event }) => event.internalId).reverse());
    expect(second.body.metadata.next_cursor).toBeNull();
  });

  it("API-4: a query that is not understood is refused", async () => {
    expect(await get("/v1/events?received_after=yesterday")).toEqual({
      status: 400,
      body: { code: "invalid_request" },
    });
    expect(await get("/v1/runs?status=Done")).toEqual({ status: 400, body: { code: "invalid_request" } });
    expect(await get("/v1/runs?time_field=sequence")).toEqual({ status: 400, body: { code: "invalid_request" } });
  });

  it("EV-8: an unknown id that is not young is refused at once", async () => {
    const began = Date.now();
    for (const path of [`/v1/events/${OLD}`, `/v1/events/${OLD}/runs`, "/v1/events/no-such-id"]) {
      expect(await get(path)).toEqual({ status: 404, body: { code: "event_not_found" } });
    }
    expect(Date.now() - began).toBeLessThan(1000);
  });

  it("EV-8: a young event is waited for until it is recorded", async () => {
    const event = anEvent();
    const reading = get(`/v1/events/${event.event.internalId}`);
    const early = await Promise.race([reading, scheduler.wait(500).then(() => "still waiting")]);
    expect(early).toBe("still waiting");
    await store(event);
    expect((await reading).status).toBe(200);
  });

  it("EV-8: the runs are waited for until the fan-out is recorded", async () => {
    const pending = anEvent();
    await storeEvents(db, LOCAL.id, [pending], { routed: false });
    const runId = await startLater(pending);
    const reading = get(`/v1/events/${pending.event.internalId}/runs`);
    await scheduler.wait(300);
    await store({ ...pending, outcomes: [{ ...fn, outcome: "started", runId }] });
    expect((await reading).body.data.map((run: { run_id: string }) => run.run_id)).toEqual([runId]);
  });

  it("EV-8: the wait ends after its time, with what there is", { timeout: 3 * FANOUT.readWait }, async () => {
    const pending = anEvent();
    await storeEvents(db, LOCAL.id, [pending], { routed: false });
    const began = Date.now();
    const [unknown, unrouted] = await Promise.all([
      get(`/v1/events/${newUlid(began)}`),
      get(`/v1/events/${pending.event.internalId}/runs`),
    ]);
    expect(unknown.status).toBe(404);
    expect(unrouted).toMatchObject({ status: 200, body: { data: [] } });
    expect(Date.now() - began).toBeGreaterThanOrEqual(FANOUT.readWait);
    expect(Date.now() - began).toBeLessThan(FANOUT.readWait + 1000);
  });

  it("API-8: the runs of an event come newest first and in pages, from objects or from history", async () => {
    const event = anEvent();
    const archived = aRun(LOCAL.id);
    await db.batch(runStatements(db, [archived]));
    const live = await startLater(event);
    const runIds = [archived.runId, live].sort().reverse();
    const started = runIds.map((runId) => ({ ...fn, outcome: "started", runId }) as const);
    await store({ ...event, outcomes: [...started, { ...fn, outcome: "skipped", reason: "rate_limited" }] });
    const path = `/v1/events/${event.event.internalId}/runs`;
    const { body } = await get(path);
    expect(body.data.map((run: { run_id: string }) => run.run_id)).toEqual(runIds);
    expect(body.metadata.next_cursor).toBeNull();
    const first = await get(`${path}?limit=1`);
    const second = await get(`${path}?limit=1&cursor=${first.body.metadata.next_cursor}`);
    expect([first, second].map((page) => page.body.data[0].run_id)).toEqual(runIds);
    expect(second.body.metadata.next_cursor).toBeNull();
  });
});

describe("/v1/runs", () => {
  it("API-6: a run is asked of its object, whatever history says", async () => {
    const runId = await startLater(anEvent());
    await db.batch(runStatements(db, [aRun(LOCAL.id, { runId, status: "running", sequence: 99 })]));
    expect((await get(`/v1/runs/${runId}`)).body.data).toMatchObject({
      run_id: runId,
      status: "Scheduled",
      ended_at: null,
    });
  });

  it("a run whose object is gone is read from history and has no jobs", async () => {
    const run = aRun(LOCAL.id, { status: "failed", output: { message: "boom" } });
    await db.batch(runStatements(db, [run]));
    expect((await get(`/v1/runs/${run.runId}`)).body.data).toMatchObject({
      status: "Failed",
      output: { message: "boom" },
    });
    expect((await get(`/v1/runs/${run.runId}/jobs`)).body.data).toEqual([]);
  });

  it.each([OLD, "no-run", "'; DROP TABLE runs; --"])("API-4: the unknown run %s is 404 run_not_found", async (id) => {
    for (const path of [`/v1/runs/${encodeURIComponent(id)}`, `/v1/runs/${encodeURIComponent(id)}/jobs`]) {
      expect(await get(path)).toEqual({ status: 404, body: { code: "run_not_found" } });
    }
  });

  it("SE-8: a run of another environment is not found", async () => {
    const run = aRun("another-environment");
    await db.batch(runStatements(db, [run]));
    expect((await get(`/v1/runs/${run.runId}`)).status).toBe(404);
  });

  it("API-9: jobs tell what is queued and when it is due", async () => {
    const runId = await startLater(anEvent());
    const { body } = await get(`/v1/runs/${runId}/jobs`);
    expect(body.data).toHaveLength(1);
    expect(body.data[0]).toMatchObject({ position: 0, kind: "start", attempt: 0, Raw: null });
    expect(Date.parse(body.data[0].at)).toBeGreaterThan(Date.now() + HOUR - 60_000);
  });

  it("API-10: the list filters by function and status", async () => {
    const functionId = "33333333-3333-8333-8333-333333333333";
    const [failed, completed] = [aRun(LOCAL.id, { functionId, status: "failed" }), aRun(LOCAL.id, { functionId })];
    await db.batch(runStatements(db, [failed, completed]));
    const list = async (query: string) =>
      (await get(`/v1/runs?function_id=${functionId}${query}`)).body.data.map((run: { run_id: string }) => run.run_id);
    expect(await list("")).toEqual([completed.runId, failed.runId]);
    expect(await list("&status=Failed")).toEqual([failed.runId]);
    expect(await list("&status=failed,COMPLETED&limit=1")).toEqual([completed.runId]);
  });
});

describe("/v0", () => {
  it("EX-16: batch and actions are the bare state of a run", async () => {
    const event = anEvent({ payload: { data: { big: true } } });
    const runId = await startLater(event);
    expect(await get(`/v0/runs/${runId}/batch`)).toEqual({ status: 200, body: [event.event.payload] });
    expect(await get(`/v0/runs/${runId}/actions`)).toEqual({ status: 200, body: {} });
  });

  it.each(["batch", "actions"])(
    "%s: 400 for a bad id, 404 for an unknown run, 410 once the state is deleted",
    async (what) => {
      expect(await get(`/v0/runs/nonsense/${what}`)).toEqual({ status: 400, body: { code: "invalid_request" } });
      expect(await get(`/v0/runs/${OLD}/${what}`)).toEqual({ status: 404, body: { code: "run_not_found" } });
      const run = aRun(LOCAL.id);
      await db.batch(runStatements(db, [run]));
      expect(await get(`/v0/runs/${run.runId}/${what}`)).toEqual({ status: 410, body: { code: "run_deleted" } });
    },
  );

  it("telemetry is accepted and ignored", async () => {
    expect((await app.request("/v0/telemetry", { method: "POST", body: "{}" }, bindings)).status).toBe(200);
  });
});

describe("GET /", () => {
  const page = async (env = bindings) => {
    const response = await app.request("http://127.0.0.1:8288/", {}, env);
    return { response, text: await response.text() };
  };

  it("lists runs and events with links to their JSON", async () => {
    const [run, event] = [aRun(LOCAL.id, { status: "failed" }), anEvent({ payload: { name: "home/seen" } })];
    await db.batch(runStatements(db, [run]));
    await store(event);
    const { response, text } = await page();
    expect(response.headers.get("content-type")).toContain("text/html");
    for (const part of [
      `/v1/runs/${run.runId}`,
      "Failed",
      "shop-pay",
      `/v1/events/${event.event.internalId}`,
      "home/seen",
      "nothing matched",
    ]) {
      expect(text).toContain(part);
    }
  });

  it("SE-19: shows data as text only, and could run no script", async () => {
    const attack = `<img src=x onerror="alert('1')">`;
    const outcomes = [{ functionId: "f", functionSlug: attack, outcome: "expression_error", reason: attack }] as const;
    await store(anEvent({ source: attack, payload: { name: attack }, outcomes }));
    await db.batch(runStatements(db, [aRun(LOCAL.id, { functionSlug: attack, eventName: attack })]));
    const { response, text } = await page();
    expect(text).toContain("&lt;img src=x");
    expect(text).not.toContain("<img");
    expect(text).not.toContain("<script");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  });

  it("SE-21: tells a stranger nothing in cloud mode", async () => {
    const { text } = await page(cloud);
    expect(text).toContain("Millrace");
    expect(text).not.toMatch(/\d+\.\d+\.\d+|01[0-9A-Z]{24}|shop|event|\/v1\//);
  });

  it("shows how to send the first event while there is none", async () => {
    await db.exec("DELETE FROM events");
    await db.exec("DELETE FROM runs");
    const { text } = await page();
    expect(text).toContain("curl http://127.0.0.1:8288/e/");
    expect(text).toContain("No run yet");
  });
});
