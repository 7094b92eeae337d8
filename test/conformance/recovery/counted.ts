/**
 * What flow control means for runs that are run again (FC-43): throttle, concurrency and priority as for any other; no rate limit, no
 * idempotency; a singleton keeps them waiting.
 */
import { expect } from "vitest";
import type { Case } from "../harness/cases.ts";
import { endedRun, replay, replayed, rerun } from "./running-again.ts";

/** The scenarios. */
export const counted: readonly Case[] = [
  {
    id: "FC-43",
    title: "Neither rate limit nor idempotency nor debounce hold a rerun back; the throttle does",
    proves: ["FC-43", "FC-17"],
    sdks: ["v4"],
    async run(scenario) {
      const { app, fn, on, trigger, finished, ended } = scenario;
      await app([
        fn({ id: "rated", rateLimit: { limit: 1, period: "1h" } }, on("rated"), () => 1),
        fn({ id: "once", idempotency: "event.data.id" }, on("once"), () => 1),
        fn({ id: "late", debounce: { period: "1s" } }, on("late"), () => 1),
        fn({ id: "slow", throttle: { limit: 1, period: "3s" } }, on("slow"), () => 1),
      ]);
      for (const name of ["rated", "once"]) {
        const { run_id } = await finished(await trigger(on(name), { id: 1 }));
        expect(await endedRun(scenario, await rerun(scenario, run_id))).toMatchObject({ status: "Completed" });
      }
      // What is rerun gathers with nobody: it starts at once, not after the period.
      const [late] = await ended(await trigger(on("late")));
      const debounced = await endedRun(scenario, await rerun(scenario, late?.run_id ?? ""));
      expect(Date.parse(debounced.run_started_at ?? "") - Date.parse(debounced.queued_at)).toBeLessThan(900);
      const slow = await finished(await trigger(on("slow")));
      const [first, second] = [await rerun(scenario, slow.run_id), await rerun(scenario, slow.run_id)];
      const starts = [slow, await endedRun(scenario, first), await endedRun(scenario, second)].map((run) =>
        Date.parse(run.run_started_at ?? ""),
      );
      expect((starts[1] ?? 0) - (starts[0] ?? 0)).toBeGreaterThanOrEqual(2900);
      expect((starts[2] ?? 0) - (starts[1] ?? 0)).toBeGreaterThanOrEqual(2900);
    },
  },
  {
    id: "FC-43b",
    title: "A rerun waits for its turn on a singleton, visibly, and may be cancelled meanwhile",
    proves: ["FC-43", "CR-21", "BY-12"],
    sdks: ["v4"],
    async run(scenario) {
      const { app, fn, on, trigger, until, engine, api, mark, marks } = scenario;
      await app([
        fn<{ id: string; hold: boolean }>(
          { id: "single", singleton: { key: "event.data.id", mode: "skip" } },
          on("x"),
          async ({ event, step, runId }) => {
            mark(`in:${runId}`);
            if (event.data.hold) await step.waitForEvent("w", { event: on("go"), timeout: "1h" });
            return event.data.id;
          },
        ),
      ]);
      const quick = await trigger(on("x"), { id: "a", hold: false });
      const [original] = await scenario.ended(quick);
      const holder = await trigger(on("x"), { id: "a", hold: true });
      await until(async () => (await engine.runsOf(holder))[0]?.status === "Running");
      const [waiting, dropped] = [
        await rerun(scenario, original?.run_id ?? ""),
        await rerun(scenario, original?.run_id ?? ""),
      ];
      for (const id of [waiting, dropped]) {
        expect(await engine.run(id)).toMatchObject({ status: "Scheduled", original_run_id: original?.run_id });
      }
      const why = await api("GET", `/v1/runs/${waiting}/why`);
      expect(why).toMatchObject({ status: 200, json: { data: { causes: [{ cause: "singleton", key: "a" }] } } });
      // Of another key nobody keeps it waiting.
      const other = await scenario.ended(await trigger(on("x"), { id: "b", hold: false }));
      await endedRun(scenario, await rerun(scenario, other[0]?.run_id ?? ""));
      expect((await api("DELETE", `/v1/runs/${dropped}`)).status).toBe(200);
      await scenario.pause(2500);
      expect(await engine.run(waiting)).toMatchObject({ status: "Scheduled", run_started_at: null });
      await trigger(on("go"));
      expect(await endedRun(scenario, waiting)).toMatchObject({ status: "Completed", output: "a" });
      expect(await engine.run(dropped)).toMatchObject({ status: "Cancelled", run_started_at: null });
      expect(marks(`in:${dropped}`)).toEqual([]);
      // It has given the singleton back.
      expect(await scenario.finished(await trigger(on("x"), { id: "a", hold: false }))).toMatchObject({
        status: "Completed",
      });
    },
  },
  {
    id: "FC-43c",
    title: "Replayed runs of a singleton go one after the other, each in its turn",
    proves: ["FC-43", "CR-23", "CR-25"],
    sdks: ["v4"],
    async run(scenario) {
      const { app, fn, on, send, ended, peak, maxPeak, mark, names, slug, trigger, until } = scenario;
      let slow = false;
      await app([
        fn<{ n: number }>({ id: "single", singleton: { mode: "skip" } }, on("x"), async ({ event, step }) =>
          step.run("w", async () => {
            mark(`n:${event.data.n}`);
            await peak("w", slow ? 300 : 1500);
          }),
        ),
      ]);
      const from = new Date().toISOString();
      const first = await trigger(on("x"), { n: 0 });
      await until(() => names("n:0").length === 1);
      const ids = await send([1, 2, 3].map((n) => ({ name: on("x"), data: { n } })));
      await ended(first);
      expect(names("n:")).toEqual(["n:0"]);
      slow = true;
      const { id } = await replay(scenario, { function_id: slug("single"), from, statuses: ["Skipped"] });
      const done = await replayed(scenario, id);
      expect(done).toMatchObject({ status: "completed", total: 3, started: 3, ended: { completed: 3 } });
      expect(names("n:").slice(1).sort()).toEqual(["n:1", "n:2", "n:3"]);
      expect(maxPeak("w")).toBe(1);
      for (const event of ids) expect(await ended(event, 2)).toHaveLength(2);
    },
  },
];
