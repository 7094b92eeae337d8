/**
 * Waiting for signals: who gets one, what happens when two runs want the same, and when nobody does (EX-48, EX-49, API-15).
 */
import { expect } from "vitest";
import type { Case } from "../harness/cases.ts";
import { MODES, took, waiting } from "./modes.ts";

/** The scenarios. */
export const signals: readonly Case[] = [
  {
    id: "SC-83",
    title: "Signals",
    proves: ["EX-48", "EX-49", "API-15"],
    sdks: MODES,
    async run(scenario) {
      const { app, fn, on, api, trigger, finished } = scenario;
      const signal = on("approve/1");
      await app([
        fn({ id: "approval", retries: 0 }, on("x"), ({ step }) =>
          step.waitForSignal("s", { signal, timeout: "10s", onConflict: "fail" }),
        ),
      ]);
      const nobody = await api("POST", "/v1/signals", { signal, data: {} });
      expect(nobody).toMatchObject({ status: 404, json: { code: "signal_not_found" } });
      const first = await trigger(on("x"));
      const runId = await waiting(scenario, first);
      const conflict = await finished(await trigger(on("x")));
      expect(conflict).toMatchObject({ status: "Failed", output: { code: "signal_conflict" } });
      const sent = await api("POST", "/v1/signals", { signal, data: { ok: true } });
      expect(sent).toMatchObject({ status: 200, json: { data: { run_id: runId } } });
      expect(await finished(first)).toMatchObject({ status: "Completed", output: { signal, data: { ok: true } } });
      expect(await api("POST", "/v1/signals", { signal, data: {} })).toMatchObject({ status: 404 });
    },
  },
  {
    id: "EX-49",
    title: "The newer waiter takes the name over",
    proves: ["EX-49"],
    sdks: MODES,
    async run(scenario) {
      const { app, fn, on, api, trigger, finished, engine } = scenario;
      const signal = on("taken");
      await app([
        fn<{ timeout: string }>("replaced", on("x"), ({ event, step }) => {
          const { timeout } = event.data;
          return step.waitForSignal("s", { signal, timeout, onConflict: "replace" });
        }),
      ]);
      const began = Date.now();
      const old = await trigger(on("x"), { timeout: "6s" });
      await waiting(scenario, old);
      const young = await trigger(on("x"), { timeout: "1m" });
      const runId = await waiting(scenario, young);
      const sent = await api("POST", "/v1/signals", { signal, data: [1, "ü"] });
      expect(sent).toMatchObject({ status: 200, json: { data: { run_id: runId } } });
      expect(await finished(young)).toMatchObject({ output: { signal, data: [1, "ü"] } });
      const [before] = await engine.runsOf(old);
      expect(before).toMatchObject({ status: "Running" });
      const run = await finished(old);
      expect(run).toMatchObject({ status: "Completed", output: null });
      expect(took(run, began)).toBeGreaterThanOrEqual(6000);
    },
  },
  {
    id: "EX-48",
    title: "A step sends a signal; the name is free again afterwards",
    proves: ["EX-48"],
    sdks: MODES,
    async run(scenario) {
      const { app, fn, on, trigger, finished } = scenario;
      const signal = on("ready");
      await app([
        fn("waiter", on("x"), async ({ step }) => {
          const first = await step.waitForSignal("one", { signal, timeout: "20s", onConflict: "fail" });
          const second = await step.waitForSignal("two", { signal, timeout: "20s", onConflict: "fail" });
          const third = await step.waitForSignal("three", { signal, timeout: "1s", onConflict: "fail" });
          return [first?.data, second?.data, third];
        }),
        fn<{ n: number }>("sender", on("send"), async ({ event, step }) => {
          await step.sendSignal("send", { signal, data: { n: event.data.n } });
          await step.sendSignal("nobody", { signal: on("nobody"), data: 1 });
          return "sent";
        }),
      ]);
      const id = await trigger(on("x"));
      for (const n of [1, 2]) {
        await waiting(scenario, id);
        expect(await finished(await trigger(on("send"), { n }))).toMatchObject({ status: "Completed", output: "sent" });
      }
      expect(await finished(id)).toMatchObject({ status: "Completed", output: [{ n: 1 }, { n: 2 }, null] });
    },
  },
  {
    id: "EX-48b",
    title: "Signals without data, and several at once",
    proves: ["EX-48", "EX-31"],
    sdks: MODES,
    async run(scenario) {
      const { app, fn, on, api, trigger, finished } = scenario;
      await app([
        fn("two", on("x"), ({ step }) =>
          Promise.all(
            ["a", "b"].map((name) =>
              step.waitForSignal(name, { signal: on(name), timeout: "20s", onConflict: "fail" }),
            ),
          ),
        ),
      ]);
      const id = await trigger(on("x"));
      await waiting(scenario, id, 2);
      expect(await api("POST", "/v1/signals", { signal: on("b") })).toMatchObject({ status: 200 });
      expect(await api("POST", "/v1/signals", { signal: on("a"), data: 0 })).toMatchObject({ status: 200 });
      expect(await finished(id)).toMatchObject({
        output: [
          { signal: on("a"), data: 0 },
          { signal: on("b"), data: null },
        ],
      });
    },
  },
  {
    id: "EX-48c",
    title: "A run that has ended waits for no signal",
    proves: ["EX-48", "EX-34"],
    // With optimised parallelism a run goes on only when the whole group has ended (EX-33).
    sdks: ["v3", "v4-plain"],
    async run({ app, fn, on, api, trigger, finished, until }) {
      await app([
        fn({ id: "gone", retries: 0 }, on("x"), ({ step }) =>
          Promise.all([
            step.waitForSignal("s", { signal: on("late"), timeout: "1h", onConflict: "fail" }),
            step.run("fails", () => {
              throw new Error("no");
            }),
          ]),
        ),
      ]);
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Failed", output: { message: "no" } });
      await until(async () => (await api("POST", "/v1/signals", { signal: on("late") })).status === 404, 5000);
    },
  },
];
