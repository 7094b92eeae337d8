/**
 * Scenarios of runs that wait for a limit: what that costs, what they show, and what a changed limit does to them (FC-11, FC-12).
 */
import { expect } from "vitest";
import * as z from "zod";
import type { Case } from "../harness/cases.ts";
import { gate } from "./gate.ts";

const queue = z.object({
  data: z.array(
    z.looseObject({
      kind: z.string(),
      attempt: z.number(),
      waiting_for: z
        .looseObject({ counts: z.string(), scope: z.string(), key: z.string(), since: z.string() })
        .nullable(),
    }),
  ),
});

/** ms; longer than the engine watches over a call that does not come back. */
const LONG = 13_000;

/** The scenarios. */
export const waiting: readonly Case[] = [
  {
    id: "FC-12",
    title: "However long it waits, it uses no attempt and no call, and shows which limit it waits for",
    proves: ["FC-12", "FC-18", "API-9"],
    async run({ app, fn, on, trigger, until, pause, api, engine, finished }) {
      const held = gate(Number.POSITIVE_INFINITY);
      const served = await app([
        fn({ id: "one", concurrency: { limit: 1, key: "event.data.k" } }, on("x"), async ({ step, attempt }) => {
          await step.run("hold", held.enter);
          return attempt;
        }),
      ]);
      const first = await trigger(on("x"), { k: "K" });
      await until(() => held.inside === 1);
      const second = await trigger(on("x"), { k: "K" });
      const [run] = await until(async () => {
        const runs = await engine.runsOf(second);
        return runs.length === 1 ? runs : null;
      });
      await pause(LONG);
      const calls = served.calls();
      const { data } = queue.parse((await api("GET", `/v1/runs/${run?.run_id}/jobs`)).json);
      expect(data).toMatchObject([
        { kind: "start", attempt: 0, waiting_for: { counts: "steps", scope: "fn", key: "K" } },
      ]);
      expect(Date.parse(data[0]?.waiting_for?.since ?? "")).toBeLessThan(Date.now() - LONG + 1000);
      expect(await engine.run(run?.run_id ?? "")).toMatchObject({ status: "Scheduled", run_started_at: null });
      expect(calls).toBe(1);
      held.open();
      for (const id of [first, second]) expect(await finished(id)).toMatchObject({ status: "Completed", output: 0 });
      expect(served.calls()).toBe(4);
    },
  },
  {
    id: "FC-11",
    title: "A changed limit counts within ten seconds, for what waits and what is new",
    proves: ["FC-11"],
    sdks: ["v4"],
    async run({ app, fn, on, send, until, pause, ended }) {
      const spans: { from: number; until: number }[] = [];
      const functions = (concurrency: number) => [
        fn({ id: "changing", concurrency }, on("x"), ({ step }) =>
          step.run("work", async () => {
            const span = { from: Date.now(), until: Number.POSITIVE_INFINITY };
            spans.push(span);
            await pause(300);
            span.until = Date.now();
          }),
        ),
      ];
      const most = (from: number) => {
        const begun = spans.filter((span) => span.from >= from);
        return Math.max(0, ...begun.map((one) => spans.filter((s) => s.from <= one.from && one.from < s.until).length));
      };
      const served = await app(functions(1));
      const ids = await send(Array.from({ length: 90 }, () => ({ name: on("x") })));
      await until(() => spans.length >= 3);
      expect(most(0)).toBe(1);
      await served.resync(functions(5));
      await until(() => most(0) === 5, 10_000);
      await served.resync(functions(2));
      const lowered = Date.now();
      await until(() => Date.now() > lowered + 10_000);
      const settled = Date.now();
      const before = spans.length;
      await pause(1500);
      expect(spans.length).toBeGreaterThan(before);
      expect(spans.length).toBeLessThan(90);
      expect(most(settled)).toBe(2);
      // Without its limit everything that waits goes on.
      await served.resync([
        fn({ id: "changing" }, on("x"), ({ step }) => step.run("work", () => spans.push({ from: 0, until: 0 }))),
      ]);
      for (const id of ids) await ended(id);
    },
  },
];
