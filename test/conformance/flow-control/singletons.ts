/**
 * Scenarios of singletons (FC-37 … FC-39, SC-124, SC-125). The engine's retry interval is 3 s.
 */
import { expect } from "vitest";
import * as z from "zod";
import type { Case } from "../harness/cases.ts";
import { outcomesOf } from "./outcomes.ts";

const listSchema = z.object({
  data: z.array(z.looseObject({ run_id: z.string(), skip_reason: z.string().nullable() })),
});

/** The scenarios. */
export const singletons: readonly Case[] = [
  {
    id: "SC-124",
    title: "Singleton skip",
    proves: ["FC-37", "FC-38"],
    async run({ app, fn, on, send, trigger, ended, finished, engine, api, slug, until, mark, names }) {
      const singleton = { key: "event.data.user_id", mode: "skip" };
      await app([
        fn<{ user_id: number }>(
          { id: "single", singleton, retries: 1 },
          on("start"),
          async ({ event, step, attempt }) => {
            await step.run("sync", () => {
              mark(`sync:${event.data.user_id}:${attempt}`);
              if (attempt === 0) throw new Error("retry me");
            });
          },
        ),
      ]);
      const one = await trigger(on("start"), { user_id: 1 });
      await until(() => names("sync:").includes("sync:1:0"));
      const [two = "", other = ""] = await send([1, 2].map((user_id) => ({ name: on("start"), data: { user_id } })));
      expect(await ended(two)).toMatchObject([{ status: "Skipped", skip_reason: "singleton", run_started_at: null }]);
      expect(await outcomesOf(engine, two)).toMatchObject([{ outcome: "skipped", reason: "singleton" }]);
      expect(await finished(one)).toMatchObject({ status: "Completed" });
      expect(await finished(other)).toMatchObject({ status: "Completed" });
      const three = await trigger(on("start"), { user_id: 1 });
      expect(await finished(three)).toMatchObject({ status: "Completed" });
      expect(names("sync:1")).toEqual(["sync:1:0", "sync:1:1", "sync:1:0", "sync:1:1"]);

      const [skipped] = await ended(two);
      const { function_id, run_id } = skipped ?? { function_id: "", run_id: "" };
      const list = await api("GET", `/v1/runs?status=Skipped&function_id=${function_id}`);
      expect(listSchema.parse(list.json).data).toMatchObject([{ run_id, skip_reason: "singleton" }]);
      expect(await engine.run(run_id)).toMatchObject({
        status: "Skipped",
        function_slug: slug("single"),
        event_id: two,
      });
    },
  },
  {
    id: "FC-37",
    title: "One run from creation to end, also while it sleeps, and of a burst the first",
    proves: ["FC-37"],
    async run({ app, fn, on, send, trigger, ended, finished, until, mark, marks }) {
      await app([
        fn({ id: "sleeper", singleton: { mode: "skip" } }, on("x"), async ({ step }) => {
          mark("began");
          await step.sleep("s", "3s");
          return "done";
        }),
      ]);
      const [first = "", ...others] = await send(Array.from({ length: 5 }, (_, n) => ({ name: on("x"), data: { n } })));
      for (const id of others) expect(await ended(id)).toMatchObject([{ status: "Skipped" }]);
      await until(() => marks("began").length > 0);
      expect(await ended(await trigger(on("x")))).toMatchObject([{ status: "Skipped" }]);
      expect(await finished(first)).toMatchObject({ status: "Completed", output: "done" });
      // As soon as the end can be seen, the next one goes.
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed" });
    },
  },
  {
    id: "SC-125",
    title: "Singleton cancel",
    proves: ["FC-38", "CR-13", "CR-33"],
    async run({ app, fn, on, slug, trigger, ended, finished, until, pause, mark, names }) {
      const singleton = { key: "event.data.id", mode: "cancel" };
      const cancelled = { event: "inngest/function.cancelled", if: `event.data.function_id == '${slug("latest")}'` };
      await app([
        fn<{ id: number; n: number }>({ id: "latest", singleton }, on("x"), async ({ event, step }) => {
          mark("began");
          await step.sleep("s", "3s");
          return event.data.n;
        }),
        fn<{ run_id: string }>("watch", cancelled, ({ event }) => mark(`cancelled:${event.data.run_id}`)),
      ]);
      const one = await trigger(on("x"), { id: 1, n: 1 });
      await until(() => names("began").length > 0);
      const two = await trigger(on("x"), { id: 1, n: 2 });
      const [a] = await ended(one);
      expect(a).toMatchObject({ status: "Cancelled", cancel_reason: "singleton" });
      expect(await finished(two)).toMatchObject({ status: "Completed", output: 2 });
      await until(() => names("cancelled:").length > 0);
      await pause(500);
      expect(names("cancelled:")).toEqual([`cancelled:${a?.run_id}`]);
    },
  },
  {
    id: "FC-38",
    title: "Of a burst the last one completes, also when its events are sent one by one",
    proves: ["FC-38"],
    async run({ app, fn, on, send, trigger, ended, finished }) {
      await app([
        fn<{ n: number }>({ id: "last", singleton: { mode: "cancel" } }, on("x"), async ({ event, step }) => {
          await step.sleep("s", "4s");
          return event.data.n;
        }),
      ]);
      const together = await send(Array.from({ length: 4 }, (_, n) => ({ name: on("x"), data: { n } })));
      const single = [await trigger(on("x"), { n: 4 }), await trigger(on("x"), { n: 5 })];
      const ids = [...together, ...single];
      const last = ids.pop() ?? "";
      expect(await finished(last)).toMatchObject({ status: "Completed", output: 5 });
      for (const id of ids) {
        const runs = await ended(id);
        expect(runs).toHaveLength(1);
        expect(["Cancelled", "Skipped"]).toContain(runs[0]?.status);
      }
    },
  },
  {
    id: "FC-38b",
    title: "Of events that come at the same moment from many senders one completes, and no two go on together",
    proves: ["FC-38"],
    async run({ app, fn, on, trigger, ended }) {
      await app([
        fn({ id: "race", singleton: { mode: "cancel" } }, on("x"), async ({ step }) => {
          await step.sleep("s", "4s");
          return "done";
        }),
      ]);
      const ids = await Promise.all(Array.from({ length: 8 }, (_, n) => trigger(on("x"), { n })));
      const statuses = (await Promise.all(ids.map((id) => ended(id)))).map(([run]) => run?.status);
      expect(statuses.filter((status) => status === "Completed")).toHaveLength(1);
      expect(statuses.filter((status) => status === "Cancelled" || status === "Skipped")).toHaveLength(7);
    },
  },
  {
    id: "FC-39",
    title: "A key that is false is no singleton",
    proves: ["FC-39"],
    async run({ app, fn, on, send, finished, ended, peak, maxPeak }) {
      const singleton = { mode: "skip", key: "event.data.force ? false : event.data.id" };
      await app([
        fn<{ force: boolean }>({ id: "forced", singleton }, on("x"), ({ event, step }) =>
          step.run("s", () => peak(event.data.force ? "forced" : "single", 2000)),
        ),
      ]);
      const forces = [true, false, true, false, true];
      const ids = await send(forces.map((force) => ({ name: on("x"), data: { force, id: 1 } })));
      for (const [at, id] of ids.entries()) {
        if (at === 3) expect(await ended(id)).toMatchObject([{ status: "Skipped" }]);
        else expect(await finished(id)).toMatchObject({ status: "Completed" });
      }
      expect(maxPeak("forced")).toBeGreaterThan(1);
    },
  },
  {
    id: "FC-43b",
    title: "A function that is invoked while it is a singleton's second run answers its caller with an error",
    proves: ["FC-43", "EX-51"],
    async run({ app, fn, on, trigger, finished, until, mark, marks }) {
      const single = fn({ id: "single", singleton: { mode: "skip" } }, on("s"), async ({ step }) => {
        mark("began");
        await step.sleep("s", "5s");
      });
      const caller = fn({ id: "caller", retries: 0 }, on("x"), ({ step }) =>
        step
          .invoke("i", { function: single.native, data: {} })
          .catch((error: unknown) => (error instanceof Error ? error.message : "no error")),
      );
      await app([single, caller]);
      await trigger(on("s"));
      await until(() => marks("began").length > 0);
      const { output } = await finished(await trigger(on("x")));
      expect(output).toContain("singleton");
    },
  },
];
