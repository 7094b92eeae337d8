/**
 * `/v1/keys/signing` (API-20, SE-7): the signing keys of an environment, and the steps of changing them. For admin keys. Those of production
 * are secrets of the deployment; all branches share theirs.
 */
import { type Context, Hono } from "hono";
import * as z from "zod";
import { PRODUCTION } from "../../environments/environment.ts";
import type { KeyHolder } from "../../environments/holder.ts";
import { MillraceError } from "../../errors.ts";
import { forgetKeys } from "../../keys/known.ts";
import { revealSigningKey } from "../../keys/signing-keys.ts";
import { rotateSigningKey, shownSigningKeys } from "../../keys/signing-rotation.ts";
import { COMMAND } from "../../limits.ts";
import type { Api } from "../api.ts";
import { adminOnly, authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { parseBody } from "./body.ts";
import { managed } from "./event-key.ts";
import { holderOf } from "./key-holder.ts";
import { list, one, reply, replyList, time } from "./reply.ts";
import { shownKey, shownKeyJson } from "./shown-key.ts";
import { isoTimeOrNull } from "./time.ts";

/** The routes, below `/v1`. */
export const signingKeys = new Hono<Api>();

signingKeys.use("/v1/keys/signing/*", authenticate, adminOnly, database);

const keyReply = z
  .object({
    id: z.string(),
    name: z.string(),
    state: z.enum(["current", "next", "previous"]),
    /** The beginning of what SDKs send of the key; null when it cannot be opened with MILLRACE_SECRET. */
    fingerprint: z.string().nullable(),
    managed,
    created_at: time.nullable(),
  })
  .meta({ id: "SigningKey" });

const rotateBody = z.object({
  phase: z
    .enum(["create", "activate", "finish"], 'must be "create", "activate" or "finish"')
    .describe("create: a new key is accepted; activate: it signs; finish: the old one is accepted no more."),
});

signingKeys.get(
  "/v1/keys/signing",
  described({ id: "listSigningKeys", summary: "The signing keys.", answers: { 200: list(keyReply) } }),
  async (context) => replyList(context, await keysOf(context, await holderOf(context)), null),
);

signingKeys.post(
  "/v1/keys/signing/rotate",
  described({
    id: "rotateSigningKey",
    summary: "One step from a signing key to the next; the first key of all branches is made with create.",
    body: rotateBody,
    answers: { 200: one(z.object({ keys: z.array(keyReply), created: shownKey.nullable() })) },
  }),
  async (context) => {
    const { phase } = await parseBody(context, rotateBody, COMMAND.bodyBytes);
    const holder = await holderOf(context);
    const created = await rotateSigningKey(context.env.DB, context.get("settings"), holder, phase, Date.now());
    forgetKeys(context.env.DB);
    const shown = created === null ? null : shownKeyJson(created);
    return reply(context, { keys: await keysOf(context, holder), created: shown });
  },
);

signingKeys.post(
  "/v1/keys/signing/:id/reveal",
  described({ id: "revealSigningKey", summary: "Shows a signing key.", answers: { 200: one(shownKey) } }),
  async (context) => {
    const id = context.req.param("id");
    const holder = await holderOf(context);
    if (holder.id === PRODUCTION.id) {
      throw new MillraceError("conflict", "The keys of production are secrets of the deployment and never shown.");
    }
    const key = await revealSigningKey(context.env.DB, context.get("settings"), holder.id, id);
    if (key === null) throw new MillraceError("key_not_found", `No signing key has the id "${id}".`);
    return reply(context, { id, key });
  },
);

async function keysOf(context: Context<Api>, { id }: KeyHolder): Promise<z.output<typeof keyReply>[]> {
  const keys = await shownSigningKeys(context.env.DB, context.get("settings"), id);
  return keys.map(({ createdAt, ...key }) => ({ ...key, created_at: isoTimeOrNull(createdAt) }));
}
