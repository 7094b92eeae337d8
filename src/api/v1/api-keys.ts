/**
 * `/v1/keys/api` (API-2, API-26): keys for people and tools, of one environment or of the account. For admin keys; those of the account for
 * admin keys of the account. A value is shown once: only its hash is stored.
 */
import { type Context, Hono } from "hono";
import * as z from "zod";
import { MillraceError } from "../../errors.ts";
import { newUlid } from "../../ids.ts";
import { type ApiKey, createApiKey, deleteApiKey, listApiKeys, SCOPES } from "../../keys/api-keys.ts";
import { pageOrigin } from "../../keys/filter.ts";
import { forgetKeys } from "../../keys/known.ts";
import { forgetPageOrigins } from "../../keys/page-origins.ts";
import { keyHash, newKey } from "../../keys/value.ts";
import { COMMAND, KEY } from "../../limits.ts";
import type { Api } from "../api.ts";
import { adminOnly, authenticate, checkNeeds } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { parseBody } from "./body.ts";
import { keyName } from "./key-name.ts";
import { moment } from "./query.ts";
import { list, one, reply, replyList, time } from "./reply.ts";
import { isoTime, isoTimeOrNull } from "./time.ts";

/** The routes, below `/v1`. */
export const apiKeys = new Hono<Api>();

apiKeys.use("/v1/keys/api/*", authenticate, adminOnly, database);

const scope = z.enum(SCOPES, `must be one of ${SCOPES.join(", ")}`);

const keyFields = {
  id: z.string(),
  name: z.string(),
  scope,
  /** Null: of the account, requests name their environment. */
  environment_id: z.string().nullable(),
  origins: z.array(z.string()),
  created_at: time,
  expires_at: time.nullable(),
  used_at: time.nullable(),
};

const apiKeyReply = z.object(keyFields).meta({ id: "ApiKey" });

const newBody = z.object({
  name: keyName,
  scope,
  environment: z
    .literal("account", 'must be "account", or absent for the environment of the request')
    .nullable()
    .default(null),
  origins: z.array(pageOrigin).max(KEY.filterEntries).default([]).describe("Pages of other origins that may use it."),
  expires_at: moment,
});

apiKeys.get(
  "/v1/keys/api",
  described({
    id: "listApiKeys",
    summary: "The API keys of the environment, and for callers with a key of the account the account's.",
    answers: { 200: list(apiKeyReply) },
  }),
  async (context) => {
    const holders = context.get("caller").account ? [null, environmentOf(context)] : [environmentOf(context)];
    const keys = await Promise.all(holders.map((holder) => listApiKeys(context.env.DB, holder)));
    return replyList(context, keys.flat().map(apiKeyJson), null);
  },
);

apiKeys.post(
  "/v1/keys/api",
  described({
    id: "createApiKey",
    summary: "Makes an API key, and shows it this once.",
    body: newBody,
    answers: { 200: one(z.object({ ...keyFields, key: z.string() })) },
  }),
  async (context) => {
    const body = await parseBody(context, newBody, COMMAND.bodyBytes);
    if (body.environment === "account") checkNeeds(context.get("caller"), "account");
    const now = Date.now();
    if (body.expires_at !== null && body.expires_at <= now) {
      throw new MillraceError("invalid_request", "The body is not valid: expires_at must be in the future");
    }
    const value = newKey("api");
    const key: ApiKey = {
      id: newUlid(now),
      environmentId: body.environment === "account" ? null : environmentOf(context),
      name: body.name,
      scope: body.scope,
      origins: body.origins,
      createdAt: now,
      expiresAt: body.expires_at,
      usedAt: null,
    };
    await createApiKey(context.env.DB, key, await keyHash(value));
    forgetKeys(context.env.DB);
    forgetPageOrigins(context.env.DB);
    return reply(context, { ...apiKeyJson(key), key: value });
  },
);

apiKeys.delete(
  "/v1/keys/api/:id",
  described({
    id: "deleteApiKey",
    summary: "Deletes an API key: it opens nothing any more.",
    answers: { 200: z.object({ ok: z.literal(true) }) },
  }),
  async (context) => {
    const id = context.req.param("id");
    const { DB } = context.env;
    const deleted =
      (await deleteApiKey(DB, environmentOf(context), id)) ||
      (context.get("caller").account && (await deleteApiKey(DB, null, id)));
    if (!deleted) throw new MillraceError("key_not_found", `No API key has the id "${id}".`);
    forgetKeys(DB);
    forgetPageOrigins(DB);
    return context.json({ ok: true });
  },
);

function environmentOf(context: Context<Api>): string {
  return context.get("environment").id;
}

function apiKeyJson(key: ApiKey): z.output<typeof apiKeyReply> {
  const { id, name, environmentId, origins, createdAt, expiresAt, usedAt } = key;
  return {
    id,
    name,
    scope: key.scope,
    environment_id: environmentId,
    origins: [...origins],
    created_at: isoTime(createdAt),
    expires_at: isoTimeOrNull(expiresAt),
    used_at: isoTimeOrNull(usedAt),
  };
}
