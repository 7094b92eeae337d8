/**
 * Branch environments with the SDKs' own option `env`: routing, creation on demand, parking, archiving (EV-22 … EV-25).
 */
import { expect } from "vitest";
import * as z from "zod";
import type { Case } from "../harness/cases.ts";
import type { Data, HandlerContext } from "../harness/sdk.ts";
import { realtimeOf } from "../realtime/sdks.ts";
import { recordedClient } from "../steps/checkpoints.ts";
import { waiting } from "../steps/modes.ts";
import { account, BRANCHES, branch, branchKeys, environments } from "./world.ts";

/** Bytes; two results of this length are more than a call carries (EX-16). */
const HALF = 2_300_000;
const eventsSchema = z.object({ data: z.array(z.looseObject({ name: z.string(), internal_id: z.string() })) });
/** ms in which a change of an environment takes effect (EV-18). */
const EFFECTIVE = 12_000;

/** The scenarios. */
export const branches: readonly Case[] = [
  {
    id: "SC-19",
    title: "Branch routing: only the branch has the app and the run, an unknown branch is created by an event",
    proves: ["EV-21", "EV-22", "EV-23"],
    sdks: ["v3", "v4-checkpointed"],
    async run(scenario) {
      const { engine, appId } = scenario;
      const name = `feature/my-branch of ${appId}`;
      const inside = scenario.within(await branch(engine, name));
      const { app, fn, on, client, finished, until } = inside;
      const served = await app([fn("b", on("x"), ({ step }) => step.run("a", () => "branch"))]);
      expect(served.sync).toMatchObject({ status: 200, modified: true });
      const [eventId = ""] = await client.send({ name: on("x") });
      expect(await finished(eventId)).toMatchObject({ status: "Completed", output: "branch" });
      expect((await inside.api("GET", `/v1/apps/${appId}`)).status).toBe(200);

      const other = `other-branch of ${appId}`;
      // What the SDK's `send` takes beside the events is its own business.
      const native = client.native as { send(event: object, options: object): Promise<{ ids: string[] }> };
      const [strayId = ""] = (await native.send({ name: on("x") }, { env: other })).ids;
      const elsewhere = await branch(engine, other);
      await until(async () => (await elsewhere.event(strayId)).name === on("x"));
      expect(await elsewhere.event(strayId)).toMatchObject({ outcomes: [] });
      expect(await elsewhere.runsOf(strayId)).toEqual([]);

      const listed = await environments(engine);
      for (const each of [name, other]) {
        expect(listed).toContainEqual(expect.objectContaining({ name: each, kind: "branch" }));
      }
      for (const path of ["/v1/apps", "/v1/events?limit=100", "/v1/runs?limit=100", "/v1/functions"]) {
        expect((await engine.api("GET", path)).text).not.toContain(appId);
      }
      const known = [eventId, strayId].map(async (id) => (await engine.api("GET", `/v1/events/${id}`)).status);
      expect(await Promise.all(known)).toEqual([404, 404]);
    },
  },
  {
    id: "EX-16",
    title: "Large state and checkpoints of a branch, also with an SDK whose requests do not name it",
    proves: ["EV-22", "EX-16", "EX-66", "EV-38", "AP-5"],
    sdks: ["v3-checkpointed", "v4-checkpointed"],
    async run(scenario) {
      const inside = scenario.within(await branch(scenario.engine, `calls/${scenario.appId}`));
      const { app, fn, on, trigger, finished, variant, until, names, mark, api } = inside;
      const { client, checkpoints } = recordedClient(inside);
      const large = fn(
        "large",
        on("x"),
        async ({ step }) => {
          const results = [await step.run("a", () => "y".repeat(HALF)), await step.run("b", () => "z".repeat(HALF))];
          await step.sendEvent("sent", { name: on("sent"), data: { from: "the branch" } });
          return await step.run("all", () => results.map((result) => `${result[0]}:${result.length}`));
        },
        client,
      );
      const hears = fn("hears", on("sent"), ({ event }) => mark(`heard from ${event.data["from"]}`), client);
      const served = await app([large, hears], { client });
      const output = [`y:${HALF}`, `z:${HALF}`];
      expect(await finished(await trigger(on("x")))).toMatchObject({ status: "Completed", output });
      await until(() => names("heard").length > 0);
      expect(names("heard")).toEqual(["heard from the branch"]);
      expect((await api("POST", "/v1/apps", { url: served.url })).json).toMatchObject({ data: { url: served.url } });
      expect(checkpoints.filter(({ status }) => status !== 200)).toEqual([]);
      // v3 does not say which branch its checkpoint is of, so it is not asked for any.
      expect(checkpoints.length > 0).toBe(variant === "v4-checkpointed");
    },
  },
  {
    id: "EX-48",
    title: "Signals of a branch; v3 names it by the `fetch` it is given",
    proves: ["EV-21", "EV-22", "EX-48"],
    async run(scenario) {
      const env = `signals/${scenario.appId}`;
      const inside = scenario.within(await branch(scenario.engine, env));
      const { app, fn, on, trigger, finished, newClient, sdk } = inside;
      const naming: typeof fetch = (input, init) =>
        fetch(input, { ...init, headers: { ...init?.headers, "x-inngest-env": env } });
      const client = newClient(sdk.name === "v3" ? { fetch: naming } : {});
      const receives = fn(
        "receives",
        on("x"),
        ({ step }) => step.waitForSignal("s", { signal: on("signal"), timeout: "1h", onConflict: "fail" }),
        client,
      );
      const sends = fn(
        "sends",
        on("y"),
        ({ step }) => step.sendSignal("s", { signal: on("signal"), data: "hello" }),
        client,
      );
      await app([receives, sends], { client });
      const first = await trigger(on("x"));
      await waiting(inside, first);
      expect(await finished(await trigger(on("y")))).toMatchObject({ status: "Completed" });
      expect(await finished(first)).toMatchObject({ status: "Completed", output: { data: "hello" } });
    },
  },
  {
    id: "RT-2",
    title: "Realtime of two branches with the same channel",
    proves: ["EV-21", "EV-22", "RT-1", "RT-2", "RT-4"],
    sdks: ["v4"],
    async run(scenario) {
      const channel = scenario.appId;
      const heard = [];
      for (const word of ["one", "two"]) {
        const inside = scenario.within(await branch(scenario.engine, `${word}/${channel}`));
        const { realtime, client } = realtimeOf(inside);
        const say = inside.fn(
          "says",
          inside.on("x"),
          async (context: HandlerContext<Data>) => {
            await realtime.publishAsStep(context as never, "say", { channel, topic: "t" }, word);
          },
          client,
        );
        await inside.app([say], { client });
        const subscription = await realtime.subscribe(client, await realtime.token(client, channel, ["t"]));
        await inside.finished(await inside.trigger(inside.on("x")));
        await scenario.until(() => subscription.messages.length > 0);
        heard.push(subscription);
      }
      expect(heard.map((subscription) => subscription.data())).toEqual([["one"], ["two"]]);
    },
  },
  {
    id: "EV-22",
    title: "INNGEST_ENV names the branch for an app that says nothing",
    proves: ["EV-22", "EV-23"],
    alone: true,
    async run(scenario) {
      const { engine, appId } = scenario;
      const name = `by-variable/${appId}`;
      const keys = await branchKeys(engine);
      const view = await branch(engine, name);
      process.env["INNGEST_ENV"] = name;
      try {
        const client = scenario.newClient(keys);
        await scenario.app([scenario.fn("b", scenario.on("x"), () => "branch", client)], { client });
        const [eventId = ""] = await client.send({ name: scenario.on("x") });
        const [run] = await view.ended(eventId);
        expect(run).toMatchObject({ status: "Completed", output: "branch" });
      } finally {
        delete process.env["INNGEST_ENV"];
      }
      expect(await environments(engine)).toContainEqual(expect.objectContaining({ name, kind: "branch" }));
      expect((await engine.api("GET", "/v1/apps")).text).not.toContain(appId);
    },
  },
  {
    id: "EV-25",
    title: "An event with a branch's key that names no branch is kept on the shared page and triggers nothing",
    proves: ["EV-22", "EV-25"],
    async run(scenario) {
      const { engine } = scenario;
      const inside = scenario.within(await branch(engine, `parked/${scenario.appId}`));
      const { app, fn, on, newClient, trigger, finished, mark, names } = inside;
      await app([fn("b", on("x"), ({ event }) => mark(`ran ${event.data["n"]}`))]);
      const nameless = scenario.newClient(await branchKeys(engine));
      const [parkedId = ""] = await nameless.send({ name: on("x"), data: { n: "parked" } });
      // Later than the other, so that its run would have been there by now.
      expect(await finished(await trigger(on("x"), { n: "sent" }))).toMatchObject({ status: "Completed" });
      expect(names("")).toEqual(["ran sent"]);
      const elsewhere = [inside.engine, engine].map(
        async (place) => (await place.api("GET", `/v1/events/${parkedId}`)).status,
      );
      expect(await Promise.all(elsewhere)).toEqual([404, 404]);
      const shared = await account(engine, BRANCHES);
      const list = async () => eventsSchema.parse((await shared.api("GET", `/v1/events?name=${on("x")}`)).json).data;
      const [parked] = await scenario.until(async () => ((await list()).length > 0 ? await list() : null));
      expect(parked).toMatchObject({ internal_id: parkedId, data: { n: "parked" }, outcomes: [] });
      const mine = (await environments(engine)).filter(({ name }) => name.includes(scenario.appId));
      expect(mine.map(({ name }) => name)).toEqual([`parked/${scenario.appId}`]);
      // Without a branch there is nowhere to register either.
      const lost = newClient({ ...(await branchKeys(engine)), id: "lost", env: "" });
      const refused = inside.app([fn("b", on("x"), () => 1, lost)], { client: lost });
      await expect(refused).rejects.toThrow(/INNGEST_ENV/);
    },
  },
  {
    id: "EV-23",
    title: "A branch begins with an event or a sync, not with a question about it",
    proves: ["EV-23", "EV-24"],
    async run(scenario) {
      const { engine, appId, on, newClient } = scenario;
      const name = `pr-7/${appId}`;
      const inside = await branch(engine, name);
      const mine = async () => (await environments(engine)).filter((each) => each.name === name);
      expect(await inside.api("GET", "/v1/apps")).toMatchObject({
        status: 404,
        json: { code: "environment_not_found" },
      });
      expect(await mine()).toEqual([]);
      const client = newClient({ ...(await branchKeys(engine)), env: name });
      const [eventId = ""] = await client.send({ name: on("x") });
      const slug = `pr-7-${appId}`;
      expect(await mine()).toMatchObject([{ kind: "branch", slug, auto_archive: true, archived_at: null }]);
      expect(await inside.until(() => inside.event(eventId))).toMatchObject({ name: on("x"), outcomes: [] });
    },
  },
  {
    id: "EV-23b",
    title: "Names as git allows them; one that is too long, or does not arrive as it was sent, is refused",
    proves: ["EV-23"],
    async run(scenario) {
      const { engine, appId, on, newClient } = scenario;
      const keys = await branchKeys(engine);
      const send = (env: string) => newClient({ ...keys, env }).send({ name: on("x") });
      const names = [`fix/a+1 ${appId}`, `fix/A+1 ${appId}`, `${"n".repeat(240)} ${appId}`];
      for (const env of names) expect(await send(env)).toHaveLength(1);
      const listed = async () => (await environments(engine)).filter(({ name }) => name.endsWith(appId));
      expect((await listed()).map(({ name }) => name)).toEqual(names);
      const refused = ["x".repeat(256), `für ${appId}`, `fär ${appId}`].map((env) =>
        send(env).then(() => "sent", String),
      );
      expect(await Promise.all(refused)).toEqual([
        expect.stringContaining("1 to 255 characters"),
        expect.stringContaining("use only ASCII"),
        expect.stringContaining("use only ASCII"),
      ]);
      expect((await listed()).map(({ name }) => name)).toEqual(names);
    },
  },
  {
    id: "SC-20",
    title: "An archived branch refuses events; a sync, or unarchiving it, brings it back with its history",
    proves: ["EV-20", "EV-23", "EV-24"],
    async run(scenario) {
      const { engine, appId } = scenario;
      const name = `pr-7 ${appId}`;
      const inside = scenario.within(await branch(engine, name));
      const { app, fn, on, client, finished, until } = inside;
      const [first = ""] = await client.send({ name: on("x") });
      const known = (await environments(engine)).find((each) => each.name === name);
      const change = (what: "archive" | "unarchive") => engine.api("POST", `/v1/environments/${known?.id}/${what}`);
      const works = () => client.send({ name: on("x") }).then(([id = ""]) => id);
      expect((await change("archive")).status).toBe(200);
      await expect(client.send({ name: on("x") })).rejects.toThrow("Event key not found");
      expect((await change("unarchive")).status).toBe(200);
      await until(works, EFFECTIVE);
      expect((await change("archive")).status).toBe(200);
      await expect(client.send({ name: on("x") })).rejects.toThrow("Event key not found");
      await app([fn("b", on("x"), () => "again")]);
      expect(await finished(await until(works, EFFECTIVE))).toMatchObject({ status: "Completed", output: "again" });
      expect(await inside.engine.event(first)).toMatchObject({ internal_id: first, name: on("x"), outcomes: [] });
    },
  },
];
