/**
 * `/v1/keys/events` (API-20, EV-18, EV-19): the event keys of an environment; those of branches are the same for all of them. For admin keys.
 * Keys in the secret INNGEST_EVENT_KEY are listed, and changed where the deployment's secrets are. A value is shown when its key is made and
 * when somebody asks for it.
 */
import { type Context, Hono } from "hono";
import * as z from "zod";
import { PRODUCTION } from "../../environments/environment.ts";
import { MillraceError } from "../../errors.ts";
import { makeEventKey, revealEventKey } from "../../keys/event-key-values.ts";
import { changeStatement, deleteStatement, type EventKey, findEventKey, listEventKeys } from "../../keys/event-keys.ts";
import { keyFilters, NO_FILTERS } from "../../keys/filter.ts";
import { forgetKeys } from "../../keys/known.ts";
import { COMMAND } from "../../limits.ts";
import type { Api } from "../api.ts";
import { adminOnly, authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { parseBody } from "./body.ts";
import { eventKeyJson, eventKeyReply, newEventKeyReply, secretKeyJson } from "./event-key.ts";
import { holderOf } from "./key-holder.ts";
import { keyName } from "./key-name.ts";
import { list, one, reply, replyList } from "./reply.ts";
import { shownKey } from "./shown-key.ts";

/** The routes, below `/v1`. */
export const eventKeys = new Hono<Api>();

eventKeys.use("/v1/keys/events/*", authenticate, adminOnly, database);

const filters = keyFilters.nullable().default(null);
const newBody = z.object({ name: keyName, filters });
const changeBody = z.object({
  name: keyName.nullable().default(null),
  filters: filters.describe("All of them: what is not given is taken away."),
  disabled: z.boolean("must be true or false").nullable().default(null),
});

eventKeys.get(
  "/v1/keys/events",
  described({ id: "listEventKeys", summary: "The event keys.", answers: { 200: list(eventKeyReply) } }),
  async (context) => {
    const { id: holder } = await holderOf(context);
    const stored = await listEventKeys(context.env.DB, holder);
    const secrets = holder === PRODUCTION.id ? context.get("settings").eventKeys : [];
    const keys = [...(await Promise.all(secrets.map(secretKeyJson))), ...stored.map(eventKeyJson)];
    return replyList(context, keys, null);
  },
);

eventKeys.post(
  "/v1/keys/events",
  described({
    id: "createEventKey",
    summary: "Makes an event key, and shows it.",
    body: newBody,
    answers: { 200: one(newEventKeyReply) },
  }),
  async (context) => {
    const body = await parseBody(context, newBody, COMMAND.bodyBytes);
    const wanted = { holderId: (await holderOf(context)).id, name: body.name, filters: body.filters ?? NO_FILTERS };
    const made = await makeEventKey(context.env.DB, context.get("settings"), wanted, Date.now());
    await made.statement.run();
    forgetKeys(context.env.DB);
    return reply(context, { ...eventKeyJson(made.key), key: made.value });
  },
);

eventKeys.patch(
  "/v1/keys/events/:id",
  described({
    id: "changeEventKey",
    summary: "Renames an event key, changes what it lets through, or disables it.",
    body: changeBody,
    answers: { 200: one(eventKeyReply) },
  }),
  async (context) => {
    const change = await parseBody(context, changeBody, COMMAND.bodyBytes);
    const key = await find(context);
    await changeStatement(context.env.DB, key, change, Date.now()).run();
    forgetKeys(context.env.DB);
    return reply(context, eventKeyJson(await find(context)));
  },
);

eventKeys.delete(
  "/v1/keys/events/:id",
  described({
    id: "deleteEventKey",
    summary: "Deletes an event key: what is sent with it is refused from then on.",
    answers: { 200: z.object({ ok: z.literal(true) }) },
  }),
  async (context) => {
    await deleteStatement(context.env.DB, await find(context)).run();
    forgetKeys(context.env.DB);
    return context.json({ ok: true });
  },
);

eventKeys.post(
  "/v1/keys/events/:id/reveal",
  described({
    id: "revealEventKey",
    summary: "Shows an event key.",
    answers: { 200: one(shownKey) },
  }),
  async (context) => {
    const { id, environmentId } = await find(context);
    const key = await revealEventKey(context.env.DB, context.get("settings"), environmentId, id);
    if (key === null) throw unknown(id);
    return reply(context, { id, key });
  },
);

/** The stored key a request names. Throws `key_not_found`, and `conflict` for one that is a secret. */
async function find(context: Context<Api, `/v1/keys/events/:id${string}`>): Promise<EventKey> {
  const id = context.req.param("id");
  const { id: holder } = await holderOf(context);
  if (holder === PRODUCTION.id && /^secret-\d+$/.test(id)) {
    const how = "change it with: wrangler secret put INNGEST_EVENT_KEY";
    throw new MillraceError("conflict", `This key is a secret of the deployment: ${how}`);
  }
  const found = await findEventKey(context.env.DB, holder, id);
  if (found === null) throw unknown(id);
  return found.key;
}

function unknown(id: string): MillraceError {
  return new MillraceError("key_not_found", `No event key has the id "${id}".`);
}
