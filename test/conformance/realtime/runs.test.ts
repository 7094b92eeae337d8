/**
 * What the engine publishes about runs, on the channel of a run's id: to those who follow it, and at no cost while nobody does.
 */
import { expect } from "vitest";
import * as z from "zod";
import { type Case, conformance } from "../harness/cases.ts";
import type { Scenario } from "../harness/scenario.ts";
import { open, readText, type Subscriber, socket, stream, tokenFor } from "./subscriber.ts";

const countsSchema = z.object({ objectRequests: z.number() });

/** Starts a run that waits for an event, and answers its id once it does. */
async function waiting({ app, fn, on, trigger, until, engine, pause }: Scenario): Promise<string> {
  await app([
    fn({ id: "waits", retries: 1 }, on("x"), async ({ step }) => {
      const a = await step.run("a", () => ({ secret: "A" }));
      await step.waitForEvent("go", { event: on("go"), timeout: "1h" });
      await step.run("fails", () => Promise.reject(new Error("broken"))).catch(() => null);
      await step.run("b", () => "B");
      return { a };
    }),
  ]);
  const eventId = await trigger(on("x"));
  const { run_id: runId } = await until(async () => (await engine.runsOf(eventId))[0]);
  await until(async () => (await engine.api("GET", `/v1/runs/${runId}/jobs`)).text.includes('"wait"'));
  // The run shows its wait as soon as it has decided on it; registering it takes a moment more.
  await pause(300);
  return runId;
}

const life = ({ messages }: Subscriber) => messages.filter(({ topic }) => topic === "$life").map(({ data }) => data);
const hasEnded = (subscriber: Subscriber) => JSON.stringify(life(subscriber)).includes('"ended"');

const cases: readonly Case[] = [
  {
    id: "RT-7",
    title: "Steps, the end and the life of a run reach whoever may hear them, and nobody else",
    proves: ["RT-7", "RT-4", "BY-9"],
    sdks: ["v4"],
    async run(scenario) {
      const { engine, send, on, until } = scenario;
      const runId = await waiting(scenario);
      const all = await socket(engine, await tokenFor(engine, runId, ["$run", "$step", "$life"]));
      const onlyLife = await stream(engine, await tokenFor(engine, runId, ["$life"]));
      const onlyEnd = await socket(engine, await tokenFor(engine, runId, ["$run"]));
      const another = await socket(engine, await tokenFor(engine, "01HZZZZZZZZZZZZZZZZZZZZZZZ", ["$run", "$life"]));
      await until(() => life(all).length === 1 && life(onlyLife).length === 1);
      await send({ name: on("go"), data: {} });
      await until(() => hasEnded(all) && hasEnded(onlyLife) && onlyEnd.messages.length > 0);
      expect(life(all)).toMatchObject([
        { state: "now", status: "running", steps: 1 },
        { state: "step", step: { name: "go" }, ok: true },
        { state: "retrying", attempt: 1 },
        { state: "step", step: { name: "fails" }, ok: false },
        { state: "step", step: { name: "b" }, ok: true },
        { state: "ended", status: "completed" },
      ]);
      expect(JSON.stringify(onlyLife.messages)).not.toContain("secret");
      expect(life(onlyLife).slice(1)).toEqual(life(all).slice(1));
      const steps = all.messages.filter(({ kind }) => kind === "step");
      expect(steps.map(({ topic, data }) => [topic, data])).toEqual([
        ["$step", expect.objectContaining({ name: on("go") })],
        ["$step", expect.objectContaining({ message: "broken" })],
        ["$step", "B"],
      ]);
      const [end] = onlyEnd.messages;
      expect(onlyEnd.messages).toHaveLength(1);
      expect(end).toMatchObject({ kind: "run", channel: runId, topic: "$run", data: { a: { secret: "A" } } });
      expect([end?.run_id, end?.fn_id]).toEqual([runId, (await engine.run(runId)).function_id]);
      expect(another.messages).toEqual([]);
      for (const { close } of [all, onlyLife, onlyEnd, another]) close();
    },
  },
  {
    id: "BY-9",
    title: "A script follows a run: each step end is one line",
    proves: ["BY-9", "OB-9"],
    sdks: ["v3", "v4"],
    async run(scenario) {
      const { engine, send, on, until } = scenario;
      const runId = await waiting(scenario);
      const abort = new AbortController();
      const response = await fetch(`${engine.url}/v1/runs/${runId}/live`, { signal: abort.signal });
      expect(response.headers.get("content-type")).toBe("text/event-stream");
      let text = "";
      const reading = readText(response.body, (more) => {
        text += more;
      }).catch(() => undefined);
      const watching = await open(`${engine.url}/v1/runs/${runId}/live`);
      await until(() => watching.messages.length === 1);
      await send({ name: on("go"), data: {} });
      await until(() => text.includes('"ended"') && hasEnded(watching));
      const lines = text.split("\n").filter((line) => line.includes('"state":"step"'));
      expect(lines).toHaveLength(3);
      for (const line of lines) expect(line).toMatch(/^data: \{.*\}$/);
      abort.abort();
      watching.close();
      await reading;
    },
  },
  {
    id: "RT-11",
    title: "A follower who goes is told nothing more, and the run pays for nobody",
    proves: ["RT-11"],
    sdks: ["v4"],
    alone: true,
    async run(scenario) {
      const { engine, send, on, until, pause, finished, app, fn, trigger } = scenario;
      const counts = async () => countsSchema.parse((await engine.api("GET", "/dev/counts")).json).objectRequests;
      await app([
        fn("two", on("x"), async ({ step }) => {
          await step.waitForEvent("one", { event: on("one"), timeout: "1h" });
          await step.waitForEvent("two", { event: on("two"), timeout: "1h" });
        }),
      ]);
      const eventId = await trigger(on("x"));
      const { run_id: runId } = await until(async () => (await engine.runsOf(eventId))[0]);
      await pause(1000);
      const follower = await socket(engine, await tokenFor(engine, runId, ["$life"]));
      await until(() => follower.messages.length === 1);
      await send({ name: on("one"), data: {} });
      await until(() => JSON.stringify(life(follower)).match(/"waiting"/g)?.length === 1);
      follower.close();
      await follower.closed;
      await pause(500);
      await send({ name: on("two"), data: {} });
      await finished(eventId);
      const heard = follower.messages.length;
      await pause(1500);
      expect(follower.messages).toHaveLength(heard);
      const before = await counts();
      await pause(500);
      expect(await counts()).toBe(before);
    },
  },
];

conformance("What runs publish", cases);
