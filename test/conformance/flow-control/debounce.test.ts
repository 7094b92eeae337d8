/**
 * Debouncing through the SDKs: when a window closes, which event runs, and what others see of it (FC-24 … FC-28, FC-40).
 */
import { expect } from "vitest";
import * as z from "zod";
import { type Case, conformance } from "../harness/cases.ts";
import { outcomesOf, windowsOf } from "./windows.ts";

const LONG = "60s";

/** When the first of the windows of 2 s, at most 5 s, closes, and its last event, if events up to `slack` ms later still join. */
function firstWindow(received: readonly number[], slack: number): { last: number; closesAt: number } {
  const opened = received[0] ?? Number.NaN;
  let last = 0;
  const closesAt = () => Math.min((received[last] ?? Number.NaN) + 2000, opened + 5000);
  while ((received[last + 1] ?? Number.POSITIVE_INFINITY) < closesAt() + slack) last++;
  return { last, closesAt: closesAt() };
}

const debounces: readonly Case[] = [
  {
    id: "SC-116",
    title: "Debounce",
    proves: ["FC-24", "FC-26", "EV-12"],
    async run({ app, fn, on, send, until, marks, names, mark, pause, engine, slug }) {
      await app([
        fn<{ account_id: string; n: number }>(
          { id: "deb-sync", debounce: { period: "3s", key: "event.data.account_id" } },
          on("changed"),
          ({ event }) => {
            mark(`deb:${event.data.account_id}:${event.data.n}`);
          },
        ),
      ]);
      let last = 0;
      const sent: string[] = [];
      for (let n = 1; n <= 4; n++) {
        last = Date.now();
        sent.push(...(await send(["A", "B"].map((account_id) => ({ name: on("changed"), data: { account_id, n } })))));
        await pause(1000);
      }
      await until(() => marks("deb:").length === 2);
      expect(names("deb:").sort()).toEqual(["deb:A:4", "deb:B:4"]);
      for (const { at } of marks("deb:")) {
        expect(at - last).toBeGreaterThanOrEqual(3000);
        expect(at - last).toBeLessThan(9000);
      }
      // Every event leads to the run of its window, which has the last one.
      const [first] = await outcomesOf(engine, sent[0] ?? "");
      expect(first).toMatchObject({ outcome: "debounced", function_slug: slug("deb-sync") });
      const run = await engine.run(first?.run_id ?? "");
      expect(run.event_ids).toEqual([sent[6]]);
      expect((await engine.runsOf(sent[0] ?? "")).map(({ run_id }) => run_id)).toEqual([run.run_id]);
    },
  },
  {
    id: "SC-117",
    title: "Debounce with an upper bound",
    proves: ["FC-25"],
    async run({ app, fn, on, trigger, until, marks, mark, pause, engine }) {
      await app([
        fn<{ n: number }>({ id: "deb-max", debounce: { period: "2s", timeout: "5s" } }, on("x"), ({ event }) => {
          mark(`dm:${event.data.n}`);
        }),
      ]);
      const ids: string[] = [];
      for (let n = 0; n < 9; n++) {
        ids.push(await trigger(on("x"), { n }));
        await pause(1000);
      }
      await until(() => marks("dm:").some(({ name }) => name === "dm:8"));
      const received = await Promise.all(ids.map(async (id) => z.number().parse((await engine.event(id))["ts"])));
      const runs = marks("dm:").map(({ name, at }) => ({ n: Number(name.slice(3)), at }));
      // A busy machine stretches the pauses: what was really received tells when windows close, except for events close to that moment.
      const [earliest, latest] = [firstWindow(received, -500), firstWindow(received, 500)];
      expect(runs[0]?.n).toBeGreaterThanOrEqual(earliest.last);
      expect(runs[0]?.n).toBeLessThanOrEqual(latest.last);
      expect(runs[0]?.at).toBeGreaterThanOrEqual(earliest.closesAt);
      expect(runs.at(-1)?.n).toBe(8);
      expect(runs.length).toBeGreaterThanOrEqual(2);
      expect(runs.map(({ n }) => n)).toEqual(runs.map(({ n }) => n).toSorted((x, y) => x - y));
    },
  },
  {
    id: "SC-118",
    title: "Debounce and idempotency",
    proves: ["FC-27", "EV-12"],
    async run({ app, fn, on, trigger, until, names, mark, engine }) {
      await app([
        fn<{ n: number }>(
          { id: "deb-once", debounce: { period: "2s", key: "event.data.k" }, idempotency: "event.data.k" },
          on("x"),
          ({ event }) => {
            mark(`do:${event.data.n}`);
          },
        ),
      ]);
      for (const n of [1, 2]) await trigger(on("x"), { k: "a", n });
      await until(() => names("do:").length === 1);
      await trigger(on("x"), { k: "a", n: 3 });
      const fourth = await trigger(on("x"), { k: "a", n: 4 });
      await until(async () => {
        const [outcome] = await outcomesOf(engine, fourth);
        return outcome?.outcome === "skipped" && outcome.reason === "idempotent" && outcome.run_id === null;
      });
      expect(names("do:")).toEqual(["do:2"]);
      expect(await engine.runsOf(fourth)).toEqual([]);
    },
  },
  {
    id: "FC-24",
    title: "An older fact that arrives late does not win; of equal ones the last received does",
    proves: ["FC-24"],
    async run({ app, fn, on, send, finished }) {
      await app([
        fn<{ n: number }>(
          { id: "facts", debounce: { period: "1s", key: "event.data.k" } },
          on("x"),
          ({ event }) => event.data.n,
        ),
      ]);
      const now = Date.now();
      const [late] = await send([
        { name: on("x"), ts: now - 1000, data: { k: "late", n: 1 } },
        { name: on("x"), ts: now - 2000, data: { k: "late", n: 2 } },
      ]);
      const [same] = await send([1, 2, 3].map((n) => ({ name: on("x"), ts: now - 1000, data: { k: "same", n } })));
      expect((await finished(late ?? "")).output).toBe(1);
      expect((await finished(same ?? "")).output).toBe(3);
    },
  },
  {
    id: "FC-28",
    title: "An open window is listed, and runs now when it is asked to",
    proves: ["FC-28"],
    async run({ app, fn, on, send, finished, until, engine, slug, api }) {
      const debounce = { period: LONG, key: "event.data.k", timeout: "120s" };
      await app([fn<{ n: number }>({ id: "listed", debounce }, on("x"), ({ event }) => event.data.n)]);
      const [id] = await send([1, 2, 3].map((n) => ({ name: on("x"), data: { k: n < 3 ? "a" : "b", n } })));
      const windows = await until(async () => {
        const listed = await windowsOf(engine, slug("listed"));
        return listed.length === 2 ? listed : null;
      });
      const open = windows.find(({ key }) => key === "a");
      expect(open).toMatchObject({ kind: "debounce", events: 2 });
      expect(Date.parse(open?.closes_at ?? "") - Date.parse(open?.opened_at ?? "")).toBe(60_000);
      const path = `/v1/functions/${slug("listed")}/windows/run`;
      const { json } = await api("POST", path, { kind: "debounce", key: "a" });
      expect(z.object({ data: z.object({ run_id: z.string() }) }).parse(json).data.run_id).toBe(open?.run_id);
      expect(await finished(id ?? "")).toMatchObject({ run_id: open?.run_id, output: 2 });
      expect((await windowsOf(engine, slug("listed"))).map(({ key }) => key)).toEqual(["b"]);
      expect(await api("POST", path, { kind: "debounce", key: "a" })).toMatchObject({
        status: 404,
        json: { code: "window_not_open" },
      });
    },
  },
  {
    id: "FC-40",
    title: "The other limits act when the window closes",
    proves: ["FC-40", "FC-19", "FC-37"],
    async run({ app, fn, on, send, trigger, until, engine, finished, marks, mark, slug, api }) {
      await app([
        fn<{ n: number }>(
          { id: "rated", debounce: { period: "1s" }, rateLimit: { limit: 1, period: "1h" } },
          on("rated"),
          ({ event }) => event.data.n,
        ),
        fn(
          { id: "single", debounce: { period: LONG, key: "event.data.k" }, singleton: { mode: "skip" } },
          on("single"),
          async ({ step }) => {
            mark("single");
            await step.sleep("on", "1h");
          },
        ),
      ]);
      const [one] = await send([1, 2].map((n) => ({ name: on("rated"), data: { n } })));
      expect((await finished(one ?? "")).output).toBe(2);
      const second = await trigger(on("rated"), { n: 3 });
      await until(async () => (await outcomesOf(engine, second))[0]?.reason === "rate_limited");

      const runNow = (key: string) =>
        api("POST", `/v1/functions/${slug("single")}/windows/run`, { kind: "debounce", key });
      await trigger(on("single"), { k: "a" });
      await runNow("a");
      await until(() => marks("single").length === 1);
      const skipped = await trigger(on("single"), { k: "b" });
      await runNow("b");
      const [run] = await until(async () => {
        const runs = await engine.runsOf(skipped);
        return runs[0]?.status === "Skipped" ? runs : null;
      });
      expect(run).toMatchObject({ event_ids: [skipped], skip_reason: "singleton" });
      expect(await outcomesOf(engine, skipped)).toMatchObject([
        { outcome: "skipped", reason: "singleton", run_id: run?.run_id },
      ]);
      expect(marks("single")).toHaveLength(1);
    },
  },
  {
    id: "EV-10",
    title: "A future time wins, and does not hold the window up",
    proves: ["EV-10", "FC-24"],
    async run({ app, fn, on, send, engine, until }) {
      await app([fn<{ n: number }>({ id: "ahead", debounce: { period: "1s" } }, on("x"), ({ event }) => event.data.n)]);
      const ahead = Date.now() + 3_600_000;
      const [, id] = await send([
        { name: on("x"), data: { n: 1 }, ts: ahead },
        { name: on("x"), data: { n: 2 } },
      ]);
      const [run] = await until(async () => {
        const runs = await engine.runsOf(id ?? "");
        return runs.length > 0 ? runs : null;
      });
      expect(run?.event_ids).toHaveLength(1);
      expect(run?.event_ids).not.toContain(id);
    },
  },
];

conformance("Debounce", debounces);
