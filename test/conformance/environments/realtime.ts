/**
 * Realtime and durable endpoints beside production: tokens name their environment, channels of equal names are different ones (RT-4, EX-70).
 */
import { step } from "inngest";
import { expect } from "vitest";
import { serveEndpoints } from "../endpoint/serve.ts";
import type { Case } from "../harness/cases.ts";
import type { Data, HandlerContext } from "../harness/sdk.ts";
import { realtimeOf } from "../realtime/sdks.ts";
import { socket, tokenFor } from "../realtime/subscriber.ts";
import { branch, custom, PRODUCTION } from "./world.ts";

/** The scenarios. */
export const realtime: readonly Case[] = [
  {
    id: "RT-4",
    title: "A channel of one environment is not that of another, and a token opens the one it was made in",
    proves: ["EV-21", "SE-8", "RT-1", "RT-4", "RT-7"],
    async run(scenario) {
      const staging = scenario.within((await custom(scenario.engine, `realtime ${scenario.appId}`)).engine);
      const channel = scenario.appId;
      const subscriptions = [];
      for (const place of [scenario, staging]) {
        const { realtime: sdk, client } = realtimeOf(place);
        await place.app(
          [
            place.fn(
              "says",
              place.on("x"),
              async (context: HandlerContext<Data>) => {
                const to = { channel, topic: "t" };
                await sdk.publishAsStep(context as never, "say", to, context.event.data["word"]);
              },
              client,
            ),
          ],
          { client },
        );
        subscriptions.push(await sdk.subscribe(client, await sdk.token(client, channel, ["t"])));
      }
      const [heard, heardThere] = subscriptions;
      await staging.finished(await staging.trigger(staging.on("x"), { word: "staging" }));
      await scenario.finished(await scenario.trigger(scenario.on("x"), { word: "production" }));
      await scenario.until(() => (heard?.messages.length ?? 0) > 0 && (heardThere?.messages.length ?? 0) > 0);
      // With a token to publish, as a browser has it.
      const authorization = `Bearer ${await tokenFor(staging.engine, channel, ["t"], "publish")}`;
      const path = `/v1/realtime/publish?channel=${channel}&topic=t`;
      const answer = await scenario.engine.api("POST", path, { by: "token" }, { authorization });
      expect(answer.status, answer.text).toBe(200);
      await scenario.until(() => heardThere?.messages.length === 2);
      expect(heardThere?.data()).toEqual(["staging", { by: "token" }]);
      expect(heard?.data()).toEqual(["production"]);
    },
  },
  {
    id: "BY-9",
    title: "The life of a run is heard with a token of its environment only",
    proves: ["EV-21", "SE-8", "BY-9"],
    sdks: ["v4"],
    async run(scenario) {
      const { engine } = scenario;
      const staging = scenario.within((await custom(engine, `life ${scenario.appId}`)).engine);
      const { app, fn, on, trigger, until, finished } = staging;
      await app([
        fn("waits", on("x"), ({ step: tools }) => tools.waitForEvent("w", { event: on("go"), timeout: "1h" })),
      ]);
      const eventId = await trigger(on("x"));
      const [run] = await until(async () => {
        const runs = await staging.engine.runsOf(eventId);
        return runs.length === 1 ? runs : null;
      });
      const runId = run?.run_id ?? "";
      const inside = await socket(engine, await tokenFor(staging.engine, runId, ["$life"]));
      const outside = await socket(engine, await tokenFor(engine, runId, ["$life"]));
      await until(() => inside.messages.length > 0);
      // By now its wait is registered, and it asks who listens.
      await staging.pause(300);
      await trigger(on("go"));
      await finished(eventId);
      await until(() => JSON.stringify(inside.messages).includes('"ended"'));
      expect(outside.messages.filter(({ data }) => JSON.stringify(data).includes("ended"))).toEqual([]);
      inside.close();
      outside.close();
    },
  },
  {
    id: "EX-70",
    title: "A durable endpoint's result is there with its token, and nowhere else",
    proves: ["EV-21", "SE-8", "SE-17", "EX-68", "EX-70"],
    sdks: ["v4"],
    async run({ engine, appId }) {
      const staging = (await custom(engine, `endpoints ${appId}`)).engine;
      for (const place of [staging, await branch(engine, `endpoints/${appId}`)]) {
        const app = await serveEndpoints(place, { retries: 1 });
        try {
          app.on("/a", async () => {
            const who = await step.run("who", () => "u1");
            await step.sleep("s", "1s");
            return new Response(`done ${who}`);
          });
          const redirect = await fetch(`${app.origin}/a`, { redirect: "manual" });
          const url = redirect.headers.get("location") ?? "";
          const response = await fetch(url);
          expect([response.status, await response.text()]).toEqual([200, "done u1"]);
          expect(app.entries("/a").length).toBeGreaterThan(0);
          const [runId = ""] = /[0-9A-Z]{26}/.exec(url) ?? [];
          expect(await place.run(runId)).toMatchObject({ status: "Completed" });
          expect((await engine.api("GET", `/v1/runs/${runId}`)).status).toBe(404);
          // A token is of one environment: its signature covers the name.
          const [head = "", claims = "", signature = ""] = (new URL(url).searchParams.get("token") ?? "").split(".");
          const changed = { ...JSON.parse(atob(claims)), env: PRODUCTION };
          const forged = `${head}.${btoa(JSON.stringify(changed)).replace(/=+$/, "")}.${signature}`;
          expect((await fetch(`${engine.url}${new URL(url).pathname}?token=${forged}`)).status).toBe(401);
        } finally {
          await app.stop();
        }
      }
    },
  },
];
