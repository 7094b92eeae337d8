/**
 * Realtime through the official SDKs: subscribing and publishing from handlers, steps and servers, and a person who answers a run.
 */
import { createServer } from "node:http";
import type { Inngest } from "inngest";
import * as v4 from "inngest/realtime";
import { expect } from "vitest";
import * as z from "zod";
import { type Case, conformance } from "../harness/cases.ts";
import { listen } from "../harness/listen.ts";
import type { HandlerContext } from "../harness/sdk.ts";
import { realtimeOf } from "./sdks.ts";
import { publish, readText, socket, tokenFor } from "./subscriber.ts";

const KIB = 1024;
/** A schema that takes what comes: the SDK checks a stream before it is read. */
const ANYTHING = z.any();

const cases: readonly Case[] = [
  {
    id: "SC-139",
    title: "Publish and subscribe",
    proves: ["RT-1", "RT-2", "RT-4", "RT-7", "RT-8"],
    async run(scenario) {
      const { app, fn, on, finished, until, pause, appId } = scenario;
      const { client, realtime } = realtimeOf(scenario);
      const channel = (uuid: string) => `hello.${appId}.${uuid}`;
      const hello = fn<{ uuid: string }>(
        "hello-rt",
        on("hello"),
        async (context: HandlerContext<{ uuid: string }>) => {
          const { uuid } = context.event.data;
          const say = (id: string, to: { channel: string; topic: string }, data: unknown) =>
            realtime.publishAsStep(context as never, id, to, data);
          await say("one", { channel: channel(uuid), topic: "logs" }, "Hello, world!");
          await say("two", { channel: channel(uuid), topic: "secret" }, "no");
          await say("three", { channel: channel("other"), topic: "logs" }, "no");
        },
        client,
      );
      await app([hello], { client });
      const token = await realtime.token(client, channel("u1"), ["logs"]);
      const subscription = await realtime.subscribe(client, token);
      const [eventId = ""] = await client.send({ name: on("hello"), data: { uuid: "u1" } });
      const run = await finished(eventId);
      expect(run.status).toBe("Completed");
      await until(() => subscription.messages.length > 0);
      await pause(300);
      expect(subscription.messages).toEqual([
        expect.objectContaining({
          kind: "data",
          channel: channel("u1"),
          topic: "logs",
          data: "Hello, world!",
          runId: run.run_id,
          createdAt: expect.any(Date),
        }),
      ]);
    },
  },
  {
    id: "SC-141",
    title: "Human in the loop",
    proves: ["RT-15", "EX-43"],
    async run(scenario) {
      const { app, fn, on, finished, until, engine, appId, pause } = scenario;
      const { client, realtime } = realtimeOf(scenario);
      const agent = fn<{ k: number }>(
        "agent",
        on("start"),
        async (context: HandlerContext<{ k: number }>) => {
          const { event, step } = context;
          const confirmationId = await step.run("confirmation-id", () => `c-${event.data.k}`);
          await realtime.publishAsStep(context as never, "ask", { channel: appId, topic: "ask" }, { confirmationId });
          const ok = await step.waitForEvent("confirm", {
            event: on("confirmed"),
            timeout: "15m",
            if: `async.data.confirmationId == "${confirmationId}"`,
          });
          return ok === null ? "expired" : "confirmed";
        },
        client,
      );
      await app([agent], { client });
      const subscription = await realtime.subscribe(client, await realtime.token(client, appId, ["ask"]));
      const [eventId = ""] = await client.send({ name: on("start"), data: { k: 1 } });
      await until(() => subscription.messages.length > 0);
      expect(subscription.data()).toEqual([{ confirmationId: "c-1" }]);
      const runs = await engine.runsOf(eventId);
      await until(async () => (await engine.api("GET", `/v1/runs/${runs[0]?.run_id}/jobs`)).text.includes('"wait"'));
      const answer = (confirmationId: string) => client.send({ name: on("confirmed"), data: { confirmationId } });
      await answer("c-2");
      await pause(500);
      expect((await engine.runsOf(eventId))[0]?.status).toBe("Running");
      await answer("c-1");
      expect(await finished(eventId)).toMatchObject({ status: "Completed", output: "confirmed" });
    },
  },
  {
    id: "RT-3",
    title: "What was published by a step or within one is not published again",
    proves: ["RT-3", "RT-2"],
    async run(scenario) {
      const { app, fn, on, finished, until, pause, appId } = scenario;
      const { client, realtime } = realtimeOf(scenario);
      let failures = 0;
      const retried = fn(
        "retried",
        on("x"),
        async (context: HandlerContext<never>) => {
          const to = { channel: appId, topic: "t" };
          await realtime.publishAsStep(context, "as a step", to, "as a step");
          await context.step.run("in a step", () => realtime.publishInStep(context, client, to, "in a step"));
          await context.step.run("fails twice", () => {
            if (++failures <= 2) throw new Error("not yet");
          });
        },
        client,
      );
      await app([retried], { client });
      const subscription = await realtime.subscribe(client, await realtime.token(client, appId, ["t"]));
      const [eventId = ""] = await client.send({ name: on("x"), data: {} });
      expect((await finished(eventId)).status).toBe("Completed");
      expect(failures).toBe(3);
      await until(() => subscription.messages.length >= 2);
      await pause(300);
      expect(subscription.data()).toEqual(["as a step", "in a step"]);
    },
  },
  {
    id: "RT-7",
    title: "Clients take everything the engine sends and stay connected; v4 yields the end of a run",
    proves: ["RT-7"],
    async run(scenario) {
      const { app, fn, on, finished, until, engine, sdk } = scenario;
      const { client, realtime } = realtimeOf(scenario);
      const waits = fn(
        "waits",
        on("x"),
        async ({ step }) => {
          await step.waitForEvent("w", { event: on("go"), timeout: "1h" });
          return { ended: await step.run("a", () => "A") };
        },
        client,
      );
      await app([waits], { client });
      const [eventId = ""] = await client.send({ name: on("x"), data: {} });
      const { run_id: runId } = await until(async () => (await engine.runsOf(eventId))[0]);
      await until(async () => (await engine.api("GET", `/v1/runs/${runId}/jobs`)).text.includes('"wait"'));
      const topics = ["t", "$run", "$step", "$life"];
      const subscription = await realtime.subscribe(client, await realtime.token(client, runId, topics));
      const life = () => subscription.messages.filter(({ topic }) => topic === "$life").map(({ data }) => data);
      // The run shows its wait as soon as it has decided on it; registering it takes a moment more.
      await scenario.pause(300);
      await client.send({ name: on("go"), data: {} });
      await finished(eventId);
      await until(() => life().some((data) => JSON.stringify(data).includes("ended")));
      expect(life()).toMatchObject([
        { state: "now", status: "running" },
        { state: "step", step: { name: "w" } },
        { state: "step", step: { name: "a" } },
        { state: "ended", status: "completed" },
      ]);
      const published = ["text", { o: 1 }, [1, null], 7, true, ""];
      for (const data of published) await publish(engine, runId, "t", data);
      const stream = await engine.api("POST", `/v1/realtime/publish?channel=${runId}&topic=t`, "streamed", {
        "content-type": "text/stream",
      });
      expect(stream.status).toBe(200);
      await publish(engine, runId, "t", "null");
      await until(() => subscription.messages.filter(({ topic }) => topic === "t").length === published.length + 2);
      const user = subscription.messages.filter(({ topic }) => topic === "t").map(({ data }) => data);
      // SDKs make undefined of null.
      expect(user).toEqual([...published, "streamed", undefined]);
      const ends = subscription.messages.filter(({ kind }) => kind === "run");
      // The package for v3 ignores this kind.
      expect(ends.map(({ data, topic, runId: id }) => [topic, data, id])).toEqual(
        sdk.name === "v3" ? [] : [["$run", { ended: "A" }, runId]],
      );
      expect(subscription.ended()).toBe(false);
    },
  },
  {
    id: "RT-10",
    title: "A message that is too large is refused to the SDK, and the next one arrives",
    proves: ["RT-10", "RT-14"],
    async run(scenario) {
      const { app, fn, on, finished, until, appId } = scenario;
      const { client, realtime } = realtimeOf(scenario);
      const large = fn(
        { id: "large", retries: 0 },
        on("x"),
        async (context: HandlerContext<never>) => {
          const refused = await realtime
            .publishAsStep(context, "large", { channel: appId, topic: "t" }, "x".repeat(512 * KIB + 1))
            .then(
              () => "accepted",
              (error: unknown) => String(error),
            );
          await realtime.publishAsStep(context, "next", { channel: appId, topic: "t" }, "next");
          return refused;
        },
        client,
      );
      await app([large], { client });
      const subscription = await realtime.subscribe(client, await realtime.token(client, appId, ["t"]));
      const [eventId = ""] = await client.send({ name: on("x"), data: {} });
      expect((await finished(eventId)).output).toMatch(/Failed to publish/);
      await until(() => subscription.messages.length > 0);
      expect(subscription.data()).toEqual(["next"]);
    },
  },
  {
    id: "RT-13",
    title: "A server passes a subscription on to a browser as server-sent events",
    proves: ["RT-13", "RT-6"],
    async run(scenario) {
      const { until, engine, appId, sdk } = scenario;
      const { client, realtime } = realtimeOf(scenario);
      const server = await listen(
        createServer(async (_, response) => {
          const subscription = await realtime.subscribe(client, { channel: appId, topics: ["t"] });
          response.writeHead(200, { "content-type": "text/event-stream" });
          response.flushHeaders();
          await readText(subscription.encoded, (text) => void response.write(text));
        }),
        0,
      );
      const response = await fetch(server.origin);
      let text = "";
      const reading = readText(response.body, (more) => {
        text += more;
      }).catch(() => undefined);
      await publish(engine, appId, "t", { n: 1 });
      await publish(engine, appId, "t", { n: 2 });
      await until(() => text.includes('"n":2'));
      const lines = text.split("\n").filter((line) => line !== "");
      const json = lines.map((line) => (sdk.name === "v4" ? line.replace(/^data: /, "") : line));
      expect(json.map((line) => JSON.parse(line).data)).toEqual([{ n: 1 }, { n: 2 }]);
      await server.close();
      await reading;
    },
  },
  {
    id: "RT-2",
    title: "v4: channels with schemas, a server that publishes, streams, callbacks, and tokens for browsers",
    proves: ["RT-2", "RT-6", "RT-13"],
    sdks: ["v4"],
    async run({ client, until, engine, appId }) {
      const native = client.native as Inngest;
      const chat = v4.channel({
        name: (id: string) => `${appId}:${id}`,
        topics: { status: { schema: z.object({ step: z.number() }) }, tokens: { schema: ANYTHING } },
      });
      const room = chat("1");
      const token = await v4.getSubscriptionToken(native, { channel: room, topics: ["status", "tokens"] });
      expect(token).toMatchObject({ apiBaseUrl: engine.url });
      const seen: unknown[] = [];
      const subscription = await v4.subscribe({
        ...token,
        key: token.key ?? "",
        onMessage: ({ topic, data }: { topic?: string; data: unknown }) => void seen.push([topic, data]),
      });
      await native.realtime.publish(room.status, { step: 1 });
      await expect(native.realtime.publish(room.status, { step: "two" } as never)).rejects.toThrow("Schema");
      const words = new ReadableStream<Uint8Array>({
        async start(controller) {
          for (const word of ["The ", "quick ", "fox"]) {
            controller.enqueue(new TextEncoder().encode(word));
            await new Promise((wake) => setTimeout(wake, 30));
          }
          controller.close();
        },
      });
      await native.realtime.publish(room.tokens, words as never);
      await until(() => seen.filter((one) => JSON.stringify(one).includes("tokens")).length >= 3);
      expect(seen[0]).toEqual(["status", { step: 1 }]);
      expect(seen.slice(1)).toEqual(["The ", "quick ", "fox"].map((word) => ["tokens", word]));
      subscription.close();
      await native.realtime.publish(room.status, { step: 9 });
      expect(seen).toHaveLength(4);
    },
  },
  {
    id: "RT-5",
    title: "v4: a token that has been refused rejects the subscription",
    proves: ["RT-5", "RT-6"],
    sdks: ["v4"],
    async run({ engine }) {
      const forged = v4.subscribe({ channel: "c", topics: ["t"], key: "forged", apiBaseUrl: engine.url });
      await expect(forged).rejects.toBeDefined();
      const began = performance.now();
      const subscribed = await socket(engine, await tokenFor(engine, "c", ["t"]));
      expect(performance.now() - began).toBeLessThan(1000);
      subscribed.close();
    },
  },
];

conformance("Realtime through the SDKs", cases);
