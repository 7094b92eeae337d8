/**
 * Apps of a custom environment: their keys sign in both directions, and production knows nothing of them (EV-26, SE-3, SE-5, SE-6).
 */
import { expect } from "vitest";
import * as z from "zod";
import { requestSync, SyncRefused } from "../harness/app.ts";
import type { Case } from "../harness/cases.ts";
import type { Scenario } from "../harness/scenario.ts";
import { recordedClient } from "../steps/checkpoints.ts";
import { custom, environments, PRODUCTION } from "./world.ts";

/** Bytes; two results of this length are more than a call carries (EX-16). */
const HALF = 2_300_000;

const healthSchema = z.object({
  data: z.object({ healthy: z.boolean(), checks: z.array(z.looseObject({ check: z.string(), result: z.string() })) }),
});

async function health({ api, appId }: Scenario) {
  const { data } = healthSchema.parse((await api("GET", `/v1/apps/${appId}/health`)).json);
  return { healthy: data.healthy, failed: data.checks.filter(({ result }) => result === "failed") };
}

const noApps = async ({ engine, appId }: Scenario) =>
  expect((await engine.api("GET", "/v1/apps")).text).not.toContain(`"${appId}"`);

/** The scenarios. */
export const customs: readonly Case[] = [
  {
    id: "EV-26",
    title:
      "An app that syncs with the key of a new environment is there, is called with that key, and is not in production",
    proves: ["EV-26", "SE-3", "SE-5", "SE-6", "AP-5", "AP-26"],
    async run(scenario) {
      const { engine, appId } = scenario;
      const made = await custom(engine, `new ${appId}`);
      expect(await environments(engine)).toContainEqual(expect.objectContaining({ id: made.id, kind: "custom" }));
      const staging = scenario.within(made.engine);
      const { app, fn, on, trigger, finished, api } = staging;
      const served = await app([fn({ id: "here", retries: 0 }, on("x"), ({ step }) => step.run("a", () => "here"))]);
      expect((await api("GET", `/v1/apps/${appId}`)).json).toMatchObject({ data: { name: appId, url: served.url } });
      await noApps(scenario);
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output: "here" });
      expect(await health(staging)).toEqual({ healthy: true, failed: [] });
      // Asked by the engine: the SDK checks who asks, and the engine who answers.
      const again = await api("POST", "/v1/apps", { url: served.url });
      expect(again).toMatchObject({ status: 200, json: { data: { name: appId } } });
      const stranger = await engine.api("POST", "/v1/apps", { url: served.url });
      expect(stranger.json).toMatchObject({ code: "unauthorized", data: null });
      await noApps(scenario);
    },
  },
  {
    id: "EV-26b",
    title: "An app with production's key answers no call of another environment, nor the other way round",
    proves: ["EV-26", "SE-3", "SE-6", "AP-26"],
    async run(scenario) {
      const { engine, appId, client: ofProduction } = scenario;
      const staging = scenario.within((await custom(engine, `wrong ${appId}`)).engine);
      const { app, fn, on, trigger, finished } = staging;
      const functions = (client = staging.client) => [fn({ id: "mine", retries: 0 }, on("x"), () => "called", client)];
      const served = await app(functions());
      served.redeploy(functions(ofProduction), ofProduction);
      const run = await finished(await trigger(on("x")));
      expect([run.status, JSON.stringify(run.output)]).toEqual([
        "Failed",
        expect.stringContaining("signature_rejected"),
      ]);
      expect((await health(staging)).healthy).toBe(false);
      // It registers where its key belongs.
      expect((await requestSync(served.url)).status).toBe(200);
      expect((await engine.api("GET", `/v1/apps/${appId}`)).status).toBe(200);
    },
  },
  {
    id: "EX-66",
    title: "Checkpoints, and state that the SDK fetches, with the keys of a custom environment",
    proves: ["EV-26", "EX-66", "EX-16", "SE-6"],
    sdks: ["v3-checkpointed", "v4-checkpointed"],
    async run(scenario) {
      const staging = scenario.within((await custom(scenario.engine, `steps ${scenario.appId}`)).engine);
      const { app, fn, on, trigger, finished } = staging;
      const { client, checkpoints } = recordedClient(staging);
      const large = fn(
        "large",
        on("x"),
        async ({ step }) => {
          const results = [await step.run("a", () => "y".repeat(HALF)), await step.run("b", () => "z".repeat(HALF))];
          await step.sleep("moment", "1s");
          return await step.run("all", () => results.map((result) => `${result[0]}:${result.length}`));
        },
        client,
      );
      await app([large], { client });
      const output = [`y:${HALF}`, `z:${HALF}`];
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output });
      expect(checkpoints.length).toBeGreaterThan(0);
      expect(checkpoints.filter(({ status }) => status !== 200)).toEqual([]);
    },
  },
  {
    id: "EV-22",
    title: "The header of a branch is ignored with the keys of production and of a custom environment",
    proves: ["EV-22"],
    async run(scenario) {
      const { engine, appId } = scenario;
      const made = await custom(engine, `header ${appId}`);
      const staging = scenario.within(made.engine);
      const env = `ignored/${appId}`;
      for (const [place, environmentId] of [
        [scenario, PRODUCTION],
        [staging, made.id],
      ] as const) {
        const client = place.newClient({ env });
        await place.app([place.fn("here", place.on("x"), () => "ran", client)], { client });
        const [eventId = ""] = await client.send({ name: place.on("x") });
        expect(await place.finished(eventId)).toMatchObject({ status: "Completed", output: "ran" });
        expect(await place.engine.event(eventId)).toMatchObject({ environment_id: environmentId });
      }
      expect((await environments(engine)).map(({ name }) => name)).not.toContain(env);
    },
  },
  {
    id: "EV-23",
    title: "Names: two environments may not share one, none and too long a one are refused, nothing is half made",
    proves: ["EV-23", "EV-26"],
    sdks: ["v4"],
    async run({ engine, appId }) {
      const name = `twice ${appId}`;
      await custom(engine, name);
      const create = (body: unknown) => engine.api("POST", "/v1/environments", body);
      expect((await create({ name })).status).toBe(409);
      for (const wrong of [{}, { name: "" }, { name: "  " }, { name: "x".repeat(256) }, { name: 1 }]) {
        expect((await create(wrong)).status).toBe(400);
      }
      expect((await environments(engine)).filter((each) => each.name === name)).toHaveLength(1);
      const long = "ü".repeat(255);
      expect((await custom(engine, long)).name).toBe(long);
    },
  },
  {
    id: "SE-6",
    title: "A registration with a key that no environment has changes nothing",
    proves: ["SE-6", "AP-23"],
    async run(scenario) {
      const made = await custom(scenario.engine, `unknown ${scenario.appId}`);
      const staging = scenario.within(made.engine);
      const { app, fn, on, newClient } = staging;
      const wrong = newClient({ signingKey: `signkey-custom-${"ab".repeat(32)}` });
      const refused = app([fn("x", on("x"), () => 1, wrong)], { client: wrong });
      await expect(refused).rejects.toThrow(SyncRefused);
      await expect(refused).rejects.toMatchObject({ status: 401 });
      await noApps(staging);
      await noApps(scenario);
    },
  },
];
