/**
 * An engine that is killed and started again on the same data knows its environments and keys, and goes on with their runs (EV-26, EX-4).
 */
import { afterAll, expect } from "vitest";
import { temporaryState } from "../../../cli/state.ts";
import { type Case, conformance } from "../harness/cases.ts";
import { filesWith } from "../harness/kept.ts";
import { branch, branchKeys, custom, DEPLOYMENT, environments, eventKey, rotate } from "./world.ts";

const state = await temporaryState();
afterAll(() => state.release());

/** What the engine logged. */
const lines: string[] = [];

const cases: readonly Case[] = [
  {
    id: "EX-4",
    title:
      "kill -9 in the middle of runs of a custom environment and a branch, with a rotation under way; no key is kept in clear",
    proves: ["EV-18", "EV-22", "EV-26", "SE-2", "SE-7", "SE-14", "EX-4"],
    sdks: ["v4-checkpointed"],
    async run(scenario) {
      const { engine, appId, newClient } = scenario;
      const made = await custom(engine, `restarted ${appId}`);
      const archived = await custom(engine, `archived ${appId}`);
      const deleted = await eventKey(made.engine, { name: "deleted" });
      const newKey = await rotate(made.engine, "create");
      const places = [
        { place: scenario.within(made.engine), signingKey: made.keys.signingKey },
        { place: scenario.within(await branch(engine, `pr ${appId}`)), ...(await branchKeys(engine)) },
      ];
      const ids: string[] = [];
      for (const { place, signingKey } of places) {
        const client = place.newClient({ signingKey });
        const sleeps = place.fn(
          { id: "sleeps", retries: 5 },
          place.on("x"),
          async ({ step }) => {
            const a = await step.run("a", () => "before");
            await step.sleep("s", "2s");
            return [a, await step.run("b", () => "after")];
          },
          client,
        );
        await place.app([sleeps], { client });
        ids.push(await place.trigger(place.on("x")));
      }
      await made.engine.api("DELETE", `/v1/keys/events/${deleted.id}`);
      await engine.api("POST", `/v1/environments/${archived.id}/archive`);
      const known = await environments(engine);
      for (const [index, { place }] of places.entries()) {
        await place.until(async () => (await place.engine.runsOf(ids[index] ?? "")).length === 1);
      }
      await engine.kill();
      await engine.boot();
      expect(await environments(engine)).toEqual(known);
      for (const [index, { place }] of places.entries()) {
        expect(await place.finished(ids[index] ?? "")).toMatchObject({
          status: "Completed",
          output: ["before", "after"],
        });
        const again = await place.trigger(place.on("x"));
        expect(await place.finished(again)).toMatchObject({ status: "Completed" });
      }
      for (const key of [deleted.value, archived.keys.eventKey]) {
        await expect(newClient({ eventKey: key }).send({ name: "x/y" })).rejects.toThrow("Event key not found");
      }
      await rotate(made.engine, "activate");
      const [{ place } = { place: scenario }] = places;
      const both = place.newClient({ signingKey: newKey, signingKeyFallback: made.keys.signingKey });
      const served = await place.app([place.fn("later", place.on("y"), () => "later", both)], { client: both });
      expect(served.sync.status).toBe(200);
      expect(await place.finished(await place.trigger(place.on("y")))).toMatchObject({ output: "later" });

      // The environments' names are kept: so the search finds what there is.
      expect(await filesWith(state.dir, made.name)).not.toEqual([]);
      const shared = await branchKeys(engine);
      const secrets = [
        made.keys.eventKey,
        made.keys.signingKey,
        newKey,
        deleted.value,
        shared.eventKey,
        shared.signingKey,
      ];
      for (const secret of secrets.map((key) => key.replace(/^signkey-\w+-/, ""))) {
        expect(await filesWith(state.dir, secret)).toEqual([]);
        expect(lines.filter((line) => line.includes(secret))).toEqual([]);
      }
    },
  },
];

conformance("Environments of an engine that is killed", cases, {
  bindings: DEPLOYMENT,
  persistDir: state.dir,
  onLine: ({ text }) => lines.push(text),
});
