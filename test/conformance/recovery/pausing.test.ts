/**
 * Functions paused and resumed by hand: what starts, what goes on, and what is cancelled (CR-14 … CR-18, CR-20).
 */
import { expect } from "vitest";
import { type Case, conformance } from "../harness/cases.ts";
import { hasEnded } from "../harness/engine.ts";
import type { Scenario } from "../harness/scenario.ts";

type Running = "hold" | "cancel";

async function pauseIt({ api, slug }: Scenario, functionId: string, running: Running = "hold"): Promise<void> {
  const { status, text } = await api("POST", `/v1/functions/${slug(functionId)}/pause`, { running });
  if (status !== 200) throw new Error(`The function was not paused: ${status} ${text}`);
}

async function resumeIt({ api, slug }: Scenario, functionId: string): Promise<void> {
  const { status, text } = await api("POST", `/v1/functions/${slug(functionId)}/resume`);
  if (status !== 200) throw new Error(`The function was not resumed: ${status} ${text}`);
}

/** Waits for the one run of an event to exist; answers its id. */
async function runOf({ engine, until }: Scenario, eventId: string): Promise<string> {
  return (await until(async () => (await engine.runsOf(eventId))[0])).run_id;
}

const PAUSED = { status: "Skipped", skip_reason: "function_paused" };

const pausing: readonly Case[] = [
  {
    id: "SC-133",
    title: "Pause and resume: events are skipped, and shown as skipped",
    proves: ["CR-14", "CR-17", "CR-20", "TR-21", "API-18"],
    async run(scenario) {
      const { app, fn, on, send, trigger, finished, names, mark, engine, api, slug, pause } = scenario;
      await app([fn<{ n: number }>("pausable", on("x"), ({ event }) => mark(`ps:${event.data.n}`))]);
      await pauseIt(scenario, "pausable");
      const shown = await api("GET", `/v1/functions/${slug("pausable")}`);
      const paused = { since: expect.any(String), running: "hold" };
      expect(shown).toMatchObject({ json: { data: { status: "paused", paused, archived: false } } });
      expect(await api("POST", `/v1/functions/${slug("pausable")}/pause`)).toMatchObject({
        status: 409,
        json: { code: "conflict" },
      });
      const ids = await send([1, 2, 3].map((n) => ({ name: on("x"), data: { n } })));
      for (const id of ids) {
        const [skipped, ...others] = await engine.runsOf(id);
        expect(others).toEqual([]);
        expect(skipped).toMatchObject({
          ...PAUSED,
          event_ids: [id],
          run_started_at: null,
          function_slug: slug("pausable"),
        });
        expect(await engine.event(id)).toMatchObject({
          outcomes: [{ outcome: "skipped", reason: "function_paused", run_id: skipped?.run_id }],
        });
      }
      await resumeIt(scenario, "pausable");
      expect(await api("POST", `/v1/functions/${slug("pausable")}/resume`)).toMatchObject({
        status: 409,
        json: { code: "conflict" },
      });
      expect(await finished(await trigger(on("x"), { n: 4 }))).toMatchObject({ status: "Completed" });
      const { function_id } = (await engine.runsOf(ids[0] ?? ""))[0] ?? {};
      const listed = await api("GET", `/v1/runs?function_id=${function_id}&status=Skipped`);
      expect((listed.json as { data: object[] }).data).toHaveLength(3);
      await pause(1000);
      expect(names("ps:")).toEqual(["ps:4"]);
    },
  },
  {
    id: "EV-17",
    title: "While a function is paused, duplicates each leave an entry; batches and debounces too",
    proves: ["EV-17", "CR-20", "TR-21"],
    async run(scenario) {
      const { app, fn, on, send, engine, mark, names, slug, api } = scenario;
      await app([
        fn("plain", on("x"), () => mark("plain")),
        fn({ id: "batched", batchEvents: { maxSize: 2, timeout: "1s" } }, on("x"), () => mark("batched")),
        fn({ id: "debounced", debounce: { period: "1s" } }, on("x"), () => mark("debounced")),
        fn("archived", on("x"), () => mark("archived")),
      ]);
      for (const id of ["plain", "batched", "debounced"]) await pauseIt(scenario, id);
      expect((await api("POST", `/v1/functions/${slug("archived")}/archive`)).status).toBe(200);
      const ids = [...(await send({ name: on("x"), id: "twice" })), ...(await send({ name: on("x"), id: "twice" }))];
      for (const id of ids) {
        const runs = await engine.runsOf(id);
        const expected = ["batched", "debounced", "plain"].map((name) => ({
          ...PAUSED,
          function_slug: slug(name),
          event_ids: [id],
        }));
        expect(runs.sort((a, b) => (a.function_slug < b.function_slug ? -1 : 1))).toMatchObject(expected);
      }
      expect(
        new Set((await Promise.all(ids.map((id) => engine.runsOf(id)))).flat().map(({ run_id }) => run_id)).size,
      ).toBe(6);
      expect(names("")).toEqual([]);
    },
  },
  {
    id: "CR-14",
    title: "A sync does not resume a paused function",
    proves: ["CR-14"],
    async run(scenario) {
      const { app, fn, on, api, slug, trigger, engine } = scenario;
      const served = await app([fn({ id: "f", retries: 1 }, on("x"), () => 1)]);
      await pauseIt(scenario, "f");
      expect((await served.resync([fn({ id: "f", retries: 2 }, on("x"), () => 1)])).modified).toBe(true);
      const shown = await api("GET", `/v1/functions/${slug("f")}`);
      expect(shown).toMatchObject({ json: { data: { status: "paused", version: 2, configuration: { retries: 2 } } } });
      expect(await engine.runsOf(await trigger(on("x")))).toMatchObject([PAUSED]);
      await served.resync([]);
      await served.resync([fn({ id: "f", retries: 2 }, on("x"), () => 1)]);
      expect(await api("GET", `/v1/functions/${slug("f")}`)).toMatchObject({ json: { data: { status: "paused" } } });
    },
  },
  {
    id: "CR-15",
    title: "The step in flight ends and is kept; the next one waits for the resumption",
    proves: ["CR-15"],
    sdks: ["v3", "v4", "v3-checkpointed", "v4-checkpointed"],
    async run(scenario) {
      const { app, fn, on, trigger, finished, mark, names, pause, engine, until } = scenario;
      await app([
        fn("held", on("x"), async ({ step }) => {
          const one = await step.run("one", async () => {
            mark("one:begin");
            await pause(2500);
            mark("one:end");
            return 1;
          });
          const two = await step.run("two", () => {
            mark("two");
            return one + 1;
          });
          return two + 1;
        }),
      ]);
      const id = await trigger(on("x"));
      await until(() => names("one:begin").length === 1);
      await pauseIt(scenario, "held");
      await until(() => names("one:end").length === 1);
      await pause(2000);
      expect(names("two")).toEqual([]);
      expect(await engine.run(await runOf(scenario, id))).toMatchObject({ status: "Running", ended_at: null });
      await resumeIt(scenario, "held");
      expect(await finished(id)).toMatchObject({ status: "Completed", output: 3 });
      expect(names("one:begin")).toEqual(["one:begin"]);
      expect(names("two")).toEqual(["two"]);
    },
  },
  {
    id: "SC-134",
    title: "Sleeps that end during a pause go on at once afterwards; a pause that cancels ends the run",
    proves: ["CR-15", "CR-16", "CR-13"],
    async run(scenario) {
      const { app, fn, on, trigger, finished, mark, names, pause, engine } = scenario;
      await app([
        fn<{ length: string }>("held", on("x"), async ({ event, step }) => {
          await step.sleep("s", event.data.length);
          return await step.run("after", () => {
            mark("after");
            return "after";
          });
        }),
      ]);
      const a = await trigger(on("x"), { length: "2s" });
      await pause(500);
      await pauseIt(scenario, "held");
      await pause(4000);
      expect(names("after")).toEqual([]);
      expect(hasEnded(await engine.run(await runOf(scenario, a)))).toBe(false);
      await resumeIt(scenario, "held");
      expect(await finished(a)).toMatchObject({ status: "Completed", output: "after" });
      // Young enough for history not to know it yet, long enough to be cancelled in its sleep.
      const b = await trigger(on("x"), { length: "10s" });
      await pauseIt(scenario, "held", "cancel");
      expect(await finished(b)).toMatchObject({ status: "Cancelled", cancel_reason: "pause" });
      await resumeIt(scenario, "held");
      await pause(1000);
      expect(names("after")).toHaveLength(1);
    },
  },
  {
    id: "CR-16",
    title:
      "A pause that cancels reaches runs that sleep for long, wait, or have not begun; a step in flight ends first",
    proves: ["CR-16", "CR-13", "CR-33"],
    async run(scenario) {
      const { app, fn, on, send, trigger, finished, mark, names, until, engine, slug, pause } = scenario;
      await app([
        fn<{ kind: string }>("f", on("x"), async ({ event, step }) => {
          if (event.data.kind === "sleep") await step.sleep("s", "1h");
          if (event.data.kind === "wait") await step.waitForEvent("w", { event: on("never"), timeout: "1h" });
          await step.run("busy", async () => {
            mark("busy:begin");
            await pause(3000);
            mark("busy:end");
          });
          await step.run("next", () => mark("next"));
        }),
        fn<{ function_id: string; run_id: string }>(
          "announced",
          { event: "inngest/function.cancelled", if: `event.data.function_id == '${slug("f")}'` },
          ({ event }) => mark(`cancelled:${event.data.run_id}`),
        ),
      ]);
      const [early] = await send({ name: on("x"), data: { kind: "sleep" } });
      await pause(3000);
      const [young, waiting, later] = await send([
        { name: on("x"), data: { kind: "sleep" } },
        { name: on("x"), data: { kind: "wait" } },
        { name: on("x"), data: { kind: "sleep" }, ts: Date.now() + 3_600_000 },
      ]);
      const busy = await trigger(on("x"), { kind: "busy" });
      await until(() => names("busy:begin").length === 1);
      await pauseIt(scenario, "f", "cancel");
      for (const id of [early, young, waiting, later, busy]) {
        expect(await finished(id ?? "")).toMatchObject({ status: "Cancelled", cancel_reason: "pause" });
      }
      expect(names("busy:")).toEqual(["busy:begin", "busy:end"]);
      expect(await engine.runsOf(await trigger(on("x"), { kind: "busy" }))).toMatchObject([PAUSED]);
      await until(() => names("cancelled:").length === 5);
      await resumeIt(scenario, "f");
      await pause(1500);
      expect(names("next")).toEqual([]);
    },
  },
  {
    id: "CR-15d",
    title: "A held run survives a crash of the engine, and is neither forgotten nor let go by it",
    proves: ["CR-15", "CR-14"],
    sdks: ["v4"],
    alone: true,
    async run(scenario) {
      const { app, fn, on, trigger, finished, mark, names, pause, engine } = scenario;
      await app([
        fn("f", on("x"), async ({ step }) => {
          await step.sleep("s", "1s");
          return await step.run("after", () => {
            mark("after");
            return "after";
          });
        }),
      ]);
      const id = await trigger(on("x"));
      await pauseIt(scenario, "f");
      await pause(2000);
      // What was on its way to history is lost with the engine's memory.
      await engine.kill();
      await engine.boot();
      await pause(2000);
      expect(await engine.runsOf(await trigger(on("x")))).toMatchObject([PAUSED]);
      expect(names("after")).toEqual([]);
      await resumeIt(scenario, "f");
      expect(await finished(id)).toMatchObject({ status: "Completed", output: "after" });
      expect(names("after")).toEqual(["after"]);
    },
  },
  {
    id: "CR-15b",
    title: "Waits accept events during a pause, and a held run may be cancelled after all",
    proves: ["CR-15", "CR-16"],
    async run(scenario) {
      const { app, fn, on, trigger, finished, mark, names, pause } = scenario;
      await app([
        fn("f", on("x"), async ({ step }) => {
          const found = await step.waitForEvent<{ n: number }>("w", { event: on("go"), timeout: "1h" });
          mark("after");
          return found?.data.n;
        }),
      ]);
      const first = await trigger(on("x"));
      await pause(1000);
      await pauseIt(scenario, "f");
      await trigger(on("go"), { n: 7 });
      await pause(1500);
      expect(names("after")).toEqual([]);
      await resumeIt(scenario, "f");
      expect(await finished(first)).toMatchObject({ status: "Completed", output: 7 });
      const second = await trigger(on("x"));
      await pause(1000);
      await pauseIt(scenario, "f");
      await trigger(on("go"), { n: 8 });
      await pause(1000);
      await pauseIt(scenario, "f", "cancel");
      expect(await finished(second)).toMatchObject({ status: "Cancelled", cancel_reason: "pause" });
    },
  },
  {
    id: "CR-15c",
    title: "The finish time-out does not run while the function is paused",
    proves: ["CR-15", "CR-6"],
    async run(scenario) {
      const { app, fn, on, trigger, finished, pause } = scenario;
      await app([
        fn({ id: "f", timeouts: { finish: "4s" } }, on("x"), async ({ step }) => {
          await step.sleep("s", "2s");
          return "in time";
        }),
      ]);
      const id = await trigger(on("x"));
      await pause(500);
      await pauseIt(scenario, "f");
      await pause(5000);
      await resumeIt(scenario, "f");
      expect(await finished(id)).toMatchObject({ status: "Completed", output: "in time" });
    },
  },
  {
    id: "CR-18",
    title: "A paused function holds no capacity of a shared limit",
    proves: ["CR-18"],
    async run(scenario) {
      const { app, fn, on, appId, send, finished, mark, names, pause, until } = scenario;
      const concurrency = { limit: 1, scope: "env", key: `"${appId}"` };
      const body =
        (name: string, ms: number) =>
        async ({ step }: { step: { run(id: string, body: () => Promise<void>): Promise<unknown> } }) => {
          await step.run("w", async () => {
            mark(`${name}:begin`);
            await pause(ms);
          });
          await step.run("v", async () => mark(`${name}:second`));
        };
      await app([
        fn({ id: "paused", concurrency }, on("a"), body("a", 2000)),
        fn({ id: "other", concurrency }, on("b"), body("b", 200)),
      ]);
      const as = await send([1, 2, 3].map((n) => ({ name: on("a"), data: { n } })));
      await until(() => names("a:begin").length === 1);
      const [b] = await send({ name: on("b") });
      await pauseIt(scenario, "paused");
      expect(await finished(b ?? "")).toMatchObject({ status: "Completed" });
      expect(names("a:")).toEqual(["a:begin"]);
      await resumeIt(scenario, "paused");
      for (const a of as) expect(await finished(a)).toMatchObject({ status: "Completed" });
      expect(names("a:begin")).toHaveLength(3);
    },
  },
];

conformance("pausing", pausing);
