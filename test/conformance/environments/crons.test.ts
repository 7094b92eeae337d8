/**
 * Crons of custom environments and branches on the real clock, and what archiving an environment does to its triggers and runs
 * (TR-9, TR-14, EV-24). A minute is the shortest rhythm there is: all of it happens before and after one full minute.
 */
import { expect } from "vitest";
import { type Case, conformance } from "../harness/cases.ts";
import type { Scenario } from "../harness/scenario.ts";
import { branch, custom, DEPLOYMENT, environments } from "./world.ts";

const MINUTE = 60_000;
/** ms before a full minute in which a change may come too late for it. */
const MARGIN = 2_000;
/** ms; a full minute comes within this, and everything it starts is over. */
const PATIENCE = 100_000;
/** ms in which a change of an environment takes effect (EV-18). */
const EFFECTIVE = 12_000;

/** Lets runs that are under way end. */
interface Release {
  given: boolean;
}

/** An app with a cron, and a function that goes on until it is released; answers the event of its run. */
async function serve(place: Scenario, release: Release): Promise<string> {
  const { app, fn, on, mark, trigger, until, names } = place;
  await app([
    fn("ticks", { cron: "* * * * *" }, ({ event }) => mark(`tick ${event.ts}`)),
    fn("long", on("x"), async ({ step }) => {
      for (let n = 0; !(await step.run(`released-${n}`, () => release.given)); n++) {
        mark("goes on");
        await step.sleep(`moment-${n}`, "1s");
      }
      return "finished";
    }),
  ]);
  const eventId = await trigger(on("x"));
  await until(() => names("goes on").length > 0);
  return eventId;
}

const cases: readonly Case[] = [
  {
    id: "EV-24",
    title:
      "Crons tick in every environment that is not archived; what runs in an archived one finishes, and unarchiving brings triggers back",
    proves: ["EV-21", "EV-24", "TR-9", "TR-14"],
    async run(scenario) {
      const { engine, appId, until } = scenario;
      const customs = ["active", "stopped", "back"].map((name) => custom(engine, `${name} ${appId}`));
      const [active, stopped, back] = await Promise.all(customs);
      if (active === undefined || stopped === undefined || back === undefined) throw new Error("three were made");
      const pr = `pr ${appId}`;
      const places = {
        production: scenario,
        active: scenario.within(active.engine),
        stopped: scenario.within(stopped.engine),
        back: scenario.within(back.engine),
        branch: scenario.within(await branch(engine, pr)),
        stoppedBranch: scenario.within(await branch(engine, `stopped ${pr}`)),
      };
      const all = Object.values(places);
      const release: Release = { given: false };
      const eventIds = await Promise.all(all.map((place) => serve(place, release)));
      const gone = (await environments(engine)).find(({ name }) => name === `stopped ${pr}`);
      const change = async (id: string | undefined, what: "archive" | "unarchive") => {
        const { status, text } = await engine.api("POST", `/v1/environments/${id}/${what}`);
        expect(status, text).toBe(200);
      };
      for (const id of [stopped.id, back.id, gone?.id]) await change(id, "archive");
      await change(back.id, "unarchive");
      const minute = Math.ceil((Date.now() + MARGIN) / MINUTE) * MINUTE;

      const ticking = [places.production, places.active, places.back, places.branch];
      const tick = `tick ${minute}`;
      await until(() => ticking.every((place) => place.names(tick).length > 0), PATIENCE);
      release.given = true;
      for (const [index, place] of all.entries()) {
        expect(await place.finished(eventIds[index] ?? "")).toMatchObject({ status: "Completed", output: "finished" });
      }
      for (const place of ticking) expect(place.names(tick)).toEqual([tick]);
      for (const place of [places.stopped, places.stoppedBranch]) {
        expect(place.names(tick)).toEqual([]);
        await expect(place.trigger(place.on("x"))).rejects.toThrow("Event key not found");
        // What is gone from the catalog is gone for every way to start it.
        const invoked = await place.api("POST", `/invoke/${place.slug("long")}`, { data: {} });
        expect(invoked.status).toBe(404);
      }
      await change(stopped.id, "unarchive");
      const again = await until(() => places.stopped.trigger(places.stopped.on("x")), EFFECTIVE);
      expect(await places.stopped.finished(again)).toMatchObject({ status: "Completed", output: "finished" });
    },
  },
];

conformance("Crons and archiving of environments", cases, { bindings: DEPLOYMENT });
