/**
 * Scenarios of keys and priorities that are computed for a run (FC-30, FC-41).
 */
import { expect } from "vitest";
import type { Case } from "../harness/cases.ts";
import { outcomesOf } from "./outcomes.ts";

/** The scenarios. */
export const keys: readonly Case[] = [
  {
    id: "FC-41",
    title: "A key that cannot be computed is empty, and the event says so",
    proves: ["FC-41", "EV-12"],
    async run({ app, fn, on, trigger, finished, engine, slug }) {
      const concurrency = { limit: 1, key: "event.data.user.id" };
      const rateLimit = { limit: 10, period: "1h", key: "event.data.none" };
      await app([fn({ id: "keyed", concurrency, rateLimit }, on("x"), ({ step }) => step.run("s", () => "ran"))]);
      const id = await trigger(on("x"), { none: null });
      expect(await finished(id)).toMatchObject({ status: "Completed" });
      const [outcome] = await outcomesOf(engine, id);
      expect(outcome).toMatchObject({ function_slug: slug("keyed"), outcome: "started" });
      expect(outcome?.warnings.map(({ option }) => option).sort()).toEqual(["concurrency.key", "rateLimit.key"]);
      for (const { reason } of outcome?.warnings ?? []) expect(reason).not.toBe("");
      const [well] = await outcomesOf(engine, await trigger(on("x"), { none: 1, user: { id: 1 } }));
      expect(well?.warnings).toEqual([]);
    },
  },
  {
    id: "FC-41b",
    title: "An event that is skipped under the empty key says so too",
    proves: ["FC-41", "FC-21"],
    async run({ app, fn, on, send, engine }) {
      await app([fn({ id: "once", idempotency: "event.data.cart" }, on("x"), () => "ran")]);
      const [, second = ""] = await send([{ name: on("x") }, { name: on("x") }]);
      expect(await outcomesOf(engine, second)).toMatchObject([
        { outcome: "skipped", reason: "idempotent", warnings: [{ option: "idempotency" }] },
      ]);
    },
  },
  {
    id: "FC-30",
    title: "A priority is clipped, and one that is no number counts as 0 and is noted",
    proves: ["FC-30"],
    async run({ app, fn, on, trigger, finished, engine }) {
      await app([
        fn({ id: "urgent", priority: { run: "event.data.p" } }, on("x"), () => "ran"),
        fn("plain", on("plain"), () => "ran"),
      ]);
      const shown = async (name: string, data = {}) => {
        const { run_id } = await finished(await trigger(on(name), data));
        const { priority, priority_error } = await engine.run(run_id);
        return { priority, priority_error };
      };
      expect(await shown("x", { p: 900 })).toEqual({ priority: 600, priority_error: undefined });
      expect(await shown("x", { p: 2.9 })).toEqual({ priority: 2, priority_error: undefined });
      expect(await shown("x", { p: "x" })).toEqual({ priority: 0, priority_error: expect.any(String) });
      expect(await shown("x")).toEqual({ priority: 0, priority_error: expect.any(String) });
      expect(await shown("plain")).toEqual({ priority: undefined, priority_error: undefined });
    },
  },
  {
    id: "FC-31",
    title: "A negative priority holds the first call back",
    proves: ["FC-31", "FC-29"],
    async run({ app, fn, on, trigger, finished, mark, marks }) {
      await app([fn({ id: "later", priority: { run: "-3" } }, on("x"), () => mark("ran"))]);
      const sent = Date.now();
      await finished(await trigger(on("x")));
      expect((marks("ran")[0]?.at ?? 0) - sent).toBeGreaterThanOrEqual(3000);
    },
  },
];
