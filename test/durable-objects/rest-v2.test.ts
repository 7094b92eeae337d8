import { beforeAll, describe, expect, it } from "vitest";
import { router } from "../../src/api/router.ts";
import type { Bindings } from "../../src/bindings.ts";
import { LOCAL } from "../../src/environments/environment.ts";
import { storeEvents } from "../../src/history/events.ts";
import { runStatements } from "../../src/history/runs.ts";
import { ensureSchema } from "../../src/history/schema.ts";
import { newUlid } from "../../src/ids.ts";
import { anEvent, aRun, bindings } from "./records.ts";
import { registerFunctions } from "./registered.ts";

const db = bindings.DB;
const KEY = "ab".repeat(16);
const cloud: Bindings = {
  ...bindings,
  MILLRACE_MODE: "cloud",
  INNGEST_SIGNING_KEY: `signkey-prod-${KEY}`,
  INNGEST_EVENT_KEY: "event-key-of-many-letters",
};

async function get(path: string, env = bindings, headers: Record<string, string> = {}) {
  const response = await router.request(path, { headers }, env);
  // biome-ignore lint/suspicious/noExplicitAny: a reply is whatever the test says it is.
  return { status: response.status, body: (await response.json()) as any };
}

beforeAll(() => ensureSchema(db));

describe("API-2, API-22: who may ask", () => {
  it("a missing and a wrong key have codes of their own", async () => {
    expect(await get("/v2/runs", cloud)).toMatchObject({
      status: 401,
      body: { errors: [{ code: "authorization_header_missing" }] },
    });
    const wrong = { authorization: `Bearer signkey-prod-${"cd".repeat(16)}` };
    expect(await get("/api/v2/runs", cloud, wrong)).toMatchObject({
      status: 401,
      body: { errors: [{ code: "invalid_signing_key" }] },
    });
  });

  it("keys are shown by the beginning of their hash only", async () => {
    const headers = { authorization: `Bearer ${KEY}` };
    const { body: signing } = await get("/v2/keys/signing", cloud, headers);
    expect(signing.data).toEqual([
      {
        name: "INNGEST_SIGNING_KEY",
        environmentId: expect.any(String),
        fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/),
        isCurrent: true,
      },
    ]);
    const { body: events } = await get("/v2/keys/events", cloud, headers);
    expect(events.data).toHaveLength(1);
    expect(JSON.stringify([signing, events])).not.toMatch(new RegExp(`${KEY.slice(0, 8)}|event-key-of`));
  });

  it("the environments are those that always exist, until there are others", async () => {
    const { body } = await get("/v2/envs", cloud, { authorization: `Bearer ${KEY}` });
    expect(body).toMatchObject({
      data: [
        { name: "production", type: "PRODUCTION", isArchived: false },
        { name: "branches", type: "BRANCHES", isArchived: false },
      ],
      page: { cursor: null, hasMore: false, limit: 20 },
    });
    expect((await get("/v2/envs")).body.data).toMatchObject([{ id: LOCAL.id, type: "DEVELOPMENT" }]);
  });
});

describe("API-22: runs", () => {
  const functionId = "id-of-shop-listed";

  it("SE-8: a run of another environment is not found", async () => {
    const run = aRun("another-environment");
    await db.batch(runStatements(db, [run]));
    for (const path of [`/v2/runs/${run.runId}`, `/v2/runs/${run.runId}/trace`]) {
      expect(await get(path)).toMatchObject({ status: 404, body: { errors: [{ code: "not_found" }] } });
    }
  });

  it("lists go both ways, in pages that neither repeat nor lose a run", async () => {
    await registerFunctions(db, LOCAL.id, { "shop-listed": ["listed"] });
    const runs = Array.from({ length: 5 }, (_, n) => aRun(LOCAL.id, { functionId, runId: newUlid(Date.now() + n) }));
    await db.batch(runStatements(db, runs));
    const ids = runs.map(({ runId }) => runId).sort();
    for (const order of ["asc", "desc"]) {
      const seen: string[] = [];
      let cursor = "";
      do {
        const { body } = await get(`/v2/apps/shop/functions/listed/runs?limit=2&order=${order}${cursor}`);
        seen.push(...body.data.map(({ id }: { id: string }) => id));
        expect(body.page.hasMore).toBe(body.page.cursor !== null);
        cursor = body.page.cursor === null ? "" : `&cursor=${body.page.cursor}`;
      } while (cursor !== "");
      expect(seen).toEqual(order === "asc" ? ids : [...ids].reverse());
    }
  });

  it("deferred calls are told apart", async () => {
    const own = "id-of-shop-deferred";
    await registerFunctions(db, LOCAL.id, { "shop-deferred": ["deferred"] });
    const [plain, put] = [
      aRun(LOCAL.id, { functionId: own }),
      aRun(LOCAL.id, { functionId: own, eventName: "inngest/deferred.schedule" }),
    ];
    await db.batch(runStatements(db, [plain, put]));
    const list = async (query: string) =>
      (await get(`/v2/runs?functionId=shop-deferred${query}`)).body.data.map(({ id }: { id: string }) => id);
    expect(await list("&isDeferred=true")).toEqual([put.runId]);
    expect(await list("&isDeferred=false")).toEqual([plain.runId]);
    expect((await list("")).sort()).toEqual([plain.runId, put.runId].sort());
    expect(await list("&status=COMPLETED&status=FAILED")).toHaveLength(2);
  });
});

describe("EV-37: sessions", () => {
  it("are those that events name, with the runs they started", async () => {
    const runs = [aRun(LOCAL.id), aRun(LOCAL.id), aRun(LOCAL.id)];
    await db.batch(runStatements(db, runs));
    const [one, two, other] = runs.map(({ runId, functionId, functionSlug }) => ({
      functionId,
      functionSlug,
      outcome: "started" as const,
      runId,
    }));
    const named = (sessions: Record<string, string | number>, outcomes: Parameters<typeof anEvent>[0] = {}) =>
      anEvent({ ...outcomes, payload: { meta: { sessions } } });
    await storeEvents(
      db,
      LOCAL.id,
      [
        named({ thread: "t-1", user: 7 }, { outcomes: one === undefined ? [] : [one] }),
        named({ thread: "t-1" }, { outcomes: two === undefined ? [] : [two] }),
        named({ thread: "t-2" }, { outcomes: other === undefined ? [] : [other] }),
        anEvent({ payload: { data: { meta: { sessions: { thread: "data is not meta" } } } } }),
      ],
      { routed: true },
    );
    const { body: keys } = await get("/v2/sessions");
    expect(keys.data).toEqual(
      expect.arrayContaining([
        { key: "thread", sessionCount: 2, lastSeenAt: expect.any(String) },
        { key: "user", sessionCount: 1, lastSeenAt: expect.any(String) },
      ]),
    );
    const { body: threads } = await get("/v2/sessions/thread");
    expect(
      threads.data.map(({ id, eventCount }: { id: string; eventCount: number }) => [id, eventCount]).sort(),
    ).toEqual([
      ["t-1", 2],
      ["t-2", 1],
    ]);
    expect((await get("/v2/sessions/user")).body.data).toMatchObject([{ id: "7" }]);
    const expected = runs
      .slice(0, 2)
      .map(({ runId }) => runId)
      .sort()
      .reverse();
    const first = await get("/v2/sessions/thread/t-1/runs?limit=1");
    const second = await get(`/v2/sessions/thread/t-1/runs?limit=1&cursor=${first.body.page.cursor}`);
    expect([...first.body.data, ...second.body.data].map(({ id }) => id)).toEqual(expected);
    expect(second.body.page).toEqual({ cursor: null, hasMore: false, limit: 1 });
  });
});
