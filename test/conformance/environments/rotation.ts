/**
 * Changing the signing key of a custom environment while its runs go on (SE-7).
 */
import { realtimeMiddleware } from "@inngest/realtime/middleware";
import { expect } from "vitest";
import type { Case } from "../harness/cases.ts";
import type { ClientOptions, HandlerContext } from "../harness/sdk.ts";
import { realtimeOf } from "../realtime/sdks.ts";
import { branch, branchKeys, custom, rotate, withKeys } from "./world.ts";

/** ms between two events of continuous traffic. */
const RHYTHM = 100;
/** ms of each phase of a rotation; runs take twice as long, so that each of them meets several. */
const PHASE = 500;

/** The scenarios. */
export const rotation: readonly Case[] = [
  {
    id: "SC-143",
    title: "Continuous runs through all steps of a rotation: calls, checkpoints, syncs and publishing, and none fails",
    proves: ["SE-7", "SE-3", "SE-6", "EX-66", "RT-2"],
    sdks: ["v3-checkpointed", "v4-checkpointed"],
    async run(scenario) {
      const made = await custom(scenario.engine, `rotated ${scenario.appId}`);
      const { signingKey: oldKey } = made.keys;
      const staging = scenario.within(made.engine);
      const { app, fn, on, newClient, pause, sdk, appId } = staging;
      const { realtime } = realtimeOf(staging);
      const to = { channel: appId, topic: "t" };
      const clientWith = (keys: Partial<ClientOptions>) =>
        newClient({ ...keys, ...(sdk.name === "v3" ? { middleware: [realtimeMiddleware()] } : {}) });
      const functions = (client: ReturnType<typeof clientWith>) => [
        fn<{ n: number }>(
          { id: "rotating", retries: 0 },
          on("x"),
          async (context: HandlerContext<{ n: number }>) => {
            const { event, step } = context;
            await step.run("before", () => 1);
            await step.sleep("through", `${2 * PHASE}ms`);
            await realtime.publishAsStep(context as never, "say", to, event.data.n);
            return await step.run("after", () => event.data.n);
          },
          client,
        ),
      ];
      const before = clientWith({ signingKey: oldKey });
      const served = await app(functions(before), { client: before });
      const subscription = await realtime.subscribe(before, await realtime.token(before, appId, ["t"]));

      const ids: Promise<readonly string[]>[] = [];
      const traffic = setInterval(() => {
        ids.push(staging.send({ name: on("x"), data: { n: ids.length } }));
      }, RHYTHM);
      try {
        await pause(PHASE);
        const newKey = await rotate(made.engine, "create");
        await pause(PHASE);
        const both = clientWith({ signingKey: newKey, signingKeyFallback: oldKey });
        expect(await served.resync(functions(both), both)).toMatchObject({ status: 200 });
        await pause(PHASE);
        // Whoever asks with either key is known until the old one is gone.
        const now = withKeys(scenario.engine, { ...made.keys, signingKey: newKey });
        await rotate(now, "activate");
        await pause(PHASE);
        expect((await made.engine.api("GET", "/v1/apps")).status).toBe(200);
        expect(await served.resync(functions(both), both)).toMatchObject({ status: 200 });
        await rotate(now, "finish");
        await pause(PHASE);
        const after = clientWith({ signingKey: newKey });
        expect(await served.resync(functions(after), after)).toMatchObject({ status: 200 });
        expect(await realtime.token(after, appId, ["t"])).toMatchObject({ key: expect.any(String) });
        await pause(PHASE);
        expect((await made.engine.api("GET", "/v1/apps")).status).toBe(401);
        await expect(app(functions(before), { client: before })).rejects.toMatchObject({ status: 401 });
        clearInterval(traffic);
        const ended = withKeys(scenario.engine, { ...made.keys, signingKey: newKey });
        const sent = (await Promise.all(ids)).flat();
        expect(sent.length).toBeGreaterThan(10);
        const last = scenario.within(ended);
        for (const [n, id] of sent.entries()) {
          expect(await last.finished(id)).toMatchObject({ status: "Completed", output: n });
        }
        await scenario.until(() => subscription.messages.length >= sent.length);
        expect(new Set(subscription.data())).toEqual(new Set(sent.keys()));
      } finally {
        clearInterval(traffic);
      }
    },
  },
  {
    id: "SE-7",
    title: "Steps of a rotation only in their order, one at a time; production's keys are secrets",
    proves: ["SE-7", "SE-14"],
    sdks: ["v4"],
    async run({ engine, appId }) {
      const made = await custom(engine, `order ${appId}`);
      for (const phase of ["activate", "finish"] as const) {
        await expect(rotate(made.engine, phase)).rejects.toThrow("409");
      }
      const key = await rotate(made.engine, "create");
      expect(key).toMatch(/^signkey-custom-[0-9a-f]{64}$/);
      for (const phase of ["create", "finish"] as const) {
        await expect(rotate(made.engine, phase)).rejects.toThrow("409");
      }
      await rotate(made.engine, "activate");
      for (const phase of ["create", "activate"] as const) {
        await expect(rotate(made.engine, phase)).rejects.toThrow("409");
      }
      const listed = await made.engine.api("GET", "/v1/keys/signing");
      expect(listed.json).toMatchObject({ data: [{ state: "current" }, { state: "previous" }] });
      for (const secret of [key, made.keys.signingKey]) expect(listed.text).not.toContain(secret.slice(-64));
      await expect(rotate(engine, "create")).rejects.toThrow(/wrangler secret put/);
    },
  },
  {
    id: "SE-7b",
    title: "The key of branches is changed for all of them",
    proves: ["SE-7", "EV-22"],
    // Its keys are those of every branch: nobody else may be at work.
    alone: true,
    sdks: ["v4-checkpointed"],
    async run(scenario) {
      const old = await branchKeys(scenario.engine);
      const serve = async (name: string) => {
        const inside = scenario.within(await branch(scenario.engine, `${name} ${scenario.appId}`));
        const functions = (client = inside.client) => [
          inside.fn({ id: "b", retries: 0 }, inside.on("x"), ({ step }) => step.run("a", () => name), client),
        ];
        return { name, inside, functions, app: await inside.app(functions()) };
      };
      const served = [await serve("one"), await serve("two")];
      const runs = async () => {
        for (const { name, inside } of served) {
          const [id = ""] = await inside.send({ name: inside.on("x") });
          expect(await inside.finished(id)).toMatchObject({ status: "Completed", output: name });
        }
      };
      const [{ inside: first } = { inside: scenario }] = served;
      const newKey = await rotate(first.engine, "create");
      await runs();
      for (const { app, inside, functions } of served) {
        const both = inside.newClient({ signingKey: newKey, signingKeyFallback: old.signingKey });
        await app.resync(functions(both), both);
      }
      await rotate(first.engine, "activate");
      await runs();
    },
  },
];
