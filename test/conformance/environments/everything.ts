/**
 * What objects, queues and timers do in the background happens in the environment that began it: nothing falls back to production (SE-8).
 */
import { expect } from "vitest";
import type { Case } from "../harness/cases.ts";
import { endedRun, replay, replayed, rerun } from "../recovery/running-again.ts";
import { waiting } from "../steps/modes.ts";
import { custom } from "./world.ts";

/** More starts than the engine awaits in the request that sends. */
const MANY = 40;

/** The scenarios. */
export const everything: readonly Case[] = [
  {
    id: "SE-8",
    title: "Large sends, batches, debouncing, throttles, failure handlers, reruns, replays and cancellations",
    proves: ["SE-8", "EV-8", "FC-15", "FC-24", "FC-32", "EX-27", "CR-9", "CR-21", "CR-22"],
    sdks: ["v4-checkpointed"],
    async run(scenario) {
      const staging = scenario.within((await custom(scenario.engine, `everything ${scenario.appId}`)).engine);
      const { app, appId, fn, on, send, trigger, finished, until, marks, mark, slug, engine, api } = staging;
      let broken = true;
      await app([
        fn("many", on("many"), ({ event }) => mark(`many ${event.data["n"]}`)),
        fn({ id: "batch", batchEvents: { maxSize: 50, timeout: "1s" } }, on("many"), ({ events }) => {
          for (const { data } of events) mark(`batched ${data["n"]}`);
        }),
        fn({ id: "debounced", debounce: { period: "1s" } }, on("many"), () => mark("debounced")),
        fn({ id: "throttled", throttle: { limit: 1, period: "1s" } }, on("throttle"), () => mark("throttled")),
        fn(
          { id: "fails", retries: 0, onFailure: ({ event }) => mark(`failed ${event.data.function_id}`) },
          on("fails"),
          () => {
            if (broken) throw new Error("bug");
            return "fixed";
          },
        ),
        fn("ends", [{ event: "inngest/function.failed" }], ({ event }) => mark(`heard ${event.data["function_id"]}`)),
        fn("sleeper", on("sleep"), ({ step }) => step.waitForEvent("s", { event: on("never"), timeout: "1h" })),
      ]);
      const from = new Date().toISOString();
      await send(Array.from({ length: MANY }, (_, n) => ({ name: on("many"), data: { n } })));
      await send([{ name: on("throttle") }, { name: on("throttle") }]);
      const failed = await finished(await trigger(on("fails")));
      expect(failed).toMatchObject({ status: "Failed" });
      const sleeping = await waiting(staging, await trigger(on("sleep")));
      const before = new Date().toISOString();
      await until(
        () =>
          marks("many").length === MANY &&
          marks("batched").length === MANY &&
          marks("debounced").length === 1 &&
          marks("throttled").length === 2 &&
          marks("failed").length === 1 &&
          marks("heard").length === 1,
      );
      broken = false;
      const again = await endedRun(staging, await rerun(staging, failed.run_id));
      expect(again).toMatchObject({ status: "Completed", output: "fixed" });
      const window = { from, until: before };
      const made = await replay(staging, { function_id: slug("fails"), ...window, statuses: ["Failed"] });
      expect(await replayed(staging, made.id)).toMatchObject({ started: 1, ended: { completed: 1 } });
      const wish = { app_id: appId, function_id: "sleeper", started_after: from, started_before: before };
      expect((await api("POST", "/v1/cancellations", wish)).status).toBe(200);
      await until(async () => (await engine.run(sleeping)).status === "Cancelled");
      for (const path of ["/v1/runs?limit=100", "/v1/events?limit=100", "/v1/replays", "/v1/cancellations"]) {
        expect((await scenario.engine.api("GET", path)).text).not.toContain(appId);
      }
    },
  },
];
