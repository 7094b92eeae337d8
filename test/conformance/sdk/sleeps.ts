/**
 * Scenarios of sleeping runs (EX-37, EX-38).
 */
import { expect } from "vitest";
import * as z from "zod";
import type { Case } from "../harness/cases.ts";

/** The scenarios. */
export const sleeps: readonly Case[] = [
  {
    id: "SC-73",
    title: "Sleep forms",
    proves: ["EX-37", "EX-38"],
    async run({ app, fn, on, trigger, finished }) {
      await app([
        fn("naps", on("x"), async ({ step }) => {
          const now = (id: string) => step.run(id, () => Date.now());
          const t0 = await now("t0");
          await step.sleep("text", "2s");
          const t1 = await now("t1");
          await step.sleep("ms", 2000);
          const t2 = await now("t2");
          await step.sleepUntil("date", new Date(t2 + 2000));
          const t3 = await now("t3");
          await step.sleepUntil("past", "2023-02-01T16:30:00");
          const t4 = await now("t4");
          return [t1 - t0, t2 - t1, t3 - t2, t4 - t3];
        }),
      ]);
      const gaps = z.array(z.number()).parse((await finished(await trigger(on("x")))).output);
      for (const gap of gaps.slice(0, 3)) {
        expect(gap).toBeGreaterThanOrEqual(2000);
        expect(gap).toBeLessThan(7000);
      }
      expect(gaps[3]).toBeLessThan(2000);
    },
  },
  {
    id: "EX-37",
    title: "A sleeping run holds no request and shows when it wakes",
    proves: ["EX-37", "API-9"],
    async run({ app, fn, on, trigger, finished, engine, until, api, mark, marks }) {
      const served = await app([
        fn("nap", on("x"), async ({ step }) => {
          await step.run("before", () => mark("before"));
          await step.sleep("nap", "3s");
          await step.run("after", () => mark("after"));
        }),
      ]);
      const id = await trigger(on("x"));
      await until(() => marks("before").length === 1);
      const [run] = await engine.runsOf(id);
      const jobs = await until(async () => {
        const { json } = await api("GET", `/v1/runs/${run?.run_id}/jobs`);
        const { data } = z.object({ data: z.array(z.looseObject({ at: z.string(), kind: z.string() })) }).parse(json);
        return data[0]?.kind === "sleep" ? data : null;
      });
      expect(jobs).toHaveLength(1);
      const due = Date.parse(jobs[0]?.at ?? "");
      const callsAsleep = served.calls();
      await finished(id);
      const [after] = marks("after");
      expect(callsAsleep).toBe(2);
      expect(after?.at).toBeGreaterThanOrEqual(due);
      expect(after?.at).toBeLessThan(due + 5000);
    },
  },
  {
    id: "EX-38",
    title: "No sleep is longer than 366 days; none at all takes no time",
    proves: ["EX-38"],
    async run({ app, fn, on, trigger, ended, runOf }) {
      const day = 86_400_000;
      await app([
        fn("too-long", on("x"), ({ step }) => step.sleep("s", "400d")),
        fn("too-late", on("x"), ({ step }) => step.sleepUntil("s", new Date(Date.now() + 400 * day))),
        fn("zero", on("x"), ({ step }) => step.sleep("s", 0).then(() => "awake")),
      ]);
      const runs = await ended(await trigger(on("x")), 3);
      for (const id of ["too-long", "too-late"]) {
        const { status, output } = runOf(runs, id);
        expect({ status, output: JSON.stringify(output) }).toEqual({
          status: "Failed",
          output: expect.stringMatching(/timeout_too_long/),
        });
      }
      const zero = runOf(runs, "zero");
      expect(zero).toMatchObject({ status: "Completed", output: "awake" });
      expect(Date.parse(zero.ended_at ?? "") - Date.parse(zero.queued_at)).toBeLessThan(3000);
    },
  },
];
