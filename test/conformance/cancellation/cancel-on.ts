/**
 * Events that cancel runs (CR-2, CR-3, CR-4), and what becomes of a step that executes at that moment (CR-1).
 */
import { expect } from "vitest";
import type { Case } from "../harness/cases.ts";
import { took } from "../steps/modes.ts";
import { expectCancelled, onlyRun, sleeping } from "./cancelled.ts";

/** The scenarios. */
export const cancelOn: readonly Case[] = [
  {
    id: "SC-127",
    title: "Cancel on event",
    proves: ["CR-1", "CR-2", "CR-13", "CR-33"],
    async run(scenario) {
      const { app, fn, on, slug, send, engine, mark, marks, until } = scenario;
      const event = "tasks/reminder.deleted";
      await app([
        fn<{ reminderId: number }>(
          {
            id: "schedule-reminder",
            cancelOn: [{ event: on(event), if: "async.data.reminderId == event.data.reminderId" }],
          },
          on("tasks/reminder.created"),
          async ({ event, step }) => {
            await step.sleepUntil("sleeping-until-reminder", new Date(Date.now() + 3_600_000));
            await step.run("send-push", () => mark(`push:${event.data.reminderId}`));
          },
        ),
        fn<{ run_id: string; error: object; event: { data: object }; events: object[]; function_id: string }>(
          "cleanup",
          {
            event: "inngest/function.cancelled",
            if: `event.data.function_id == '${slug("schedule-reminder")}'`,
          },
          ({ event: { data } }) => mark(`cleanup:${JSON.stringify(data)}`),
        ),
      ]);
      const created = on("tasks/reminder.created");
      const ids = await send([1, 2].map((reminderId) => ({ name: created, data: { reminderId } })));
      const [first, second] = [await sleeping(scenario, ids[0] ?? ""), await sleeping(scenario, ids[1] ?? "")];
      const from = Date.now();
      const [stop] = await send([{ name: on(event), data: { reminderId: 1 } }]);
      const run = await expectCancelled(scenario, first.run_id, "event");
      expect(took(run, from)).toBeLessThan(5000);
      expect(run).toMatchObject({ cancelled_by: { event_id: stop, event_name: on(event) } });
      expect((await engine.run(second.run_id)).status).toBe("Running");
      await until(() => marks("cleanup:").length > 0);
      const [cleanup, ...others] = marks("cleanup:").map(({ name }) => JSON.parse(name.slice("cleanup:".length)));
      expect(others).toEqual([]);
      expect(cleanup).toMatchObject({
        error: { error: "function cancelled", message: "function cancelled", name: "Error" },
        event: { name: created, data: { reminderId: 1 } },
        events: [{ name: created }],
        function_id: slug("schedule-reminder"),
        run_id: first.run_id,
      });
      expect(marks("push:")).toEqual([]);
    },
  },
  {
    id: "SC-128",
    title: "Cancel while a step executes",
    proves: ["CR-1", "EX-11"],
    async run(scenario) {
      const { app, fn, on, trigger, ended, until, pause, mark, marks, api } = scenario;
      await app([
        fn({ id: "mid", cancelOn: [{ event: on("stop"), match: "data.id" }] }, on("x"), async ({ step }) => {
          await step.run("one", () => 1);
          await step.run("two", async () => {
            mark("two-begin");
            await pause(3000);
            mark("two-end");
          });
          await step.run("three", () => mark("three"));
        }),
      ]);
      const id = await trigger(on("x"), { id: 7 });
      await until(() => marks("two-begin").length === 1);
      await trigger(on("stop"), { id: 8 });
      await trigger(on("stop"), { id: 7 });
      const { run_id } = await onlyRun(scenario, id);
      await pause(500);
      expect(await scenario.engine.run(run_id)).toMatchObject({ status: "Running" });
      const [run] = await ended(id);
      expect(marks("two-end")).toHaveLength(1);
      expect(run).toMatchObject({ status: "Cancelled", cancel_reason: "event" });
      const { json } = await api("GET", `/v0/runs/${run_id}/actions`);
      expect(Object.values(json as object)).toEqual([{ data: 1 }]);
      await pause(500);
      expect(marks("three")).toEqual([]);
      expect(marks("two-begin")).toHaveLength(1);
    },
  },
  {
    id: "CR-2",
    title: "Without a condition every such event cancels; any of five listeners may; names are exact",
    proves: ["CR-2"],
    async run(scenario) {
      const { app, fn, on, trigger, engine, pause } = scenario;
      const listeners = ["a", "b", "c", "d"].map((name) => ({ event: on(`stop.${name}`), match: "data.id" }));
      await app([
        fn({ id: "sleeper", cancelOn: [...listeners, { event: on("all") }] }, on("x"), async ({ step }) =>
          step.sleep("s", "1h"),
        ),
      ]);
      const [one, two, three] = [
        await sleeping(scenario, await trigger(on("x"), { id: 1 })),
        await sleeping(scenario, await trigger(on("x"), { id: 2 })),
        await sleeping(scenario, await trigger(on("x"), { id: 3 })),
      ];
      await trigger(on("stop"), { id: 1 });
      await trigger(on("stop.d.now"), { id: 1 });
      await trigger(on("stop.a"), { id: 9 });
      await trigger(on("stop.d"), { id: 2 });
      await expectCancelled(scenario, two.run_id, "event");
      await pause(300);
      for (const { run_id } of [one, three]) expect((await engine.run(run_id)).status).toBe("Running");
      await trigger(on("all"));
      await expectCancelled(scenario, one.run_id, "event");
      await expectCancelled(scenario, three.run_id, "event");
    },
  },
  {
    id: "CR-2b",
    title: "The event that starts a run does not cancel it, though it cancels the run before",
    proves: ["CR-2"],
    async run(scenario) {
      const { app, fn, on, trigger, engine, until } = scenario;
      await app([
        fn({ id: "newest", cancelOn: [{ event: on("x"), match: "data.id" }] }, on("x"), async ({ step }) =>
          step.sleep("s", "1h"),
        ),
      ]);
      const first = await sleeping(scenario, await trigger(on("x"), { id: 1 }));
      const second = await sleeping(scenario, await trigger(on("x"), { id: 1 }));
      await until(async () => (await engine.run(first.run_id)).status === "Cancelled");
      expect((await engine.run(second.run_id)).status).toBe("Running");
    },
  },
  {
    id: "CR-2c",
    title: "An event the run itself sends in its first step cancels it",
    proves: ["CR-2", "CR-1"],
    async run(scenario) {
      const { app, fn, on, trigger, mark, marks } = scenario;
      await app([
        fn({ id: "suicidal", cancelOn: [{ event: on("stop") }] }, on("x"), async ({ step }) => {
          await step.sendEvent("stop", { name: on("stop"), data: {} });
          await step.run("after", () => mark("after"));
          await step.sleep("s", "1h");
        }),
      ]);
      const { run_id } = await onlyRun(scenario, await trigger(on("x")));
      await expectCancelled(scenario, run_id, "event");
      expect(marks("after")).toEqual([]);
    },
  },
  {
    id: "CR-3",
    title: "A listener acts for its window and no longer",
    proves: ["CR-3"],
    async run(scenario) {
      const { app, fn, on, trigger, finished, pause } = scenario;
      await app([
        fn(
          { id: "window", cancelOn: [{ event: on("stop"), match: "data.id", timeout: "3s" }] },
          on("x"),
          async ({ step }) => {
            await step.sleep("s", "7s");
            return "kept";
          },
        ),
      ]);
      const [kept, gone] = [await trigger(on("x"), { id: 1 }), await trigger(on("x"), { id: 2 })];
      const { run_id } = await sleeping(scenario, gone);
      await trigger(on("stop"), { id: 2 });
      await expectCancelled(scenario, run_id, "event");
      await pause(4000);
      await trigger(on("stop"), { id: 1 });
      expect(await finished(kept)).toMatchObject({ status: "Completed", output: "kept" });
    },
  },
  {
    id: "CR-4",
    title: "Runs that wait for their time or their turn are cancelled too, and never start",
    proves: ["CR-4"],
    async run(scenario) {
      const { app, fn, on, send, trigger, until, engine, pause, mark, marks } = scenario;
      const cancel = [{ event: on("stop"), match: "data.id" }];
      await app([
        fn({ id: "future", cancelOn: cancel }, on("future"), () => mark("future")),
        fn<{ id: number }>(
          { id: "one-by-one", concurrency: 1, cancelOn: cancel },
          on("line"),
          async ({ event, step }) =>
            step.run("work", async () => {
              mark(`line:${event.data.id};`);
              await until(() => marks("go").length > 0);
            }),
        ),
      ]);
      const [future = ""] = await send([{ name: on("future"), data: { id: 1 }, ts: Date.now() + 3_600_000 }]);
      const line: string[] = [];
      for (const id of [2, 3, 4]) line.push(...(await send([{ name: on("line"), data: { id } }])));
      await until(() => marks("line:2;").length > 0);
      for (const id of [1, 3]) await trigger(on("stop"), { id });
      await expectCancelled(scenario, (await onlyRun(scenario, future)).run_id, "event");
      const gone = await expectCancelled(scenario, (await onlyRun(scenario, line[1] ?? "")).run_id, "event");
      expect(gone.run_started_at).toBeNull();
      mark("go");
      const { run_id } = await onlyRun(scenario, line[2] ?? "");
      await until(async () => (await engine.run(run_id)).status === "Completed");
      await pause(200);
      expect(marks("line:3;")).toEqual([]);
      expect(marks("future")).toEqual([]);
    },
  },
  {
    id: "CR-35",
    title: "The end of one run cancels another",
    proves: ["CR-35", "CR-2"],
    async run(scenario) {
      const { app, fn, on, slug, trigger } = scenario;
      const condition = `async.data.function_id == '${slug("job")}' && async.data.event.data.id == event.data.id`;
      await app([
        fn("job", on("job"), () => "done"),
        fn(
          { id: "watcher", cancelOn: [{ event: "inngest/function.finished", if: condition }] },
          on("watch"),
          async ({ step }) => step.sleep("s", "1h"),
        ),
      ]);
      const [one, two] = [
        await sleeping(scenario, await trigger(on("watch"), { id: 1 })),
        await sleeping(scenario, await trigger(on("watch"), { id: 2 })),
      ];
      await trigger(on("job"), { id: 2 });
      const run = await expectCancelled(scenario, two.run_id, "event");
      expect(run).toMatchObject({ cancelled_by: { event_name: "inngest/function.finished" } });
      expect((await scenario.engine.run(one.run_id)).status).toBe("Running");
    },
  },
];
