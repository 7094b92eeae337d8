/**
 * Waiting for events: which event ends a wait, when listening begins, and that there is exactly one outcome (EX-41 to EX-47).
 */
import { expect } from "vitest";
import * as z from "zod";
import type { Case } from "../harness/cases.ts";
import { MODES, took, waiting } from "./modes.ts";

const matching: readonly Case[] = [
  {
    id: "SC-76",
    title: "Wait with match",
    proves: ["EX-41", "EX-42", "EX-47"],
    sdks: MODES,
    async run(scenario) {
      const { app, fn, on, send, finished } = scenario;
      await app([
        fn("onboarding", on("signup"), async ({ step }) => {
          const done = await step.waitForEvent("wait-for-onboarding", {
            event: on("completed"),
            match: "data.userId",
            timeout: "5s",
          });
          return done === null ? "nudge" : { tips: done.data["plan"] };
        }),
      ]);
      const began = Date.now();
      const [one = "", two = ""] = await send([1, 2].map((userId) => ({ name: on("signup"), data: { userId } })));
      await waiting(scenario, one);
      await waiting(scenario, two);
      const sent = Date.now();
      await send([
        { name: on("completed"), data: { userId: 3, plan: "x" } },
        { name: on("completed"), data: { userId: 1, plan: "pro" } },
      ]);
      const first = await finished(one);
      const second = await finished(two);
      expect(first).toMatchObject({ status: "Completed", output: { tips: "pro" } });
      expect(took(first, sent)).toBeLessThan(5000);
      expect(second).toMatchObject({ status: "Completed", output: "nudge" });
      expect(took(second, began)).toBeGreaterThanOrEqual(5000);
    },
  },
  {
    id: "EX-42",
    title: "The matched path must be there in both events, and equal",
    proves: ["EX-42", "XP-4"],
    sdks: MODES,
    async run(scenario) {
      const { app, fn, on, send, trigger, finished, api } = scenario;
      await app([
        fn("user", on("x"), ({ step }) =>
          step
            .waitForEvent("w", { event: on("y"), match: "data.user.id", timeout: "5s" })
            .then((got) => got?.data["n"]),
        ),
      ]);
      const present = await trigger(on("x"), { user: { id: 1 } });
      const missing = await trigger(on("x"), {});
      await waiting(scenario, present);
      const runId = await waiting(scenario, missing);
      for (const data of [{ n: 1 }, { user: { id: 2 }, n: 2 }, { user: { id: "1" }, n: 3 }, { user: null, n: 4 }])
        await send({ name: on("y"), data });
      expect(await api("GET", `/v1/runs/${runId}`)).toMatchObject({ json: { data: { status: "Running" } } });
      await send({ name: on("y"), data: { user: { id: 1 }, n: 5 } });
      expect(await finished(present)).toMatchObject({ output: 5 });
      expect(await finished(missing)).toMatchObject({ status: "Completed", output: null });
    },
  },
  {
    id: "SC-77",
    title: "Wait with an expression",
    proves: ["EX-43", "XP-3"],
    sdks: MODES,
    async run(scenario) {
      const { app, fn, on, send, trigger, finished } = scenario;
      await app([
        fn("upgrade", on("start"), async ({ step }) => {
          const token = await step.run("token", () => "t-42");
          return step.waitForEvent("paid", {
            event: on("changed"),
            timeout: "30s",
            if: `event.data.userId == async.data.userId && async.data.billing_plan == 'pro' && async.data.token == '${token}'`,
          });
        }),
      ]);
      const id = await trigger(on("start"), { userId: "u1" });
      await waiting(scenario, id);
      const paid = { userId: "u1", billing_plan: "pro", token: "t-42" };
      for (const data of [
        { ...paid, billing_plan: "free" },
        { ...paid, userId: "u2" },
        { ...paid, token: "t-43" },
      ])
        await send({ name: on("changed"), data });
      const [last] = await send({ name: on("changed"), data: { ...paid, n: 3 }, user: { plan: "p" }, id: on("once") });
      expect(await finished(id)).toMatchObject({
        status: "Completed",
        // The whole event, with the id its sender gave it.
        output: {
          name: on("changed"),
          id: on("once"),
          ts: expect.any(Number),
          data: { ...paid, n: 3 },
          user: { plan: "p" },
        },
      });
      expect(last).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
    },
  },
  {
    id: "XP-8",
    title: "Macros work in waits",
    proves: ["XP-8", "EX-43"],
    sdks: MODES,
    async run(scenario) {
      const { app, fn, on, send, trigger, finished } = scenario;
      await app([
        fn("listed", on("x"), ({ step }) =>
          step.waitForEvent("w", {
            event: on("y"),
            timeout: "30s",
            if: "async.data.ids.exists(x, x == event.data.id)",
          }),
        ),
      ]);
      const id = await trigger(on("x"), { id: 7 });
      await waiting(scenario, id);
      await send([
        { name: on("y"), data: { ids: [1, 2] } },
        { name: on("y") },
        { name: on("y"), data: { ids: [6, 7] } },
      ]);
      expect(await finished(id)).toMatchObject({ status: "Completed", output: { data: { ids: [6, 7] } } });
    },
  },
  {
    id: "SC-80",
    title: "A wait whose expression does not compile",
    proves: ["EX-44", "XP-9"],
    sdks: MODES,
    async run({ app, fn, on, trigger, ended, runOf, mark, marks }) {
      const wait = (id: string, condition: string) =>
        fn(id, on("x"), ({ step }) => {
          mark(id);
          return step.waitForEvent("unquoted", { event: on("y"), timeout: "1h", if: condition });
        });
      await app([
        wait("unknown", "user_1234 == async.data.userId"),
        wait("uuid", "async.data.id == 8f14e45f-ceea-467f-9575-2d3c1d1f0b6d"),
        wait("cut", "async.data.id =="),
      ]);
      const sent = Date.now();
      const runs = await ended(await trigger(on("x")), 3);
      for (const id of ["unknown", "uuid", "cut"]) {
        const run = runOf(runs, id);
        expect(run).toMatchObject({ status: "Failed", output: { code: "expression_invalid" } });
        expect(JSON.stringify(run.output)).toMatch(/unquoted.*column \d+/);
        expect(took(run, sent)).toBeLessThan(5000);
        expect(marks(id)).toHaveLength(1);
      }
      expect(JSON.stringify(runOf(runs, "unknown").output)).toContain("user_1234");
    },
  },
];

const timing: readonly Case[] = [
  {
    id: "EX-41",
    title: "A wait ends at its time-out, in each of its forms",
    proves: ["EX-41", "EX-38"],
    sdks: MODES,
    async run({ app, fn, on, trigger, ended, runOf }) {
      const day = 86_400_000;
      const wait = (id: string, timeout: () => string | number | Date) =>
        fn(id, on("x"), ({ step }) => step.waitForEvent("w", { event: on("never"), timeout: timeout() }));
      await app([
        wait("text", () => "2s"),
        wait("ms", () => 2000),
        // v4 writes a date to the second; so it lies that much later for its SDK to be a wait at all.
        wait("date", () => new Date(Date.now() + 3000)),
        wait("past", () => new Date(Date.now() - day)),
        wait("too-long", () => "400d"),
      ]);
      const sent = Date.now();
      const runs = await ended(await trigger(on("x")), 5);
      for (const id of ["text", "ms", "date"]) {
        expect(runOf(runs, id)).toMatchObject({ status: "Completed", output: null });
        expect(took(runOf(runs, id), sent), id).toBeGreaterThanOrEqual(2000);
        expect(took(runOf(runs, id), sent), id).toBeLessThan(7000);
      }
      expect(runOf(runs, "past")).toMatchObject({ status: "Completed", output: null });
      expect(took(runOf(runs, "past"), sent)).toBeLessThan(5000);
      expect(runOf(runs, "too-long")).toMatchObject({ status: "Failed", output: { code: "timeout_too_long" } });
    },
  },
  {
    id: "SC-79",
    title: "A wait and its own answer",
    proves: ["EX-45"],
    sdks: MODES,
    async run({ app, fn, on, send, finished }) {
      await app([
        fn<{ k: number }>("self", on("x"), async ({ event, step }) => {
          const [got] = await Promise.all([
            step.waitForEvent("w", { event: on("answer"), match: "data.k", timeout: "10s" }),
            step.sendEvent("s", { name: on("answer"), data: { k: event.data.k, n: 5 } }),
          ]);
          return got?.data["n"];
        }),
      ]);
      // In three ways, these are the scenario's fifty repetitions.
      const ids = await send(Array.from({ length: 17 }, (_, k) => ({ name: on("x"), data: { k } })));
      for (const id of ids) expect(await finished(id)).toMatchObject({ status: "Completed", output: 5 });
    },
  },
  {
    id: "EX-45",
    title: "Only later events count, and never the run's own trigger",
    proves: ["EX-45"],
    sdks: MODES,
    async run(scenario) {
      const { app, fn, on, send, trigger, finished, engine } = scenario;
      await app([
        fn("late", on("x"), async ({ step }) => {
          await step.sleep("s", "1s");
          return (await step.waitForEvent("w", { event: on("y"), timeout: "2s" }))?.data["n"];
        }),
        fn<{ timeout: string }>("own", on("again"), async ({ event, step }) => {
          const { timeout } = event.data;
          return (await step.waitForEvent("w", { event: on("again"), timeout }))?.data["n"];
        }),
      ]);
      const late = await trigger(on("x"));
      await send({ name: on("y"), data: { n: 1 } });
      const own = await trigger(on("again"), { n: 1, timeout: "30s" });
      await waiting(scenario, own);
      const next = await trigger(on("again"), { n: 2, timeout: "1s" });
      expect(await finished(own)).toMatchObject({ status: "Completed", output: 2 });
      expect(await finished(next)).toMatchObject({ status: "Completed", output: null });
      expect(await finished(late)).toMatchObject({ status: "Completed", output: null });
      expect(await engine.runsOf(own)).toHaveLength(1);
    },
  },
  {
    id: "EV-11",
    title: "A future timestamp does not keep a wait from ending",
    proves: ["EV-11"],
    sdks: MODES,
    async run(scenario) {
      const { app, fn, on, send, trigger, finished } = scenario;
      await app([fn("w", on("x"), ({ step }) => step.waitForEvent("w", { event: on("go"), timeout: "1h" }))]);
      const id = await trigger(on("x"));
      await waiting(scenario, id);
      const sent = Date.now();
      await send({ name: on("go"), ts: sent + 3_600_000 });
      const run = await finished(id);
      expect(run).toMatchObject({ status: "Completed", output: { name: on("go"), ts: sent + 3_600_000 } });
      expect(took(run, sent)).toBeLessThan(5000);
    },
  },
  {
    id: "CR-35",
    title: "A wait for the end of another run",
    proves: ["CR-35", "CR-34"],
    sdks: MODES,
    async run(scenario) {
      const { app, fn, on, send, trigger, finished } = scenario;
      await app([
        fn("watched", on("x"), async ({ step }) => {
          await step.waitForEvent("go", { event: on("go"), timeout: "1m" });
          return 3;
        }),
        fn<{ runId: string }>("watcher", on("watch"), async ({ event, step }) => {
          const ended = await step.waitForEvent<{ result: unknown; function_id: string }>("f", {
            event: "inngest/function.finished",
            if: `async.data.run_id == '${event.data.runId}'`,
            timeout: "1m",
          });
          return [ended?.data.function_id, ended?.data.result];
        }),
      ]);
      const watched = await trigger(on("x"));
      const runId = await waiting(scenario, watched);
      const watcher = await trigger(on("watch"), { runId });
      await waiting(scenario, watcher);
      await send({ name: on("go") });
      expect(await finished(watcher)).toMatchObject({ output: [scenario.slug("watched"), 3] });
    },
  },
  {
    id: "EX-34",
    title: "A wait that nobody needs any more is dropped",
    proves: ["EX-34"],
    sdks: ["v3"],
    async run({ app, fn, on, trigger, finished, send, engine, pause }) {
      const served = await app([
        fn("race", on("x"), ({ step }) =>
          Promise.race([step.run("fast", () => "fast"), step.waitForEvent("w", { event: on("y"), timeout: "1h" })]),
        ),
      ]);
      const run = await finished(await trigger(on("x")));
      expect(run).toMatchObject({ status: "Completed", output: "fast" });
      const calls = served.calls();
      await send({ name: on("y") });
      await pause(500);
      expect(served.calls()).toBe(calls);
      expect(await engine.run(run.run_id)).toMatchObject(run);
    },
  },
  {
    id: "BY-5",
    title: "A race of waits ends with the first event, and nothing of it remains",
    proves: ["BY-5", "EX-34"],
    // v4 reports the losers again instead of ending the function, in a race of its own as well.
    sdks: ["v3"],
    async run(scenario) {
      const { app, fn, on, send, trigger, finished, api } = scenario;
      await app([
        fn("race", on("x"), ({ step }) =>
          Promise.race(
            ["a", "b"].map(async (name) => {
              await step.waitForEvent(name, { event: on(name), timeout: "1h" });
              return name;
            }),
          ),
        ),
      ]);
      const id = await trigger(on("x"));
      await waiting(scenario, id, 2);
      const sent = Date.now();
      await send({ name: on("b") });
      const run = await finished(id);
      expect(run).toMatchObject({ status: "Completed", output: "b" });
      expect(took(run, sent)).toBeLessThan(5000);
      expect(await api("GET", `/v1/runs/${run.run_id}/jobs`)).toMatchObject({ json: { data: [] } });
    },
  },
];

const many: readonly Case[] = [
  {
    id: "SC-82",
    title: "Event against time-out",
    proves: ["EX-46"],
    sdks: ["v3", "v4-checkpointed"],
    async run({ app, fn, on, send, finished, pause, mark, marks }) {
      const runs = 100;
      await app([
        fn<{ k: number }>("tight", on("x"), async ({ event, step }) => {
          const got = await step.waitForEvent("w", { event: on("y"), match: "data.k", timeout: "2s" });
          const outcome = got === null ? "timeout" : "event";
          await step.run("after", () => mark(`${event.data.k}:${outcome};`));
          return outcome;
        }),
      ]);
      const all = Array.from({ length: runs }, (_, k) => k);
      const ids = await send(all.map((k) => ({ name: on("x"), data: { k } })));
      const began = Date.now();
      // Ten at a time: they meet the time-outs from well before to just after.
      for (let at = 0; at < runs; at += 10) {
        await pause(began + 1800 + at * 6 - Date.now());
        await send(all.slice(at, at + 10).map((k) => ({ name: on("y"), data: { k } })));
      }
      const outputs = [];
      for (const [k, id] of ids.entries()) {
        const { status, output } = await finished(id);
        outputs.push(output);
        expect(status).toBe("Completed");
        expect(marks(`${k}:`).map(({ name }) => name)).toEqual([`${k}:${output};`]);
      }
      expect(outputs).toContain("event");
    },
  },
  {
    id: "EX-46",
    title: "One event ends the waits of 1,000 runs, each once",
    proves: ["EX-46"],
    sdks: ["v4"],
    alone: true,
    async run({ app, fn, on, send, until, marks, mark, pause }) {
      const runs = 1000;
      await app([
        fn<{ k: number }>("crowd", on("x"), async ({ event, step }) => {
          mark(`reached:${event.data.k};`);
          await step.waitForEvent("w", { event: on("y"), timeout: "10m" });
          mark(`resumed:${event.data.k};`);
        }),
      ]);
      await send(Array.from({ length: runs }, (_, k) => ({ name: on("x"), data: { k } })));
      await until(() => marks("reached:").length === runs, 60_000);
      await pause(1000);
      const sent = Date.now();
      await send({ name: on("y") });
      await until(() => marks("resumed:").length >= runs, 20_000);
      await pause(500);
      const resumed = marks("resumed:");
      expect(new Set(resumed.map(({ name }) => name)).size).toBe(runs);
      expect(resumed).toHaveLength(runs);
      expect(Math.max(...resumed.map(({ at }) => at)) - sent).toBeLessThan(10_000);
    },
  },
  {
    id: "EX-47",
    title: "A matched wait goes on at once",
    proves: ["EX-47"],
    sdks: MODES,
    alone: true,
    async run(scenario) {
      const { app, fn, on, send, until, mark, marks } = scenario;
      await app([
        fn<{ k: number }>("quick", on("x"), async ({ event, step }) => {
          await step.waitForEvent("w", { event: on("y"), match: "data.k", timeout: "1m" });
          await step.run("next", () => mark(`next:${event.data.k};`));
        }),
      ]);
      const all = Array.from({ length: 11 }, (_, k) => k);
      const ids = await send(all.map((k) => ({ name: on("x"), data: { k } })));
      for (const id of ids) await waiting(scenario, id);
      const gaps: number[] = [];
      for (const k of all) {
        const sent = Date.now();
        await send({ name: on("y"), data: { k } });
        const next = await until(() => marks(`next:${k};`)[0]);
        gaps.push(next.at - sent);
      }
      gaps.sort((a, b) => a - b);
      expect(gaps[5]).toBeLessThan(1000);
      expect(gaps[10]).toBeLessThan(5000);
    },
  },
  {
    id: "EX-40",
    title: "Waits survive a crash of the engine",
    proves: ["EX-40", "EX-41"],
    sdks: ["v3", "v4-checkpointed"],
    alone: true,
    async run(scenario) {
      const { app, fn, on, send, trigger, finished, engine, mark, marks } = scenario;
      await app([
        fn("survivor", on("x"), async ({ step }) => {
          await step.run("before", () => mark("before"));
          const got = await step.waitForEvent("w", { event: on("y"), timeout: "1m" });
          const none = await step.waitForEvent("none", { event: on("z"), timeout: "2s" });
          return [got?.data["n"], none];
        }),
      ]);
      const id = await trigger(on("x"));
      await waiting(scenario, id);
      await engine.kill();
      await engine.boot();
      await send({ name: on("y"), data: { n: 1 } });
      await waiting(scenario, id);
      await engine.kill();
      await engine.boot();
      expect(await finished(id)).toMatchObject({ status: "Completed", output: [1, null] });
      expect(marks("before")).toHaveLength(1);
    },
  },
  {
    id: "EX-41b",
    title: "The same event ends several waits of one run, and waits in a row get events in a row",
    proves: ["EX-41", "EX-46", "EX-31"],
    sdks: MODES,
    async run(scenario) {
      const { app, fn, on, send, trigger, finished } = scenario;
      const wait = { event: on("y"), timeout: "20s" };
      const seen = z.object({ data: z.object({ n: z.number() }) });
      await app([
        fn("several", on("x"), async ({ step }) => {
          const both = await Promise.all([step.waitForEvent("a", wait), step.waitForEvent("b", wait)]);
          const then = await step.waitForEvent("c", wait);
          return [...both, then].map((event) => seen.parse(event).data.n);
        }),
      ]);
      const id = await trigger(on("x"));
      await waiting(scenario, id, 2);
      await send({ name: on("y"), data: { n: 1 } });
      await waiting(scenario, id);
      await send({ name: on("y"), data: { n: 2 } });
      expect(await finished(id)).toMatchObject({ status: "Completed", output: [1, 1, 2] });
    },
  },
];

/** The scenarios. */
export const eventWaits: readonly Case[] = [...matching, ...timing, ...many];
