/**
 * Equal names in production, a custom environment and a branch: what happens in one is unknown to the others (EV-21, SE-8).
 */
import { expect } from "vitest";
import * as z from "zod";
import { lock } from "../flow-control/gate.ts";
import type { Case } from "../harness/cases.ts";
import type { TestEngine } from "../harness/engine.ts";
import type { Scenario } from "../harness/scenario.ts";
import { waiting } from "../steps/modes.ts";
import { branch, custom } from "./world.ts";

/** The scenario in production, in a custom environment and in a branch, each with the name of its place. */
async function threePlaces(scenario: Scenario): Promise<readonly (readonly [string, Scenario])[]> {
  const { engine, appId } = scenario;
  const [staging, feature] = await Promise.all([custom(engine, `staging ${appId}`), branch(engine, `branch/${appId}`)]);
  return [
    ["production", scenario],
    ["staging", scenario.within(staging.engine)],
    ["feature", scenario.within(feature)],
  ];
}

/** Everything that shows one run, its event, its function or its app, to whoever knows the ids. */
function pathsTo(
  ids: Readonly<Record<"run" | "event" | "fn" | "app", string>>,
): readonly (readonly [string, string])[] {
  const { run, event, fn, app } = ids;
  const pages = ["", "/trace", "/jobs", "/why", "/live"].map((page) => ["GET", `/v1/runs/${run}${page}`] as const);
  return [
    ...pages,
    ["GET", `/v0/runs/${run}/actions`],
    ["GET", `/v0/runs/${run}/batch`],
    ["GET", `/v2/runs/${run}`],
    ["DELETE", `/v1/runs/${run}`],
    ["POST", `/v1/runs/${run}/rerun`],
    ["GET", `/v1/events/${event}`],
    ["GET", `/v1/events/${event}/runs`],
    ["GET", `/v1/functions/${fn}`],
    ["POST", `/v1/functions/${fn}/pause`],
    ["GET", `/v1/apps/${app}`],
    ["GET", `/v1/apps/${app}/functions`],
    ["GET", `/v1/apps/${app}/health`],
    ["POST", `/v1/apps/${app}/archive`],
  ];
}

const LISTS = ["/v1/events?limit=100", "/v1/runs?limit=100", "/v1/functions", "/v1/apps", "/v1/event-types"] as const;
const insight = (canary: string) => ({ sql: `SELECT id FROM events WHERE data LIKE '%${canary}%'` });
const rowsSchema = z.object({ data: z.looseObject({ rows: z.array(z.unknown()) }) });
const idsSchema = z.object({ data: z.looseObject({ id: z.string() }) });

async function found(engine: TestEngine, canary: string): Promise<readonly string[]> {
  const lists = await Promise.all(LISTS.map(async (path) => ({ path, ...(await engine.api("GET", path)) })));
  const places: string[] = lists.filter(({ text }) => text.includes(canary)).map(({ path }) => path);
  const { status, json, text } = await engine.api("POST", "/v1/insights/query", insight(canary));
  if (status !== 200) throw new Error(`The query was refused: ${status} ${text}`);
  if (rowsSchema.parse(json).data.rows.length > 0) places.push("insights");
  return places;
}

/** Whether the run of an event stands in a line that is the account's. */
async function isWaiting(engine: TestEngine, eventId: string): Promise<boolean> {
  const [run] = await engine.runsOf(eventId);
  return run !== undefined && /"scope":"account"/.test((await engine.api("GET", `/v1/runs/${run.run_id}/jobs`)).text);
}

/** The scenarios. */
export const isolation: readonly Case[] = [
  {
    id: "SC-21",
    title: "One app, function and event name three times: an event runs, and is known, only where it was sent",
    proves: ["EV-21", "SE-8"],
    async run(scenario) {
      const places = await threePlaces(scenario);
      for (const [place, { app, fn, on }] of places) {
        await app([fn("iso", on("x"), ({ event }) => `${place} ${event.data["canary"]}`)]);
      }
      const asked: Promise<{ readonly status: number; readonly text: string }>[] = [];
      for (const [index, [place, { trigger, finished, on, engine, appId, slug }]] of places.entries()) {
        const canary = `canary-${place}-${appId}`;
        const eventId = await trigger(on("x"), { canary });
        const run = await finished(eventId);
        expect(run).toMatchObject({ status: "Completed", output: `${place} ${canary}`, function_slug: slug("iso") });
        const app = idsSchema.parse((await engine.api("GET", `/v1/apps/${appId}`)).json).data.id;
        const paths = pathsTo({ run: run.run_id, event: eventId, fn: run.function_id, app });
        const searched = await engine.until(async () => {
          const hits = await found(engine, canary);
          return hits.includes("insights") && hits.includes(LISTS[0]) && hits.includes(LISTS[1]) ? hits : null;
        });
        expect(searched.length).toBeGreaterThan(0);
        const others = places.filter(([other]) => other !== place);
        for (const [other, { engine: strange }] of others) {
          expect([other, await found(strange, canary)]).toEqual([other, []]);
        }
        // Each is asked by one other: production by staging, staging by the branch, the branch by production.
        const [other, { engine: strange }] = others[index === 1 ? 1 : 0] ?? ["", scenario];
        // Nobody is known to have sent a young event only after some seconds, so all places are asked at once.
        const questions = paths.map(async ([method, path]) => {
          const { status, text } = await strange.api(method, path, method === "POST" ? {} : undefined);
          return { other, method, path, status, text };
        });
        asked.push(...questions);
      }
      for (const { text, ...answer } of await Promise.all(asked)) {
        expect(answer).toEqual({ ...answer, status: 404 });
        expect(text).not.toContain("canary");
      }
    },
  },
  {
    id: "EV-21",
    title: "Event ids, singletons, rate limits and concurrency of scope fn and env do not cross",
    proves: ["EV-21", "SE-8", "EV-15", "FC-5"],
    sdks: ["v4"],
    async run(scenario) {
      const places = await threePlaces(scenario);
      const held = lock();
      const limits = {
        fn: { concurrency: { limit: 1, key: '"k"' } },
        env: { concurrency: { limit: 1, key: '"k"', scope: "env" } },
        single: { singleton: { mode: "skip", key: '"k"' } },
        rate: { rateLimit: { limit: 1, period: "1h", key: '"k"' } },
        once: { idempotency: '"k"' },
      };
      const ids = Object.keys(limits);
      for (const [, { app, fn, on }] of places) {
        await app(
          Object.entries(limits).map(([id, options]) =>
            fn({ id, ...options }, on("x"), ({ step }) => step.run("hold", held.enter)),
          ),
        );
      }
      // Held in one place they keep nobody waiting in another: all of them execute at the same moment.
      const events: string[] = [];
      for (const [, { send, on, appId }] of places) events.push(...(await send({ id: appId, name: on("x") })));
      await scenario.until(() => held.inside === ids.length * places.length);
      held.open();
      for (const [index, [, { ended, engine }]] of places.entries()) {
        const runs = await ended(events[index] ?? "", ids.length);
        expect(runs.map(({ status }) => status)).toEqual(ids.map(() => "Completed"));
        expect(await engine.event(events[index] ?? "")).toMatchObject({ duplicate: false });
      }
    },
  },
  {
    id: "FC-5",
    title: "A concurrency limit of scope account is the one thing that is shared, and production is served first",
    proves: ["EV-21", "EV-26", "FC-5", "FC-14"],
    sdks: ["v4"],
    async run(scenario) {
      const [production, staging, feature] = await threePlaces(scenario);
      if (production === undefined || staging === undefined || feature === undefined) throw new Error("no places");
      const held = lock();
      const order: string[] = [];
      const concurrency = { limit: 1, key: `"${scenario.appId}"`, scope: "account" };
      for (const [place, { app, fn, on }] of [production, staging, feature]) {
        const hold = fn({ id: "shared", concurrency }, on("x"), ({ step }) =>
          step.run("hold", async () => {
            order.push(place);
            await held.enter();
          }),
        );
        await app([hold]);
      }
      // The one that came last waits before the one that came earlier.
      const eventIds: string[] = [];
      for (const [turn, [, { trigger, on, engine, until }]] of [staging, feature, production].entries()) {
        const eventId = await trigger(on("x"));
        eventIds.push(eventId);
        if (turn === 0) await until(() => held.inside === 1);
        else await until(() => isWaiting(engine, eventId));
      }
      for (const turn of [1, 2, 3]) {
        await scenario.until(() => held.come === turn);
        // Whoever should not be there would have come by now.
        await scenario.pause(300);
        expect([held.come, held.inside]).toEqual([turn, 1]);
        held.release(1);
      }
      for (const [turn, [, { finished }]] of [staging, feature, production].entries()) {
        expect(await finished(eventIds[turn] ?? "")).toMatchObject({ status: "Completed" });
      }
      expect([held.most, order]).toEqual([1, ["staging", "production", "feature"]]);
    },
  },
  {
    id: "EX-43",
    title: "Waits, signals, cancellations and invocations stay where they are",
    proves: ["EV-21", "SE-8", "EX-43", "EX-48", "CR-1"],
    async run(scenario) {
      const places = (await threePlaces(scenario)).slice(0, 2);
      for (const [place, { app, fn, on, client, sdk, appId }] of places) {
        const by = place === "production" ? [] : [fn("only-here", on("never"), () => place)];
        const everywhere = fn("callee", on("never"), () => place);
        const options = { id: "waits", retries: 0, cancelOn: [{ event: on("cancel") }] };
        const waits = fn(options, on("x"), async ({ step }) => {
          const called = await step.invoke("call", { function: everywhere.native });
          const here = sdk.referenceFunction({ appId, functionId: "only-here" });
          const other = await step.invoke("other", { function: here }).catch(() => "nobody");
          const [event, signal] = await Promise.all([
            step.waitForEvent("event", { event: on("go"), timeout: "1h" }),
            step.waitForSignal("signal", { signal: on("signal"), timeout: "1h", onConflict: "fail" }),
          ]);
          return [called, other, event?.data["from"], signal?.data["from"]];
        });
        await app([...by, everywhere, waits], { client });
      }
      const [[, production], [, staging]] = [places[0] ?? ["", scenario], places[1] ?? ["", scenario]];
      const [first, second] = [await production.trigger(production.on("x")), await staging.trigger(staging.on("x"))];
      for (const [place, id] of [
        [production, first],
        [staging, second],
      ] as const)
        await waiting(place, id, 2);
      const signal = (to: Scenario, from: string) =>
        to.api("POST", "/v1/signals", { signal: to.on("signal"), data: { from } });
      await staging.trigger(staging.on("go"), { from: "staging" });
      expect(await signal(staging, "staging")).toMatchObject({ status: 200 });
      expect(await staging.finished(second)).toMatchObject({
        status: "Completed",
        output: ["staging", "staging", "staging", "staging"],
      });
      // Nobody waits there any more, and whoever waits elsewhere is not reached from here.
      expect(await signal(staging, "staging")).toMatchObject({ status: 404 });
      await staging.trigger(staging.on("cancel"));
      await staging.trigger(staging.on("go"), { from: "staging" });
      expect(await production.engine.runsOf(first)).toMatchObject([{ status: "Running" }]);
      await production.trigger(production.on("go"), { from: "production" });
      expect(await signal(production, "production")).toMatchObject({ status: 200 });
      expect(await production.finished(first)).toMatchObject({
        status: "Completed",
        output: ["production", "nobody", "production", "production"],
      });
    },
  },
];
