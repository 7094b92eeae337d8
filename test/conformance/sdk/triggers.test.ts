/**
 * What starts a run: names, wildcards, filters, direct starts (TR-1 to TR-8, TR-17, TR-18), and what a run's end starts in turn.
 */
import { expect } from "vitest";
import * as z from "zod";
import { type Case, conformance } from "../harness/cases.ts";
import { SDKS } from "../harness/sdk.ts";
import { endings } from "./endings.ts";
import { expressions } from "./expressions.ts";

const events: readonly Case[] = [
  {
    id: "SC-43",
    title: "Fan-out and isolation",
    proves: ["TR-1", "TR-2", "EX-27"],
    async run({ app, fn, on, trigger, ended, runOf, mark, marks }) {
      await app([
        fn<{ user: { email: string } }>("send-welcome-email", on("signup"), ({ event }) => {
          mark("welcome");
          return event.data.user.email;
        }),
        fn({ id: "start-stripe-trial", retries: 1 }, on("signup"), () => {
          mark("trial");
          throw new Error("stripe down");
        }),
      ]);
      const runs = await ended(await trigger(on("signup"), { user: { id: "1", email: "t@example.com" } }), 2);
      expect(runs).toHaveLength(2);
      expect(runOf(runs, "send-welcome-email")).toMatchObject({ status: "Completed", output: "t@example.com" });
      expect(runOf(runs, "start-stripe-trial")).toMatchObject({ status: "Failed", output: { message: "stripe down" } });
      expect([marks("welcome").length, marks("trial").length]).toEqual([1, 2]);
    },
  },
  {
    id: "TR-3",
    title: "One event starts functions of several apps, of both SDKs at once",
    proves: ["TR-1", "TR-3", "AP-21"],
    async run({ app, fn, on, trigger, ended, sdk, appId, engine }) {
      const other = SDKS[sdk.name === "v3" ? "v4" : "v3"].client({
        id: `${appId}-other`,
        engine: engine.url,
        mode: "dev",
      });
      await app([fn("first", on("x"), () => "first")]);
      await app([fn("second", on("x"), () => "second", other)], { client: other, path: "/api/inngest-edge" });
      const runs = await ended(await trigger(on("x")), 2);
      expect(runs.map(({ output }) => output).sort()).toEqual(["first", "second"]);
    },
  },
  {
    id: "TR-4",
    title: "Exact names",
    proves: ["TR-4"],
    async run({ app, fn, on, send, finished, engine }) {
      await app([fn("exact", on("a/b"), ({ event }) => event.name)]);
      const names = [on("A/b"), on("a/b.c"), on("a/b"), on("a")];
      const ids = await send(names.map((name) => ({ name })));
      expect(await finished(ids[2] ?? "")).toMatchObject({ output: on("a/b") });
      for (const at of [0, 1, 3]) expect(await engine.runsOf(ids[at] ?? "")).toEqual([]);
    },
  },
  {
    id: "SC-44",
    title: "Wildcards",
    proves: ["TR-5", "AP-14"],
    async run({ app, fn, on, send, ended, slug }) {
      const listen = (id: string, event: string) => fn(id, event, ({ event: { name } }) => name);
      const served = await app([
        listen("all", on("*")),
        listen("user", on("user.*")),
        listen("blog", on("blog.post.*")),
      ]);
      const [user = "", blog = ""] = await send([{ name: on("user.created") }, { name: on("blog.post.published") }]);
      const slugs = async (id: string) => (await ended(id, 2)).map((run) => run.function_slug).sort();
      expect(await slugs(user)).toEqual([slug("all"), slug("user")]);
      expect(await slugs(blog)).toEqual([slug("all"), slug("blog")]);
      for (const refused of [on("blog.*.published"), on("user.update*"), "*"]) {
        await expect(served.resync([listen("mid", refused)]), refused).rejects.toThrow(refused);
      }
    },
  },
  {
    id: "TR-5",
    title: "A wildcard of the engine's own events, and none other, matches them",
    proves: ["TR-5", "TR-19"],
    async run({ app, fn, on, trigger, ended, until, pause, mark, marks, names, slug }) {
      const mine = `event.data.function_id == '${slug("works")}'`;
      await app([
        fn("works", on("x"), () => 1),
        fn("system", { event: "inngest/function.*", if: mine }, ({ event }) => mark(event.name)),
        fn("everything", on("*"), ({ event }) => mark(`any:${event.name}`)),
      ]);
      await ended(await trigger(on("x")), 2);
      await until(() => marks("inngest/").length > 0);
      await pause(500);
      expect(names("inngest/")).toEqual(["inngest/function.finished"]);
      expect(names("any:")).toEqual([`any:${on("x")}`]);
    },
  },
  {
    id: "TR-8",
    title: "Several triggers, and several that match one event",
    proves: ["TR-8"],
    async run({ app, fn, on, send, finished }) {
      await app([
        fn(
          "multi",
          [{ event: on("user.created") }, { event: on("user.*") }, { event: on("order") }],
          ({ event }) => event.name,
        ),
      ]);
      const names = [on("user.created"), on("user.updated"), on("order")];
      const ids = await send(names.map((name) => ({ name })));
      // `finished` would find a second run.
      expect(await Promise.all(ids.map(async (id) => (await finished(id)).output))).toEqual(names);
    },
  },
];

const filters: readonly Case[] = [
  {
    id: "SC-45",
    title: "Trigger filter",
    proves: ["TR-6", "XP-1"],
    async run({ app, fn, on, send, finished, engine }) {
      const filter = "event.data.action == 'published' && event.data.priority >= 4";
      await app([fn("published", { event: on("x"), if: filter }, () => 1)]);
      const payloads = [
        { action: "published", priority: 4 },
        { action: "draft", priority: 9 },
        { action: "published", priority: 3 },
        {},
      ];
      const ids = await send(payloads.map((data) => ({ name: on("x"), data })));
      await finished(ids[0] ?? "");
      for (const id of ids.slice(1)) expect(await engine.runsOf(id)).toEqual([]);
    },
  },
  {
    id: "SC-46",
    title: "Splitting by time",
    proves: ["TR-7"],
    async run({ app, fn, on, send, finished }) {
      const at = Date.now();
      await app([
        fn("f-v1", { event: on("x"), if: `event.ts < ${at}` }, () => "old"),
        fn("f-v2", { event: on("x"), if: `event.ts >= ${at}` }, () => "new"),
      ]);
      const [before = "", after = ""] = await send([
        { name: on("x"), ts: at - 1 },
        { name: on("x"), ts: at },
      ]);
      expect(await finished(before)).toMatchObject({ output: "old" });
      expect(await finished(after)).toMatchObject({ output: "new" });
    },
  },
];

const direct: readonly Case[] = [
  {
    id: "TR-17",
    title: "A function is started by name, whatever its triggers",
    proves: ["TR-17"],
    async run({ app, fn, on, api, finished, engine, slug }) {
      await app([
        fn("nightly", { cron: "0 3 * * *" }, ({ event }) => ({
          name: event.name,
          x: event.data["x"],
          user: event.user,
        })),
        fn("other", on("x"), () => "not this one"),
      ]);
      const reply = await api("POST", `/invoke/${encodeURIComponent(slug("nightly"))}`, {
        data: { x: 1 },
        user: { plan: "pro" },
      });
      expect(reply).toMatchObject({ status: 200, json: { status: 200 } });
      const { id } = z.object({ id: z.string() }).parse(reply.json);
      const run = await finished(id);
      expect(run).toMatchObject({
        status: "Completed",
        function_slug: slug("nightly"),
        output: { name: "inngest/function.invoked", x: 1, user: { plan: "pro" } },
      });
      expect(await engine.event(id)).toMatchObject({ name: "inngest/function.invoked" });
      expect((await api("POST", `/invoke/${slug("no-such")}`, { data: {} })).status).toBe(404);
    },
  },
  {
    id: "TR-18",
    title: "A function without trigger",
    proves: ["TR-18"],
    sdks: ["v4"],
    async run({ app, fn, api, finished, slug }) {
      const served = await app([fn<{ x: number }>("only-invoked", [], ({ event }) => event.data.x + 1)]);
      expect(served.sync).toMatchObject({ status: 200, modified: true });
      const reply = await api("POST", `/invoke/${slug("only-invoked")}`, { data: { x: 1 } });
      const { id } = z.object({ id: z.string() }).parse(reply.json);
      expect(await finished(id)).toMatchObject({ status: "Completed", output: 2 });
    },
  },
];

conformance("Triggers and endings", [...events, ...filters, ...direct, ...expressions, ...endings]);
