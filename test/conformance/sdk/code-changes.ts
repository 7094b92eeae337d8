/**
 * Scenarios of deploying while runs are asleep: other code, another address, another SDK (EX-40, EX-61 to EX-63, AP-12).
 */
import { expect } from "vitest";
import type { Case } from "../harness/cases.ts";
import type { Scenario } from "../harness/scenario.ts";
import { type Data, type Handler, SDKS, type Steps } from "../harness/sdk.ts";

/** A step that notes that it ran and answers its own id. */
function named({ mark }: Scenario, step: Steps, id: string): Promise<string> {
  return step.run(id, () => {
    mark(id);
    return id;
  });
}

/** Starts a run of `before`, deploys `after` under the same function id once the run is asleep, and answers the event. */
async function deployWhileAsleep(scenario: Scenario, before: Handler<Data>, after: Handler<Data>): Promise<string> {
  const { app, fn, on, trigger, until, marks } = scenario;
  const served = await app([fn("changing", on("x"), before)]);
  const id = await trigger(on("x"));
  await until(() => marks("A").length === 1);
  served.redeploy([fn("changing", on("x"), after)]);
  return id;
}

/** How often each of these steps ran. */
function counts({ marks }: Scenario, ids: string): number[] {
  return [...ids].map((id) => marks(id).length);
}

/** The scenarios. */
export const codeChanges: readonly Case[] = [
  {
    id: "EX-61",
    title: "A new step runs where it is met, and nothing is repeated",
    proves: ["EX-61", "EX-62"],
    async run(scenario) {
      const id = await deployWhileAsleep(
        scenario,
        async ({ step }) => {
          const first = await named(scenario, step, "A");
          await step.sleep("nap", "2s");
          return [first, await named(scenario, step, "B"), await named(scenario, step, "C")];
        },
        async ({ step }) => {
          const first = [await named(scenario, step, "A"), await named(scenario, step, "Z")];
          await step.sleep("nap", "2s");
          return [...first, await named(scenario, step, "B"), await named(scenario, step, "C")];
        },
      );
      expect(await scenario.finished(id)).toMatchObject({ status: "Completed", output: ["A", "Z", "B", "C"] });
      expect(counts(scenario, "AZBC")).toEqual([1, 1, 1, 1]);
    },
  },
  {
    id: "EX-62",
    title: "A renamed step runs under its new id, a removed one's result stays unused, moved ones are not repeated",
    proves: ["EX-62"],
    async run(scenario) {
      const id = await deployWhileAsleep(
        scenario,
        async ({ step }) => {
          await named(scenario, step, "R");
          await named(scenario, step, "M");
          await named(scenario, step, "A");
          await step.sleep("nap", "2s");
          await named(scenario, step, "C");
          return "old";
        },
        async ({ step }) => {
          await named(scenario, step, "A");
          await named(scenario, step, "M");
          await step.sleep("nap", "2s");
          await named(scenario, step, "E");
          return "new";
        },
      );
      expect(await scenario.finished(id)).toMatchObject({ status: "Completed", output: "new" });
      expect(counts(scenario, "RMACE")).toEqual([1, 1, 1, 0, 1]);
    },
  },
  {
    id: "EX-62b",
    title: "The runs of a removed function fail with the app's message",
    proves: ["EX-62", "EX-24"],
    async run(scenario) {
      const { app, fn, on, trigger, until, finished, marks, sdk } = scenario;
      const served = await app([
        fn({ id: "removed", retries: 1 }, on("x"), async ({ step }) => {
          await named(scenario, step, "A");
          await step.sleep("nap", "2s");
        }),
      ]);
      const id = await trigger(on("x"));
      await until(() => marks("A").length === 1);
      served.redeploy([fn("other", on("y"), () => null)]);
      const run = await finished(id);
      expect(run.status).toBe("Failed");
      expect(JSON.stringify(run.output)).toMatch(
        sdk.name === "v3" ? /No function ID found/ : /was not found in this app/,
      );
    },
  },
  {
    id: "EX-63",
    title: "A run begun with one SDK ends with the other",
    proves: ["EX-63"],
    async run(scenario) {
      const { app, fn, on, trigger, until, finished, marks, sdk, engine, appId } = scenario;
      const code: Handler<Data> = async ({ step }) => {
        const before = await named(scenario, step, "A");
        await step.sleep("nap", "2s");
        const pair = await Promise.all([named(scenario, step, "B"), named(scenario, step, "C")]);
        return [before, ...pair, await named(scenario, step, "D")];
      };
      const other = SDKS[sdk.name === "v3" ? "v4" : "v3"].client({ id: appId, engine: engine.url, mode: "dev" });
      const served = await app([fn("upgraded", on("x"), code)]);
      const id = await trigger(on("x"));
      await until(() => marks("A").length === 1);
      await served.resync([fn("upgraded", on("x"), code, other)], other);
      expect(await finished(id)).toMatchObject({ status: "Completed", output: ["A", "B", "C", "D"] });
      expect(counts(scenario, "ABCD")).toEqual([1, 1, 1, 1]);
    },
  },
  {
    id: "SC-32",
    title: "Moving an app",
    proves: ["AP-12", "EX-40"],
    async run(scenario) {
      const { app, fn, on, trigger, until, finished, api, marks, appId } = scenario;
      const at = (place: string) =>
        fn("mover", on("x"), async ({ step }) => {
          await named(scenario, step, "A");
          await step.sleep("s", "3s");
          return step.run("where", () => place);
        });
      const one = await app([at("one")]);
      const id = await trigger(on("x"));
      await until(() => marks("A").length === 1);
      await one.stop();
      const two = await app([at("two")]);
      expect(await finished(id)).toMatchObject({ status: "Completed", output: "two" });
      expect(two.url).not.toBe(one.url);
      const { json } = await api("GET", "/v1/apps");
      expect(JSON.stringify(json).split(`"name":"${appId}"`)).toHaveLength(2);
    },
  },
];
