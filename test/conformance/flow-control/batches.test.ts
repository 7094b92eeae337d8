/**
 * Batches through the SDKs: what goes together, when it runs, and that nothing is lost (FC-32 … FC-36, FC-41, FC-42, EV-17, TR-22).
 */
import { expect } from "vitest";
import * as z from "zod";
import { type Case, conformance } from "../harness/cases.ts";
import type { TestEngine } from "../harness/engine.ts";
import { outcomesOf, windowsOf } from "./windows.ts";

const KIB = 1024;
const LONG = "60s";

/** `n` of each event, as one text. */
const numbers = (events: readonly { readonly data: { readonly n?: number } }[]) =>
  events.map(({ data }) => data.n).join();

/** Waits until the app has noted `count` of these, and a moment longer in case there are more. */
async function settledMarks(
  { until, names }: Pick<TestEngine, "until"> & { names: (prefix: string) => string[] },
  prefix: string,
  count: number,
): Promise<string[]> {
  await until(() => names(prefix).length >= count, 40_000);
  await new Promise((wake) => setTimeout(wake, 500));
  return names(prefix).map((name) => name.slice(prefix.length));
}

const batches: readonly Case[] = [
  {
    id: "SC-121",
    title: "Batching",
    proves: ["FC-32", "EX-8", "FC-36", "EV-12"],
    async run({ app, fn, on, send, ended, engine }) {
      const batchEvents = { maxSize: 100, timeout: "5s" };
      await app([
        fn<{ i: number }>({ id: "record-api-calls", batchEvents }, on("api.call"), ({ events, event }) => ({
          n: events.length,
          first: event.data.i,
          ordered: events.every(({ data }, at) => data.i === event.data.i + at),
        })),
      ]);
      const t0 = Date.now();
      const ids = await send(Array.from({ length: 250 }, (_, i) => ({ name: on("api.call"), data: { i } })));
      const runs = await Promise.all([0, 100, 249].map(async (at) => await ended(ids[at] ?? "")));
      expect(runs.map(([run]) => run?.output)).toEqual([
        { n: 100, first: 0, ordered: true },
        { n: 100, first: 100, ordered: true },
        { n: 50, first: 200, ordered: true },
      ]);
      expect(runs.every((some) => some.length === 1)).toBe(true);
      const [full, second, rest] = runs.map(([run]) => Date.parse(run?.queued_at ?? "") - t0);
      expect(Math.max(full ?? Number.NaN, second ?? Number.NaN)).toBeLessThan(rest ?? Number.NaN);
      expect(rest).toBeGreaterThanOrEqual(5000);
      expect(rest).toBeLessThan(15_000);
      expect(runs.flatMap(([run]) => run?.event_ids ?? [])).toEqual(ids);
      expect(await outcomesOf(engine, ids[249] ?? "")).toMatchObject([
        { outcome: "batched", run_id: runs[2]?.[0]?.run_id },
      ]);
    },
  },
  {
    id: "SC-122",
    title: "Batch key and condition",
    proves: ["FC-34", "FC-35", "TR-22"],
    async run({ app, fn, on, send, marks, mark, until, names }) {
      const batchEvents = { maxSize: 10, timeout: "3s", key: "event.data.user_id", if: "event.data.urgent != true" };
      await app([
        fn<{ user_id: number }>({ id: "bk", batchEvents }, [{ event: on("a") }, { event: on("b") }], ({ events }) => {
          mark(`bk:${events.map(({ name, data }) => `${name.split("/").at(-1)}${data.user_id}`).join(",")}`);
        }),
      ]);
      const t0 = Date.now();
      await send([
        { name: on("a"), data: { user_id: 1 } },
        { name: on("b"), data: { user_id: 1 } },
        { name: on("a"), data: { user_id: 2 } },
        { name: on("a"), data: { user_id: 1, urgent: true } },
      ]);
      const seen = await settledMarks({ until, names }, "bk:", 3);
      expect(seen[0]).toBe("a1");
      expect(seen.slice(1).sort()).toEqual(["a1,b1", "a2"]);
      for (const { at } of marks("bk:").slice(1)) expect(at - t0).toBeGreaterThanOrEqual(3000);
    },
  },
  {
    id: "SC-123",
    title: "Batch bytes: 10 MiB, which the app fetches itself",
    proves: ["FC-33", "FC-32", "EX-16"],
    async run({ app, fn, on, trigger, ended, engine, slug }) {
      await app([
        fn<{ s: string; i: number }>(
          { id: "bytes", batchEvents: { maxSize: 100, timeout: LONG } },
          on("x"),
          ({ events }) => ({
            count: events.length,
            whole: events.every(({ data }, at) => data.i === at && data.s.length === 900 * KIB),
          }),
        ),
      ]);
      const s = "x".repeat(900 * KIB);
      const ids: string[] = [];
      for (let i = 0; i < 12; i++) ids.push(await trigger(on("x"), { s, i }));
      const [run] = await ended(ids[0] ?? "");
      expect(run).toMatchObject({ status: "Completed", output: { count: 11, whole: true } });
      expect(run?.event_ids).toEqual(ids.slice(0, 11));
      const [open, ...others] = await engine.until(async () => {
        const windows = await windowsOf(engine, slug("bytes"));
        return windows.length > 0 ? windows : null;
      });
      expect(others).toEqual([]);
      expect(open).toMatchObject({ kind: "batch", events: 1 });
      expect(open?.bytes).toBeGreaterThan(900 * KIB);
      expect(await engine.runsOf(ids[11] ?? "")).toEqual([]);
    },
  },
  {
    id: "TR-22",
    title: "Mixed batches, and one event in one batch though two triggers match",
    proves: ["TR-22", "FC-42", "FC-32"],
    async run({ app, fn, on, send, finished }) {
      await app([
        fn(
          { id: "mixed", batchEvents: { maxSize: 2, timeout: LONG } },
          [{ event: on("a") }, { event: on("b") }],
          ({ events }) => events.map(({ name }) => name),
        ),
        fn<{ n: number }>(
          { id: "twice", batchEvents: { maxSize: 2, timeout: LONG } },
          [{ event: on("c.*") }, { event: on("c.d") }],
          ({ events }) => numbers(events),
        ),
      ]);
      const [a] = await send([{ name: on("a") }, { name: on("b") }]);
      expect((await finished(a ?? "")).output).toEqual([on("a"), on("b")]);
      const [c] = await send([1, 2].map((n) => ({ name: on("c.d"), data: { n } })));
      expect((await finished(c ?? "")).output).toBe("1,2");
    },
  },
  {
    id: "EV-17",
    title: "Events with one id are taken like any others",
    proves: ["EV-17"],
    async run({ app, fn, on, send, finished }) {
      await app([
        fn<{ n: number }>({ id: "same", batchEvents: { maxSize: 2, timeout: LONG } }, on("x"), ({ events }) =>
          numbers(events),
        ),
      ]);
      const [first] = await send({ name: on("x"), id: on("id"), data: { n: 1 } });
      await send({ name: on("x"), id: on("id"), data: { n: 2 } });
      expect((await finished(first ?? "")).output).toBe("1,2");
    },
  },
  {
    id: "FC-35",
    title: "What is not exactly true, and what fails, runs alone",
    proves: ["FC-35", "FC-41"],
    async run({ app, fn, on, send, until, names, mark, engine }) {
      const batchEvents = { maxSize: 2, timeout: LONG, key: "event.data.user.id", if: "event.data.kind" };
      await app([
        fn<{ n: number }>({ id: "exact", batchEvents }, on("x"), ({ events }) => {
          mark(`ran:${numbers(events)}`);
        }),
      ]);
      const kinds = [true, "true", 1, null, true];
      const ids = await send(kinds.map((kind, n) => ({ name: on("x"), data: { n, kind } })));
      expect((await settledMarks({ until, names }, "ran:", 4)).sort()).toEqual(["0,4", "1", "2", "3"]);
      const outcomes = await Promise.all(ids.map((id) => outcomesOf(engine, id)));
      expect(outcomes.map(([outcome]) => outcome?.outcome)).toEqual([
        "batched",
        "started",
        "started",
        "started",
        "batched",
      ]);
      expect(outcomes[0]).toMatchObject([{ warnings: [{ option: "batchEvents.key" }] }]);
    },
  },
  {
    id: "FC-36",
    title: "A retried run has the same events",
    proves: ["FC-36"],
    async run({ app, fn, on, send, finished, names, mark }) {
      await app([
        fn<{ n: number }>(
          { id: "again", batchEvents: { maxSize: 3, timeout: LONG } },
          on("x"),
          ({ events, attempt }) => {
            mark(`seen:${numbers(events)}`);
            if (attempt < 2) throw new Error("once more");
            return numbers(events);
          },
        ),
      ]);
      const [id] = await send([1, 2, 3].map((n) => ({ name: on("x"), data: { n } })));
      expect(await finished(id ?? "")).toMatchObject({ status: "Completed", output: "1,2,3" });
      expect(names("seen:")).toEqual(["seen:1,2,3", "seen:1,2,3", "seen:1,2,3"]);
    },
  },
  {
    id: "FC-43",
    title: "Invocations gather too, and all of them get the result",
    proves: ["FC-43", "EX-50"],
    async run({ app, fn, on, trigger, finished }) {
      const inner = fn<{ n: number }>(
        { id: "inner", batchEvents: { maxSize: 2, timeout: LONG } },
        on("inner"),
        ({ events }) => numbers(events),
      );
      const outer = fn("outer", on("x"), ({ step }) =>
        Promise.all([1, 2].map((n) => step.invoke(`call ${n}`, { function: inner.native, data: { n } }))),
      );
      await app([inner, outer]);
      const { output } = await finished(await trigger(on("x")));
      expect(["1,2", "2,1"]).toContain(z.array(z.string()).parse(output)[0]);
      expect(new Set(z.array(z.string()).length(2).parse(output)).size).toBe(1);
    },
  },
];

conformance("Batches", batches);
