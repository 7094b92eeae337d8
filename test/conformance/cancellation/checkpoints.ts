/**
 * Cancelling runs whose app goes on by itself: between checkpoints (EX-67).
 */
import { expect } from "vitest";
import type { Case } from "../harness/cases.ts";
import { expectCancelled, onlyRun } from "./cancelled.ts";

/** The scenarios. */
export const checkpoints: readonly Case[] = [
  {
    id: "EX-67",
    title: "A cancel takes effect at the next checkpoint",
    proves: ["EX-67", "EX-66", "CR-1"],
    sdks: ["v4-checkpointed", "v3-checkpointed"],
    async run(scenario) {
      const { app, fn, on, trigger, until, pause, api, names, mark, marks } = scenario;
      await app([
        fn("five", on("x"), async ({ step }) => {
          for (const n of [1, 2, 3, 4, 5]) {
            await step.run(`s${n}`, async () => {
              mark(`s${n}`);
              await pause(1500);
            });
          }
          mark("end");
        }),
      ]);
      const { run_id } = await onlyRun(scenario, await trigger(on("x")));
      await until(() => marks("s2").length > 0);
      expect((await api("DELETE", `/v1/runs/${run_id}`)).status).toBe(200);
      await expectCancelled(scenario, run_id, "api");
      await pause(2500);
      expect(names("s").length).toBeLessThanOrEqual(3);
      expect(marks("end")).toEqual([]);
      const { json } = await api("GET", `/v0/runs/${run_id}/actions`);
      expect(Object.values(json as object)).toHaveLength(1);
    },
  },
];
