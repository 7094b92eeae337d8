/**
 * Apps making themselves known: registration, what it refuses, and what a later one changes (spec/02).
 */
import { expect } from "vitest";
import * as z from "zod";
import { SyncRefused } from "../harness/app.ts";
import { type Case, conformance } from "../harness/cases.ts";
import type { Scenario } from "../harness/scenario.ts";
import { refusals } from "./refusals.ts";

const appSchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  function_count: z.number(),
  archived: z.boolean(),
});
const functionSchema = z.looseObject({ slug: z.string(), version: z.number(), archived: z.boolean() });

/** The apps whose id begins with the scenario's. */
async function appsOf({ api, appId }: Scenario): Promise<z.infer<typeof appSchema>[]> {
  const { data } = z.object({ data: z.array(appSchema) }).parse((await api("GET", "/v1/apps")).json);
  return data.filter(({ name }) => name === appId || name.startsWith(`${appId}-`));
}

/** The scenario's functions by the id their author gave them. */
async function functionsOf({ api, appId }: Scenario): Promise<Record<string, z.infer<typeof functionSchema>>> {
  const functions = z.array(functionSchema).parse((await api("GET", `/v1/apps/${appId}/functions`)).json);
  return Object.fromEntries(functions.map((one) => [one.slug.slice(appId.length + 1), one]));
}

const syncs: readonly Case[] = [
  {
    id: "SC-29",
    title: "Sync and sync again",
    proves: ["AP-4", "AP-6", "AP-7"],
    async run(scenario) {
      const { app, fn, on, trigger, finished, engine } = scenario;
      const [a, b] = [fn("a", on("a"), () => "a"), fn("b", on("b"), () => "b")];
      const served = await app([a]);
      expect(served.sync).toEqual({ status: 200, message: "Successfully registered", modified: true });
      expect((await served.resync([a])).modified).toBe(false);
      expect((await served.resync([a, b])).modified).toBe(true);
      expect(await finished(await trigger(on("b")))).toMatchObject({ output: "b" });
      await served.resync([a]);
      const gone = await trigger(on("b"));
      expect(await engine.event(gone)).toMatchObject({ outcomes: [] });
      expect(await engine.runsOf(gone)).toEqual([]);
      expect(await functionsOf(scenario)).toMatchObject({ a: { archived: false }, b: { archived: true } });
      // It comes back with its history, and with the configuration it had.
      expect((await served.resync([a, b])).modified).toBe(true);
      expect(await finished(await trigger(on("b")))).toMatchObject({ output: "b" });
      expect(await functionsOf(scenario)).toMatchObject({ b: { archived: false } });
    },
  },
  {
    id: "AP-1",
    title: "An app without functions",
    proves: ["AP-1"],
    async run(scenario) {
      const { app } = scenario;
      const served = await app([]);
      expect(served.sync.status).toBe(200);
      expect(await appsOf(scenario)).toMatchObject([
        { name: scenario.appId, function_count: 0, archived: false, error: null },
      ]);
    },
  },
  {
    id: "SC-31",
    title: "A new client id is a new app",
    proves: ["AP-2"],
    async run(scenario) {
      const { app, fn, on, trigger, ended, newClient } = scenario;
      const two = newClient({ id: "two" });
      await app([fn("f", on("x"), () => 1)]);
      await app([fn("f", on("x"), () => 2, two)], { client: two });
      const runs = await ended(await trigger(on("x")), 2);
      expect(runs.map(({ output }) => output).sort()).toEqual([1, 2]);
      expect(await appsOf(scenario)).toHaveLength(2);
    },
  },
  {
    id: "AP-6",
    title: "A changed function gets the next version",
    proves: ["AP-6"],
    async run(scenario) {
      const { app, fn, on } = scenario;
      const steady = fn("steady", on("x"), () => 1);
      const changing = (retries: number) => fn({ id: "changing", retries }, on("x"), () => 1);
      const served = await app([steady, changing(1)]);
      expect(await functionsOf(scenario)).toMatchObject({ steady: { version: 1 }, changing: { version: 1 } });
      await served.resync([steady, changing(2)]);
      expect(await functionsOf(scenario)).toMatchObject({ steady: { version: 1 }, changing: { version: 2 } });
    },
  },
  {
    id: "AP-8",
    title: "What is recorded",
    proves: ["AP-8", "API-17"],
    async run(scenario) {
      const { app, fn, on, newClient, sdk, appId } = scenario;
      const client = newClient({ appVersion: "1.2.3" });
      const served = await app(
        [fn({ id: "f", name: "A function", retries: 7 }, { event: on("x"), if: "event.data.n > 1" }, () => 1, client)],
        { client },
      );
      expect(await appsOf(scenario)).toMatchObject([
        {
          name: appId,
          url: served.url,
          method: "serve",
          framework: "nodejs",
          sdk: { language: "js", version: sdk.version },
          app_version: "1.2.3",
          capabilities: { trust_probe: "v1" },
          function_count: 1,
          synced_at: expect.any(String),
        },
      ]);
      expect(await functionsOf(scenario)).toMatchObject({
        f: {
          name: "A function",
          version: 1,
          app_name: appId,
          triggers: [{ event: on("x"), expression: "event.data.n > 1" }],
          configuration: { retries: 7 },
        },
      });
    },
  },
  {
    id: "AP-5",
    title: "A sync started at the engine",
    proves: ["AP-5", "AP-9"],
    async run(scenario) {
      const { app, fn, on, api, trigger, finished, engine } = scenario;
      const served = await app([fn("f", on("x"), () => "ran")], { sync: false });
      const reply = await api("POST", "/v1/apps", { url: served.url });
      expect(reply).toMatchObject({ status: 200, json: { data: { name: scenario.appId, function_count: 1 } } });
      expect(await finished(await trigger(on("x")))).toMatchObject({ output: "ran" });

      await served.stop();
      const gone = await api("POST", "/v1/apps", { url: served.url });
      expect(gone).toMatchObject({ status: 400, json: { code: "unreachable" } });
      const notSdk = await api("POST", "/v1/apps", { url: `${engine.url}/health` });
      expect(notSdk).toMatchObject({ status: 400, json: { code: "not_sdk" } });
      expect(await appsOf(scenario)).toHaveLength(1);
    },
  },
  {
    id: "AP-12",
    title: "A new URL for the same id, and several paths on one host",
    proves: ["AP-12", "AP-20", "AP-21"],
    async run(scenario) {
      const { app, fn, on, trigger, finished } = scenario;
      await app([fn("f", on("x"), () => "first")]);
      const second = await app([fn("f", on("x"), () => "second")], { path: "/elsewhere/inngest?tenant=7" });
      expect(await finished(await trigger(on("x")))).toMatchObject({ output: "second" });
      const calls = second.received().filter(({ method }) => method === "POST");
      for (const { url } of calls) expect(url).toMatch(/^\/elsewhere\/inngest\?.*tenant=7/);
      expect(await appsOf(scenario)).toHaveLength(1);
    },
  },
  {
    id: "SC-38",
    title: "Unusual ids",
    proves: ["AP-14", "EX-5"],
    async run({ app, fn, on, trigger, finished, slug }) {
      await app([
        fn({ id: "post/like", retries: 0 }, on("x"), ({ step }) => step.run("grüße / 你好", () => "ok")),
        fn({ id: "mit Leerzeichen ü", retries: 0 }, on("y"), ({ step }) => step.run("", () => "also")),
      ]);
      const run = await finished(await trigger(on("x")));
      expect(run).toMatchObject({ status: "Completed", output: "ok", function_slug: slug("post/like") });
      expect(await finished(await trigger(on("y")))).toMatchObject({ status: "Completed", output: "also" });
    },
  },
  {
    id: "AP-18",
    title: "Failure handlers come and go with their function",
    proves: ["AP-18", "AP-7"],
    async run(scenario) {
      const { app, fn, on } = scenario;
      const handled = fn({ id: "import", name: "Import", onFailure: () => undefined }, on("x"), () => 1);
      const served = await app([handled]);
      expect(await functionsOf(scenario)).toMatchObject({
        import: { name: "Import", archived: false },
        "import-failure": {
          name: "Import (failure)",
          archived: false,
          triggers: [{ event: "inngest/function.failed" }],
        },
      });
      await served.resync([fn({ id: "import", name: "Import" }, on("x"), () => 1)]);
      expect(await functionsOf(scenario)).toMatchObject({
        import: { archived: false },
        "import-failure": { archived: true },
      });
    },
  },
  {
    id: "SC-40",
    title: "Archiving an app",
    proves: ["AP-24"],
    async run({ app, fn, on, api, trigger, finished, engine, until, appId, mark, marks }) {
      const served = await app([
        fn("arch", on("x"), async ({ step }) => {
          await step.run("begin", () => mark("begun"));
          await step.sleep("s", "2s");
          return "done";
        }),
      ]);
      const running = await trigger(on("x"));
      await until(() => marks("begun").length === 1);
      // `DELETE /fn/remove` is how the tools of a dev server archive an app.
      const removed = await api("DELETE", `/fn/remove?url=${encodeURIComponent(served.url)}`);
      expect(removed).toMatchObject({ status: 200, json: { ok: true } });
      const ignored = await trigger(on("x"));
      expect(await engine.runsOf(ignored)).toEqual([]);
      expect(await finished(running)).toMatchObject({ status: "Completed", output: "done" });
      expect((await api("GET", "/v1/apps")).json).toMatchObject({
        data: expect.arrayContaining([expect.objectContaining({ name: appId, archived: true })]),
      });
      const again = [fn("arch", on("x"), () => "again")];
      expect((await served.resync(again)).modified).toBe(true);
      expect(await finished(await trigger(on("x")))).toMatchObject({ output: "again" });
    },
  },
  {
    id: "AP-10",
    title: "A refused sync leaves what was there",
    proves: ["AP-14", "AP-6"],
    async run(scenario) {
      const { app, fn, on, trigger, finished } = scenario;
      const served = await app([fn("kept", on("x"), () => "kept")]);
      const refused = served.resync([
        fn("kept", on("y"), () => "new"),
        fn({ id: "bad", retries: 21 }, on("x"), () => 1),
      ]);
      await expect(refused).rejects.toThrow(SyncRefused);
      expect(await functionsOf(scenario)).toMatchObject({ kept: { version: 1, triggers: [{ event: on("x") }] } });
      expect(Object.keys(await functionsOf(scenario))).toEqual(["kept"]);
      served.redeploy([fn("kept", on("x"), () => "kept")]);
      expect(await finished(await trigger(on("x")))).toMatchObject({ output: "kept" });
    },
  },
];

conformance("Apps and sync", [...syncs, ...refusals]);
