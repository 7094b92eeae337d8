/**
 * Scenarios of who goes first (FC-8, FC-9, FC-29, FC-31, SC-110, SC-119).
 */
import { expect } from "vitest";
import type { Case } from "../harness/cases.ts";
import { lock } from "./gate.ts";

interface Numbered {
  readonly n: number | string;
}

/** The scenarios. */
export const order: readonly Case[] = [
  {
    id: "SC-110",
    title: "First in, first out, and an older run goes on before a newer one starts",
    proves: ["FC-8"],
    async run({ app, fn, on, send, until, pause, mark, names }) {
      await app([
        fn<Numbered>({ id: "fifo", concurrency: 1 }, on("x"), async ({ event, step }) => {
          for (const part of [1, 2]) {
            await step.run(`s${part}`, async () => {
              mark(`fifo:${event.data.n}:${part}`);
              await pause(100);
            });
          }
        }),
      ]);
      for (let n = 1; n <= 5; n++) await send({ name: on("x"), data: { n } });
      await until(() => names("fifo:").length === 10);
      expect(names("fifo:")).toEqual([1, 2, 3, 4, 5].flatMap((n) => [`fifo:${n}:1`, `fifo:${n}:2`]));
    },
  },
  {
    id: "FC-8",
    title: "The order holds for events that were sent together, and per key",
    proves: ["FC-8", "FC-4"],
    async run({ app, fn, on, send, until, pause, mark, names }) {
      const options = { id: "fifo", concurrency: { limit: 1, key: "event.data.k" } };
      await app([
        fn<Numbered & { k: string }>(options, on("x"), ({ event, step }) =>
          step.run("s", async () => {
            mark(`${event.data.k}:${event.data.n}`);
            await pause(30);
          }),
        ),
      ]);
      const all = Array.from({ length: 10 }, (_, n) => n);
      await send(all.flatMap((n) => ["a", "b"].map((k) => ({ name: on("x"), data: { n, k } }))));
      await until(() => names("a:").length + names("b:").length === 20);
      for (const k of ["a", "b"]) expect(names(`${k}:`)).toEqual(all.map((n) => `${k}:${n}`));
    },
  },
  {
    id: "FC-8b",
    title: "A younger run lets an older one go first at the end of its step, not before and not later",
    proves: ["FC-8"],
    async run({ app, fn, on, trigger, until, pause, mark, names }) {
      await app([
        fn<Numbered>({ id: "yield", concurrency: 1 }, on("x"), async ({ event, step }) => {
          const { n } = event.data;
          const work = (id: string) =>
            step.run(id, async () => {
              mark(`${n}:${id}`);
              await pause(100);
            });
          await work("a");
          if (n === "old") await step.sleep("s", "1s");
          await work("b");
          for (let i = 0; n === "young" && i < 30; i++) await work(`c${i}`);
          mark(`${n}:end`);
        }),
      ]);
      await trigger(on("x"), { n: "old" });
      await until(() => names("old:").length === 1);
      await trigger(on("x"), { n: "young" });
      await until(() => names("young:end").length === 1);
      const seen = names("");
      // The old one wakes a second later, in the middle of the young one's steps, and does not wait for their end.
      expect(seen.indexOf("old:b")).toBeGreaterThan(seen.indexOf("young:a"));
      expect(seen.indexOf("old:b")).toBeLessThan(seen.indexOf("young:c29"));
    },
  },
  {
    id: "FC-9",
    title: "Functions that share a limit take turns, whoever came first",
    proves: ["FC-9"],
    sdks: ["v4"],
    async run({ app, fn, on, send, until, pause, mark, names }) {
      const make = (id: string) =>
        fn({ id, concurrency: { scope: "account", key: `"${on("shared")}"`, limit: 1 } }, on(id), ({ step }) =>
          step.run("s", async () => {
            mark(`${id};`);
            await pause(20);
          }),
        );
      await app([make("many"), make("few")]);
      const events = (id: string, n: number) => Array.from({ length: n }, () => ({ name: on(id) }));
      await send(events("many", 30));
      await until(() => names("many").length > 0);
      await send(events("few", 10));
      await until(() => names("").length === 40);
      // Of all orders of the few among the many that were left, one serves them last: less than one in a million.
      expect(names("").slice(-10)).not.toEqual(Array.from({ length: 10 }, () => "few;"));
      expect(names("few")).toHaveLength(10);
    },
  },
  {
    id: "SC-119",
    title: "Priority moves a run forward among those of its function",
    proves: ["FC-29"],
    async run({ app, fn, on, trigger, until, mark, names, engine, api }) {
      const held = lock();
      const options = { id: "prio", concurrency: 1, priority: { run: "event.data.plan == 'pro' ? 120 : 0" } };
      await app([
        fn<Numbered>(options, on("x"), ({ event, step }) =>
          step.run("w", async () => {
            mark(`prio:${event.data.n}`);
            await held.enter();
          }),
        ),
      ]);
      await trigger(on("x"), { n: "first" });
      await until(() => held.inside === 1);
      for (const [n, plan] of [
        ["A", "free"],
        ["B", "free"],
        ["C", "free"],
        ["Y", "pro"],
      ]) {
        const id = await trigger(on("x"), { n, plan });
        await until(async () => {
          const [run] = await engine.runsOf(id);
          const { text } = await api("GET", `/v1/runs/${run?.run_id}/jobs`);
          return text.includes('"waiting_for":{');
        });
      }
      held.open();
      await until(() => names("prio:").length === 5);
      expect(names("prio:")).toEqual(["first", "Y", "A", "B", "C"].map((n) => `prio:${n}`));
    },
  },
  {
    id: "FC-31",
    title: "A negative priority waits so many seconds, though nothing else is there",
    proves: ["FC-31", "FC-29"],
    async run({ app, fn, on, trigger, finished, mark, marks }) {
      await app([
        fn({ id: "later", priority: { run: "-3" } }, on("x"), () => mark("plain")),
        fn({ id: "limited", concurrency: 1, priority: { run: "-3" } }, on("y"), () => mark("limited")),
      ]);
      const before = Date.now();
      for (const id of [await trigger(on("x")), await trigger(on("y"))]) await finished(id);
      const after = Date.now();
      for (const { at } of [...marks("plain"), ...marks("limited")]) {
        expect(at).toBeGreaterThanOrEqual(before + 3000);
        expect(at).toBeLessThan(after);
        expect(at).toBeLessThan(before + 10_000);
      }
    },
  },
];
