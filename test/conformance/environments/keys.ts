/**
 * Stored keys as users meet them: what `inngest.send()` says when one is wrong, what becomes of one that goes, what each may do (EV-18 … EV-20).
 */
import { expect } from "vitest";
import * as z from "zod";
import type { Case } from "../harness/cases.ts";
import { apiKey, branch, branchKeys, custom, eventKey } from "./world.ts";

/** ms in which a change of a key takes effect (EV-18). */
const EFFECTIVE = 10_000;
const keysSchema = z.object({
  data: z.array(z.looseObject({ id: z.string(), name: z.string(), used_at: z.string().nullable() })),
});
const NOT_FOUND = "Event key not found";

/** The scenarios. */
export const keys: readonly Case[] = [
  {
    id: "EV-18",
    title: "A key that is deleted or disabled stops within ten seconds, another goes on",
    proves: ["EV-18", "EV-20"],
    async run({ engine, appId, on, newClient, until }) {
      const made = await custom(engine, `keys ${appId}`);
      const [deleted, disabled, kept] = [
        await eventKey(made.engine, { name: "deleted" }),
        await eventKey(made.engine, { name: "disabled" }),
        await eventKey(made.engine, { name: "kept" }),
      ];
      const send = (key: string) => newClient({ eventKey: key }).send({ name: on("x") });
      for (const { value } of [deleted, disabled, kept]) expect(await send(value)).toHaveLength(1);
      const changed = Date.now();
      expect((await made.engine.api("DELETE", `/v1/keys/events/${deleted.id}`)).status).toBe(200);
      expect((await made.engine.api("PATCH", `/v1/keys/events/${disabled.id}`, { disabled: true })).status).toBe(200);
      const refused = [deleted, disabled].map(async ({ value }) => {
        const refusal = await until(() => send(value).then(() => null, String), EFFECTIVE);
        expect(refusal).toContain(NOT_FOUND);
        expect((await engine.api("POST", `/e/${value}`, { name: on("x") })).status).toBe(401);
      });
      await Promise.all(refused);
      expect(Date.now() - changed).toBeLessThan(EFFECTIVE + 5000);
      expect(await send(kept.value)).toHaveLength(1);
      const listed = async () => keysSchema.parse((await made.engine.api("GET", "/v1/keys/events")).json).data;
      await until(async () => (await listed()).find(({ id }) => id === kept.id)?.used_at !== null);
      expect((await listed()).map(({ name }) => name)).toEqual(["Default", "disabled", "kept"]);
      expect((await made.engine.api("PATCH", `/v1/keys/events/${disabled.id}`, { disabled: false })).status).toBe(200);
      await until(() => send(disabled.value), EFFECTIVE);
    },
  },
  {
    id: "EV-20",
    title: "What send() says of a key that is unknown, of another purpose, or of an archived environment",
    proves: ["EV-20", "SE-2", "SE-14"],
    async run({ engine, appId, on, newClient }) {
      const made = await custom(engine, `errors ${appId}`);
      const archived = await custom(engine, `archived ${appId}`);
      expect((await engine.api("POST", `/v1/environments/${archived.id}/archive`)).status).toBe(200);
      const { value: tool } = await apiKey(made.engine, { name: "tool", scope: "admin" });
      const wrong = [`ek_${"x".repeat(43)}`, "nope", tool, made.keys.signingKey, archived.keys.eventKey];
      // Each takes its time: the SDK tries again.
      const tried = wrong.map(async (eventKey) => {
        const error = await newClient({ eventKey })
          .send({ name: on("x") })
          .then(() => null, String);
        expect(error).toContain(NOT_FOUND);
        expect(error).not.toContain(eventKey);
      });
      await Promise.all(tried);
      expect((await engine.api("POST", "/e/", { name: on("x") })).json).toMatchObject({
        status: 401,
        error: "Event key is required",
      });
      expect(await newClient({ eventKey: made.keys.eventKey }).send({ name: on("x") })).toHaveLength(1);
    },
  },
  {
    id: "SC-17",
    title: "A key with a list of names",
    proves: ["EV-19"],
    async run({ engine, appId, newClient }) {
      const made = await custom(engine, `filters ${appId}`);
      const filters = { names: { allow: [`${appId}/shop/*`] } };
      const { value } = await eventKey(made.engine, { name: "shop", filters });
      const client = newClient({ eventKey: value });
      expect(await client.send({ name: `${appId}/shop/x` })).toHaveLength(1);
      const mixed = [{ name: `${appId}/shop/y` }, { name: `${appId}/crm/x` }];
      const error = await client.send(mixed).then(() => null, String);
      expect(error).toContain(`This key does not accept events named "${appId}/crm/x"`);
      const names = await made.engine.until(async () => {
        const { text } = await made.engine.api("GET", "/v1/events?limit=100");
        return text.includes(`${appId}/shop/x`) ? text : null;
      });
      expect(names).not.toMatch(/crm\/x|shop\/y/);
    },
  },
  {
    id: "API-2",
    title: "Keys for tools: scopes, one environment or all of them by name, and an end",
    proves: ["API-2", "SE-8"],
    sdks: ["v4"],
    async run({ engine, appId, on, until }) {
      const made = await custom(engine, `tools ${appId}`);
      const [eventId = ""] = await made.engine.send({ name: on("x") });
      const status = async (token: string, method: string, path: string, headers: object = {}, body?: unknown) =>
        (await engine.api(method, path, body, { authorization: `Bearer ${token}`, ...headers })).status;
      const event = `/v1/events/${eventId}`;
      const signal = { signal: on("s"), data: 1 };
      const there = { "x-inngest-env": made.name };

      const { value: reader, id } = await apiKey(made.engine, { name: "reader", scope: "read" });
      await until(async () => (await status(reader, "GET", event)) === 200);
      expect(await status(reader, "POST", "/v1/signals", {}, signal)).toBe(403);
      const { value: writer } = await apiKey(made.engine, { name: "writer", scope: "write" });
      expect(await status(writer, "POST", "/v1/signals", {}, signal)).toBe(404);
      expect(await status(writer, "POST", "/v1/keys/events", {}, { name: "no" })).toBe(403);
      // A key of one environment stays there, whatever a request names.
      expect(await status(reader, "GET", event, { "x-inngest-env": "production" })).toBe(200);

      const { value: anywhere } = await apiKey(engine, { name: `all ${appId}`, scope: "read", environment: "account" });
      expect(await status(anywhere, "GET", event)).toBe(404);
      expect(await status(anywhere, "GET", event, there)).toBe(200);
      expect(await status(anywhere, "GET", event, { "x-inngest-env": made.id })).toBe(200);
      expect(await status(anywhere, "GET", event, { "x-inngest-env": "nowhere" })).toBe(404);

      expect((await made.engine.api("DELETE", `/v1/keys/api/${id}`)).status).toBe(200);
      await until(async () => (await status(reader, "GET", event)) === 401, EFFECTIVE);
    },
  },
  {
    id: "EV-22",
    title: "All branches share their keys: one that is deleted is gone for each of them",
    proves: ["EV-18", "EV-22"],
    sdks: ["v4"],
    async run({ engine, appId, on, newClient, until }) {
      const shared = await branchKeys(engine);
      const [one, two] = [`one ${appId}`, `two ${appId}`];
      const { value, id } = await eventKey(await branch(engine, one), { name: "shared" });
      const send = (env: string) => newClient({ ...shared, eventKey: value, env }).send({ name: on("x") });
      for (const env of [one, two]) expect(await send(env)).toHaveLength(1);
      expect((await (await branch(engine, two)).api("DELETE", `/v1/keys/events/${id}`)).status).toBe(200);
      for (const env of [one, two]) {
        expect(await until(() => send(env).then(() => null, String), EFFECTIVE)).toContain(NOT_FOUND);
      }
    },
  },
];
