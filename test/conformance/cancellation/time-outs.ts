/**
 * Runs that take too long to start or to finish (CR-5, CR-6, CR-7).
 */
import { expect } from "vitest";
import type { Case } from "../harness/cases.ts";
import { took } from "../steps/modes.ts";
import { expectCancelled } from "./cancelled.ts";

/** The scenarios. */
export const timeouts: readonly Case[] = [
  {
    id: "SC-130",
    title: "Time-outs",
    proves: ["CR-5", "CR-6", "CR-7", "CR-13", "CR-33"],
    async run(scenario) {
      const { app, fn, on, trigger, send, ended, runOf, pause, mark, marks } = scenario;
      await app([
        fn({ id: "finish", timeouts: { finish: "3s" } }, on("x"), async ({ step }) => step.sleep("s", "1m")),
        fn({ id: "busy", timeouts: { finish: "2s" } }, on("x"), async ({ step }) => {
          await step.run("long", async () => {
            await pause(4000);
            mark("busy-end");
          });
          await step.run("never", () => mark("busy-never"));
        }),
        fn({ id: "start", concurrency: 1, timeouts: { start: "3s" } }, on("start"), async ({ step }) =>
          step.run("w", () => pause(8000)),
        ),
      ]);
      const from = Date.now();
      const both = await ended(await trigger(on("x")), 2);
      const ids = await send([{ name: on("start") }, { name: on("start") }]);
      const sent = Date.now();
      const finish = await expectCancelled(scenario, runOf(both, "finish").run_id, "timeout_finish");
      expect(took(finish, Date.parse(finish.run_started_at ?? ""))).toBeGreaterThanOrEqual(3000);
      expect(took(finish, Date.parse(finish.run_started_at ?? ""))).toBeLessThan(5000);
      const busy = await expectCancelled(scenario, runOf(both, "busy").run_id, "timeout_finish");
      expect(marks("busy-end")).toHaveLength(1);
      expect(took(busy, from)).toBeGreaterThanOrEqual(4000);
      expect(marks("busy-never")).toEqual([]);
      // Either of two events sent at once may come first.
      const runs = await Promise.all(ids.map((id) => ended(id).then(([run]) => run)));
      const late = runs.find((run) => run?.status === "Cancelled");
      if (late === undefined) throw new Error("one of the two runs came too late");
      expect(await expectCancelled(scenario, late.run_id, "timeout_start")).toMatchObject({ run_started_at: null });
      expect(took(late, Date.parse(late.queued_at))).toBeGreaterThanOrEqual(3000);
      expect(took(late, sent)).toBeLessThan(6000);
      expect(runs.map((run) => run?.status).sort()).toEqual(["Cancelled", "Completed"]);
    },
  },
  {
    id: "CR-6",
    title: "Retries and waits count; a run that ends in time is left alone",
    proves: ["CR-6"],
    async run(scenario) {
      const { app, fn, on, trigger, ended, runOf, pause, mark, marks } = scenario;
      await app([
        fn({ id: "retrying", retries: 20, timeouts: { finish: "3s" } }, on("x"), () => {
          mark("try");
          throw new Error("again");
        }),
        fn({ id: "waiting", timeouts: { start: "1m", finish: "2s" } }, on("x"), async ({ step }) =>
          step.waitForEvent("w", { event: on("never"), timeout: "1h" }),
        ),
        fn({ id: "quick", timeouts: { start: "10s", finish: "10s" } }, on("x"), async ({ step }) => {
          await step.sleep("s", "1s");
          return "in time";
        }),
      ]);
      const runs = await ended(await trigger(on("x")), 3);
      for (const id of ["retrying", "waiting"]) {
        await expectCancelled(scenario, runOf(runs, id).run_id, "timeout_finish");
      }
      expect(runOf(runs, "quick")).toMatchObject({ status: "Completed", output: "in time", cancel_reason: null });
      const tries = marks("try").length;
      expect(tries).toBeGreaterThan(1);
      await pause(1500);
      expect(marks("try")).toHaveLength(tries);
    },
  },
];
