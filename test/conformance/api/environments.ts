/**
 * Stored environments and keys on a real engine in cloud mode (API-20): every call of them held against the document, and apps of real SDKs
 * that have nothing but the keys which these calls answered.
 */
import { expect } from "vitest";
import * as z from "zod";
import type { Case } from "../harness/cases.ts";
import type { TestEngine } from "../harness/engine.ts";
import type { Scenario } from "../harness/scenario.ts";
import type { Client } from "../harness/sdk.ts";
import { contractClient } from "./contract.ts";

const UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

const withId = z.object({ data: z.looseObject({ id: z.string() }) });
const shown = z.object({ data: z.looseObject({ id: z.string(), key: z.string() }) });
const made = z.object({
  data: z.looseObject({
    id: z.string(),
    signing_key: z.object({ id: z.string(), key: z.string() }),
    event_key: z.object({ id: z.string(), key: z.string() }),
  }),
});
const rotated = z.object({ data: z.looseObject({ created: z.object({ id: z.string(), key: z.string() }) }) });
const apps = z.object({ data: z.array(z.looseObject({ name: z.string() })) });

const bearer = (key: string, env?: string) => ({
  authorization: `Bearer ${key}`,
  ...(env === undefined ? {} : { "x-inngest-env": env }),
});

/** Names of the apps that a key sees. */
async function appsSeen(engine: TestEngine, key: string, env?: string): Promise<string[]> {
  const { json } = await engine.api("GET", "/v1/apps", undefined, bearer(key, env));
  return apps.parse(json).data.map(({ name }) => name);
}

/** Waits for the one run of an event in another environment than the deployment's own. */
async function runOf({ engine, until }: Scenario, eventId: string, key: string, env?: string) {
  const runs = z.object({ data: z.array(z.looseObject({ status: z.string(), ended_at: z.string().nullable() })) });
  return await until(async () => {
    const { json } = await engine.api("GET", `/v1/events/${eventId}/runs`, undefined, bearer(key, env));
    return runs.safeParse(json).data?.data.find(({ ended_at }) => ended_at !== null);
  });
}

const branchKeys = new Map<string, Promise<{ readonly signing: string; readonly event: string }>>();

/** The keys that branches share, made once for each engine. */
function keysOfBranches(engine: TestEngine) {
  const make = async () => {
    const body = { name: "tests", scope: "admin", environment: "account" };
    const account = shown.parse((await engine.api("POST", "/v1/keys/api", body)).json).data.key;
    const headers = bearer(account, "branches");
    const signing = await engine.api("POST", "/v1/keys/signing/rotate", { phase: "create" }, headers);
    const event = await engine.api("POST", "/v1/keys/events", { name: "branches" }, headers);
    return { signing: rotated.parse(signing.json).data.created.key, event: shown.parse(event.json).data.key };
  };
  const known = branchKeys.get(engine.url) ?? make();
  branchKeys.set(engine.url, known);
  return known;
}

const named = async (engine: TestEngine, name: string) =>
  made.parse((await engine.api("POST", "/v1/environments", { name })).json).data;

/** A function that takes a while, and calls on the way. */
const steps = ({ fn, on }: Scenario, client: Client) =>
  fn(
    { id: "steps", retries: 0 },
    on("x"),
    async ({ event, step }) => {
      await step.sleep("a-moment", "1s");
      return await step.run("a", () => event.data);
    },
    client,
  );

/** The cases. */
export const environments: readonly Case[] = [
  {
    id: "API-20",
    title: "Every call of environments and keys answers as its document says",
    proves: ["API-20", "API-24", "EV-18", "SE-7"],
    sdks: ["v4"],
    async run({ engine, appId }) {
      const { call } = await contractClient(engine, "/v1/openapi.json");
      const { data } = made.parse(await call("createEnvironment", { body: { name: appId } }));
      const parameters = { id: data.id };
      await call("createEnvironment", { body: { name: appId } }, 409);
      await call("listEnvironments");
      await call("getEnvironment", { parameters });
      await call("getEnvironment", { parameters: { id: "nobody" } }, 404);
      await call("changeEnvironment", { parameters, body: { name: `${appId} renamed` } });
      await call("changeEnvironment", { parameters, body: { auto_archive: false } }, 409);
      await call("archiveEnvironment", { parameters });
      await call("archiveEnvironment", { parameters }, 409);
      await call("unarchiveEnvironment", { parameters });

      const headers = bearer(data.signing_key.key);
      await call("listEnvironments", { headers }, 403);
      await call("listSigningKeys");
      await call("listSigningKeys", { headers });
      const { id: first } = data.signing_key;
      const revealed = shown.parse(await call("revealSigningKey", { parameters: { id: first }, headers }));
      expect(revealed.data).toEqual(data.signing_key);
      for (const phase of ["create", "activate", "finish"])
        await call("rotateSigningKey", { body: { phase }, headers });
      await call("rotateSigningKey", { body: { phase: "create" }, headers }, 401);
      await call("rotateSigningKey", { body: { phase: "create" } }, 409);

      const filters = { names: { allow: ["shop/*"] } };
      const key = shown.parse(await call("createEventKey", { body: { name: "one", filters } })).data;
      await call("listEventKeys");
      await call("changeEventKey", { parameters: { id: key.id }, body: { disabled: true } });
      expect(shown.parse(await call("revealEventKey", { parameters: { id: key.id } })).data).toEqual({
        id: key.id,
        key: key.key,
      });
      await call("changeEventKey", { parameters: { id: "secret-1" }, body: { name: "x" } }, 409);
      await call("deleteEventKey", { parameters: { id: key.id } });
      await call("deleteEventKey", { parameters: { id: UNKNOWN } }, 404);

      const body = {
        name: "tool",
        scope: "read",
        origins: ["https://tool.example"],
        expires_at: "2100-01-01T00:00:00Z",
      };
      const tool = shown.parse(await call("createApiKey", { body })).data;
      await call("listApiKeys");
      await call("listRuns", { headers: bearer(tool.key) });
      await call("listEventKeys", { headers: bearer(tool.key) }, 403);
      await call("deleteApiKey", { parameters: { id: tool.id } });
      await call("deleteApiKey", { parameters: { id: tool.id } }, 404);

      const v2 = await contractClient(engine, "/v2/openapi.json");
      const other = withId.parse(await v2.call("createEnv", { body: { name: `${appId} by v2` } })).data;
      await v2.call("createEnv", { body: { name: `${appId} by v2` } }, 409);
      await v2.call("updateEnv", { parameters: { id: other.id }, body: { isArchived: true } });
      await v2.call("updateEnv", { parameters: { id: "nobody" }, body: { isArchived: true } }, 404);
      for (const id of ["listEnvs", "listEventKeys", "listSigningKeys"]) await v2.call(id);
    },
  },
  {
    id: "EV-26",
    title: "An app with the keys of a new environment is there, and continuous runs survive the change of its key",
    proves: ["EV-26", "EV-21", "SE-3", "SE-7"],
    async run(scenario) {
      const { engine, app, newClient, on, appId, pause } = scenario;
      const environment = await named(engine, appId);
      const [old, eventKey] = [environment.signing_key.key, environment.event_key.key];
      const first = newClient({ signingKey: old, eventKey });
      const served = await app([steps(scenario, first)], { client: first });
      expect(served.sync).toMatchObject({ status: 200, modified: true });
      expect(await appsSeen(engine, old)).toEqual([appId]);
      const production = await engine.api("GET", "/v1/apps");
      expect(apps.parse(production.json).data.map(({ name }) => name)).not.toContain(appId);

      const rotate = async (phase: string, key: string) => {
        const answer = await engine.api("POST", "/v1/keys/signing/rotate", { phase }, bearer(key));
        expect(answer.status, answer.text).toBe(200);
        return answer.json;
      };
      const runs = Array.from({ length: 12 }, async (_, n) => {
        await pause(n * 300);
        const [id = ""] = await first.send({ name: on("x"), data: { n } });
        return id;
      });
      await pause(500);
      const fresh = rotated.parse(await rotate("create", old)).data.created.key;
      await pause(500);
      const both = newClient({ signingKey: fresh, signingKeyFallback: old, eventKey });
      await served.resync([steps(scenario, both)], both);
      await pause(500);
      await rotate("activate", old);
      const ids = await Promise.all(runs);
      for (const [n, id] of ids.entries()) {
        expect(await runOf(scenario, id, fresh)).toMatchObject({ status: "Completed", output: { n } });
      }
      await rotate("finish", fresh);
      const [last = ""] = await both.send({ name: on("x"), data: { n: "last" } });
      expect(await runOf(scenario, last, fresh)).toMatchObject({ status: "Completed" });
      expect((await engine.api("GET", "/v1/apps", undefined, bearer(old))).status).toBe(401);
      // The deployment's own key is that of production, and knows none of these.
      expect((await engine.api("GET", `/v1/events/${last}`)).status).toBe(404);
    },
  },
  {
    id: "EV-22",
    title: "An app that names its branch is in that branch only",
    proves: ["EV-22", "EV-23", "EV-24"],
    async run(scenario) {
      const { engine, app, newClient, on, appId } = scenario;
      const { signing, event } = await keysOfBranches(engine);
      const env = `feature/${appId}`;
      const client = newClient({ signingKey: signing, eventKey: event, env });
      const served = await app([steps(scenario, client)], { client });
      expect(served.sync).toMatchObject({ status: 200, modified: true });
      const [id = ""] = await client.send({ name: on("x"), data: { env } });
      expect(await runOf(scenario, id, signing, env)).toMatchObject({ status: "Completed", output: { env } });
      expect(await appsSeen(engine, signing, env)).toEqual([appId]);
      await newClient({ eventKey: event, env: `another/${appId}` }).send({ name: on("nothing") });
      expect(await appsSeen(engine, signing, `another/${appId}`)).toEqual([]);
      const path = `/v1/environments/${encodeURIComponent(env)}`;
      expect((await engine.api("POST", `${path}/archive`)).status).toBe(200);
      const archived = client.send({ name: on("x"), data: { env } });
      await expect(archived).rejects.toThrow("Event key not found");
      expect((await engine.api("POST", `${path}/unarchive`)).status).toBe(200);
      const [again = ""] = await client.send({ name: on("x"), data: { env } });
      expect(await runOf(scenario, again, signing, env)).toMatchObject({ status: "Completed" });
      expect(await runOf(scenario, id, signing, env), "its history is intact").toMatchObject({ status: "Completed" });
    },
  },
];
