/**
 * Scenarios of runs that wait for a limit: what that costs, what they show, and what a changed limit does to them (FC-11, FC-12).
 */
import { expect } from "vitest";
import * as z from "zod";
import type { Case } from "../harness/cases.ts";
import { lock } from "./gate.ts";

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

/** ms after which a changed limit counts. */
const EFFECTIVE = 10_000;

/** The scenarios. */
export const waiting: readonly Case[] = [
  {
    id: "FC-12",
    title: "However long it waits, it uses no attempt and no call, and shows which limit it waits for",
    proves: ["FC-12", "FC-18", "API-9"],
    async run({ app, fn, on, trigger, until, pause, api, engine, finished }) {
      const held = lock();
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
      const held = lock();
      const functions = (options: object) => [
        fn({ id: "changing", ...options }, on("x"), ({ step }) => step.run("work", held.enter)),
      ];
      const served = await app(functions({ concurrency: 1 }));
      const ids = await send(Array.from({ length: 12 }, () => ({ name: on("x") })));
      await until(() => held.inside === 1);
      await served.resync(functions({ concurrency: 5 }));
      await until(() => held.inside === 5, EFFECTIVE);
      await served.resync(functions({ concurrency: 2 }));
      await pause(EFFECTIVE);
      // What executes is not stopped, and nothing begins before fewer than two execute.
      expect([held.inside, held.come]).toEqual([5, 5]);
      held.release(3);
      await until(() => held.inside === 2);
      await pause(500);
      expect([held.inside, held.come]).toEqual([2, 5]);
      held.release(1);
      await until(() => held.come === 6);
      await pause(500);
      expect([held.inside, held.come]).toEqual([2, 6]);
      await served.resync(functions({}));
      await until(() => held.come === 12, EFFECTIVE);
      held.open();
      for (const id of ids) await ended(id);
    },
  },
];
