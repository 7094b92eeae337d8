/**
 * Transforms that fail, and what everybody else notices of them: nothing (EV-32, SE-16). And webhooks of branches (EV-25, EV-34).
 */
import { expect } from "vitest";
import * as z from "zod";
import { account, BRANCHES, branch, environments } from "../environments/world.ts";
import type { Case } from "../harness/cases.ts";
import { failedDeliveries, post, webhook } from "./world.ts";

const ENDLESS = "function transform() { for (;;); }";
const FETCHES = "function transform() { return fetch('https://example.com/').then(() => null); }";
/** Deliveries to each of the transforms that fail, and sends beside them. */
const MANY = 8;

const replayed = z.object({ data: z.object({ ids: z.array(z.string()) }) });
const eventsSchema = z.object({ data: z.array(z.looseObject({ internal_id: z.string(), data: z.unknown() })) });

/** The scenarios. */
export const failures: readonly Case[] = [
  {
    id: "SC-28",
    title: "A transform with a bug; mended, the delivery is run again",
    proves: ["EV-32", "SE-16"],
    async run({ engine, app, fn, on, finished, mark, names }) {
      await app([fn("fixed", on("fixed"), ({ event }) => mark(JSON.stringify(event.data)))]);
      const made = await webhook(engine, "Bug", "function transform(evt) { return { name: evt.no.such, data: {} }; }");
      expect(await post(made.url, { a: 1 })).toMatchObject({ httpStatus: 412, code: "transform_failed", ids: [] });
      const [failed] = await failedDeliveries(engine, made);
      expect(failed).toMatchObject({ failure: { name: "TypeError", stack: expect.stringContaining("transform.js") } });
      const transform = `function transform(evt) { return { name: "${on("fixed")}", data: evt }; }`;
      await engine.api("PUT", `/v1/webhooks/${made.id}`, { transform });
      const path = `/v1/webhooks/${made.id}/deliveries/${failed?.id}/replay`;
      const again = async () => replayed.parse((await engine.api("POST", path)).json).data.ids;
      const [ids, more] = await Promise.all([again(), again()]);
      expect(ids).toHaveLength(1);
      expect(more).toEqual(ids);
      expect(await finished(ids[0] ?? "")).toMatchObject({ status: "Completed" });
      expect(names("")).toEqual(['{"a":1}']);
      expect(await engine.event(ids[0] ?? "")).toMatchObject({ data: { a: 1 }, source: "webhook: Bug" });
    },
  },
  {
    id: "SE-16",
    title: "An endless loop and a fetch fail, and other requests are unaffected meanwhile",
    proves: ["EV-32", "SE-16"],
    sdks: ["v4"],
    async run({ engine, app, fn, on, trigger, finished, appId }) {
      await app([fn("works", on("x"), ({ event }) => event.data["n"])]);
      const [endless, fetches] = [await webhook(engine, "endless", ENDLESS), await webhook(engine, "fetch", FETCHES)];
      const sound = await webhook(engine, "sound", `(evt) => ({ name: "${appId}/sound", data: evt })`);
      const rounds = Array.from({ length: MANY }, async (_, n) => {
        const [looped, fetched, fine, health, eventId] = await Promise.all([
          post(endless.url, {}),
          post(fetches.url, {}),
          post(sound.url, { n }),
          engine.api("GET", "/health"),
          trigger(on("x"), { n }),
        ]);
        for (const refused of [looped, fetched])
          expect(refused).toMatchObject({ httpStatus: 412, code: "transform_failed" });
        expect(await engine.event(fine.ids[0] ?? "")).toMatchObject({ data: { n } });
        expect(health.status).toBe(200);
        expect(await finished(eventId)).toMatchObject({ status: "Completed", output: n });
      });
      await Promise.all(rounds);
      const failuresOf = async (one: typeof endless) =>
        (await failedDeliveries(engine, one)).map(({ failure }) => failure);
      const expected = (name: string) => Array.from({ length: MANY }, () => expect.objectContaining({ name }));
      expect(await failuresOf(endless)).toEqual(expected("TimeLimitExceeded"));
      expect(await failuresOf(fetches)).toEqual(expected("ReferenceError"));
    },
  },
  {
    id: "SC-26",
    title: "A webhook of branches triggers the branch it names; other deliveries are on the shared page",
    proves: ["EV-25", "EV-34"],
    async run(scenario) {
      const { engine, appId } = scenario;
      const name = `branch/1 of ${appId}`;
      const inside = scenario.within(await branch(engine, name));
      const { app, fn, on, names, mark, until, finished } = inside;
      await app([fn("b", on("x"), ({ event }) => mark(String(event.data["msg"])))]);
      const shared = await account(engine, BRANCHES);
      const { url } = await webhook(shared, appId, `(evt) => ({ name: "${on("x")}", data: evt })`);
      const lost = await post(url, { msg: "nowhere" });
      const unknown = await post(`${url}?x-inngest-env=unknown`, { msg: "unknown" });
      const byParameter = await post(`${url}?x-inngest-env=${encodeURIComponent(name)}`, { msg: "parameter" });
      const byHeader = await post(url, { msg: "header" }, { "x-inngest-env": name });
      for (const { ids } of [byParameter, byHeader]) {
        expect(await finished(ids[0] ?? "")).toMatchObject({ status: "Completed" });
      }
      expect([...names("")].sort()).toEqual(["header", "parameter"]);
      const parked = await until(async () => {
        const { json } = await shared.api("GET", `/v1/events?name=${encodeURIComponent(on("x"))}`);
        const { data } = eventsSchema.parse(json);
        return data.length === 2 ? data : null;
      });
      expect(new Set(parked.map((event) => event.internal_id))).toEqual(new Set([...lost.ids, ...unknown.ids]));
      expect((await environments(engine)).map((each) => each.name)).not.toContain("unknown");
    },
  },
];
