/**
 * Apps and functions taken out of service by hand, and what REST shows of them (AP-24, AP-25, API-17, API-18).
 */
import { expect } from "vitest";
import { type Case, conformance } from "../harness/cases.ts";
import type { Scenario } from "../harness/scenario.ts";

const conflict = { status: 409, json: { status: 409, code: "conflict", data: null } };

/** What `GET /v1/apps/:id` and its like answer with. */
async function data({ api }: Scenario, path: string): Promise<unknown> {
  const { status, json } = await api("GET", path);
  expect(status).toBe(200);
  return (json as { data: unknown }).data;
}

const archiving: readonly Case[] = [
  {
    id: "SC-40",
    title: "Archiving an app",
    proves: ["AP-24", "API-17", "TR-21"],
    async run(scenario) {
      const { app, fn, on, trigger, finished, pause, api, appId, engine } = scenario;
      await app([
        fn("arch", on("x"), async ({ step }) => {
          await step.sleep("s", "3s");
          return "done";
        }),
      ]);
      const running = await trigger(on("x"));
      await pause(500);
      const archived = await api("POST", `/v1/apps/${appId}/archive`);
      expect(archived).toMatchObject({
        status: 200,
        json: { data: { name: appId, archived: true, function_count: 0 } },
      });
      expect(await data(scenario, `/v1/functions/${appId}-arch`)).toMatchObject({ status: "archived" });
      const ignored = await trigger(on("x"));
      expect(await finished(running)).toMatchObject({ status: "Completed", output: "done" });
      expect(await api("POST", `/v1/apps/${appId}/archive`)).toMatchObject(conflict);
      expect(await api("POST", `/v1/apps/${appId}/unarchive`)).toMatchObject({
        status: 200,
        json: { data: { archived: false } },
      });
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed" });
      expect(await engine.runsOf(ignored)).toEqual([]);
      expect(await engine.event(ignored)).toMatchObject({ outcomes: [] });
    },
  },
  {
    id: "AP-24",
    title: "Unarchiving an app brings back what was active; syncing it does too",
    proves: ["AP-24", "AP-25"],
    async run(scenario) {
      const { app, fn, on, api, appId } = scenario;
      const functions = [fn("a", on("x"), () => 1), fn("b", on("x"), () => 2)];
      const served = await app(functions);
      const statuses = async () => {
        const { json } = await api("GET", `/v1/apps/${appId}/functions`);
        return (json as { slug: string; status: string }[]).map(({ slug, status }) => [slug.slice(-1), status]);
      };
      expect((await api("POST", `/v1/functions/${appId}-b/archive`)).status).toBe(200);
      expect((await api("POST", `/v1/apps/${appId}/archive`)).status).toBe(200);
      expect(await statuses()).toEqual([
        ["a", "archived"],
        ["b", "archived"],
      ]);
      expect(await api("POST", `/v1/functions/${appId}-b/unarchive`)).toMatchObject({
        ...conflict,
        json: { error: expect.stringContaining("unarchive the app") },
      });
      expect((await api("POST", `/v1/apps/${appId}/unarchive`)).status).toBe(200);
      expect(await statuses()).toEqual([
        ["a", "active"],
        ["b", "archived"],
      ]);
      expect((await api("POST", `/v1/apps/${appId}/archive`)).status).toBe(200);
      expect((await served.resync(functions)).modified).toBe(true);
      expect(await statuses()).toEqual([
        ["a", "active"],
        ["b", "active"],
      ]);
    },
  },
  {
    id: "AP-25",
    title: "A function archived by hand starts nothing until it is unarchived or synced",
    proves: ["AP-25", "API-18"],
    async run(scenario) {
      const { app, fn, on, slug, api, trigger, finished, engine } = scenario;
      const functions = [fn("f", on("x"), () => "ran"), fn("other", on("y"), () => 1)];
      const served = await app(functions);
      const { id } = (await data(scenario, `/v1/functions/${slug("f")}`)) as { id: string };
      const archived = await api("POST", `/v1/functions/${id}/archive`);
      expect(archived).toMatchObject({ status: 200, json: { data: { id, slug: slug("f"), status: "archived" } } });
      expect(await api("POST", `/v1/functions/${id}/archive`)).toMatchObject(conflict);
      const missed = await trigger(on("x"));
      expect((await api("POST", `/v1/functions/${id}/unarchive`)).status).toBe(200);
      expect(await api("POST", `/v1/functions/${id}/unarchive`)).toMatchObject(conflict);
      expect(await finished(await trigger(on("x")))).toMatchObject({ output: "ran" });
      await api("POST", `/v1/functions/${id}/archive`);
      expect((await served.resync(functions)).modified).toBe(true);
      expect(await data(scenario, `/v1/functions/${id}`)).toMatchObject({ status: "active", version: 1 });
      expect(await engine.runsOf(missed)).toEqual([]);
    },
  },
  {
    id: "API-17",
    title: "One app with its functions and syncs; syncing it again by its id",
    proves: ["API-17", "AP-11", "AP-12"],
    async run(scenario) {
      const { app, fn, on, api, appId } = scenario;
      const served = await app([fn({ id: "f", retries: 4 }, on("x"), () => 1)]);
      const { id } = (await data(scenario, `/v1/apps/${appId}`)) as { id: string };
      expect(await data(scenario, `/v1/apps/${id}`)).toMatchObject({
        id,
        name: appId,
        function_count: 1,
        archived: false,
      });
      served.redeploy([fn({ id: "f", retries: 2 }, on("x"), () => 1), fn("g", on("x"), () => 1)]);
      const synced = await api("POST", `/v1/apps/${appId}/sync`);
      const fields = [{ field: "retries", before: 4, after: 2 }];
      const changes = { added: [`${appId}-g`], changed: [{ slug: `${appId}-f`, fields }], removed: [] };
      expect(synced).toMatchObject({
        status: 200,
        json: { data: { id, function_count: 2, sync: { modified: true, ...changes } } },
      });
      const [newest, first] = (await data(scenario, `/v1/apps/${id}/syncs`)) as object[];
      expect(newest).toMatchObject({ origin: "rest", result: "success", url: served.url, message: null, changes });
      expect(first).toMatchObject({ origin: "app", result: "success", changes: { added: [`${appId}-f`] } });
      const page = await api("GET", `/v1/apps/${id}/syncs?limit=1`);
      expect(page).toMatchObject({ json: { data: [newest], metadata: { next_cursor: expect.any(String) } } });
      expect(await api("POST", `/v1/apps/${appId}/sync`, { url: "http://127.0.0.1:9/api/inngest" })).toMatchObject({
        status: 400,
        json: { code: "unreachable" },
      });
      expect(await data(scenario, `/v1/apps/${id}`)).toMatchObject({ url: served.url });
    },
  },
  {
    id: "API-18",
    title: "A function in full, by slug and by id; what does not exist is said to be unknown",
    proves: ["API-18", "API-4"],
    sdks: ["v4"],
    async run(scenario) {
      const { app, fn, on, slug, api, appId } = scenario;
      await app([
        fn(
          { id: "f", name: "A function", retries: 7, concurrency: 3 },
          { event: on("x"), if: "event.data.n > 1" },
          () => 1,
        ),
      ]);
      const expected = {
        slug: slug("f"),
        name: "A function",
        version: 1,
        app_name: appId,
        status: "active",
        archived: false,
        paused: null,
        triggers: [{ event: on("x"), expression: "event.data.n > 1" }],
        configuration: { retries: 7, concurrency: [{ limit: 3, key: null, scope: "fn" }], singleton: null },
      };
      const shown = (await data(scenario, `/v1/functions/${slug("f")}`)) as { id: string };
      expect(shown).toMatchObject(expected);
      expect(await data(scenario, `/v1/functions/${shown.id}`)).toEqual(shown);
      expect(await data(scenario, "/v1/functions")).toContainEqual(shown);
      for (const [body, code] of [
        [{ running: "maybe" }, "invalid_request"],
        [[], "invalid_request"],
        ["nonsense", "body_invalid"],
      ]) {
        expect(await api("POST", `/v1/functions/${shown.id}/pause`, body)).toMatchObject({
          status: 400,
          json: { code },
        });
      }
      for (const path of ["/v1/functions/nobody", "/v1/functions/nobody/pause", "/v1/functions/nobody/archive"]) {
        const method = path.endsWith("nobody") ? "GET" : "POST";
        expect(await api(method, path)).toMatchObject({ status: 404, json: { code: "function_not_found" } });
      }
      for (const [method, path] of [
        ["GET", "/v1/apps/nobody"],
        ["GET", "/v1/apps/nobody/functions"],
        ["GET", "/v1/apps/nobody/syncs"],
        ["POST", "/v1/apps/nobody/sync"],
        ["POST", "/v1/apps/nobody/archive"],
        ["POST", "/v1/apps/nobody/unarchive"],
      ] as const) {
        expect(await api(method, path)).toMatchObject({ status: 404, json: { code: "app_not_found" } });
      }
    },
  },
];

conformance("archiving", archiving);
