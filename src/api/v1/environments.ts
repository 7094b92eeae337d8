/**
 * `/v1/environments` (API-20, EV-24, EV-26): all environments, making and renaming custom ones, archiving and bringing back. For admin keys of
 * the account. An environment is named by its id or its name. A change that would change nothing is refused with 409.
 */
import { type Context, Hono } from "hono";
import * as z from "zod";
import { alterEnvironment, createCustom, currentEnvironment, setArchived } from "../../environments/changing.ts";
import type { Environment } from "../../environments/environment.ts";
import { allEnvironments } from "../../environments/known.ts";
import { MillraceError } from "../../errors.ts";
import { COMMAND } from "../../limits.ts";
import type { Api } from "../api.ts";
import { accountOnly, authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { parseBody } from "./body.ts";
import { environmentJson, environmentReply, newEnvironmentReply } from "./environment.ts";
import { list, one, reply, replyList } from "./reply.ts";
import { shownKeyJson } from "./shown-key.ts";

/** The routes, below `/v1`. */
export const environments = new Hono<Api>();

environments.use("/v1/environments/*", authenticate, accountOnly, database);

environments.get(
  "/v1/environments",
  described({
    id: "listEnvironments",
    summary: "All environments: those that always exist, then the others in the order of their creation.",
    answers: { 200: list(environmentReply) },
  }),
  async (context) => {
    const all = await allEnvironments(context.env, context.get("settings"));
    return replyList(context, all.map(environmentJson), null);
  },
);

const name = z.string("must be text");
const newBody = z.object({ name });
const changeBody = z.object({
  name: name.nullable().default(null).describe("Of a custom environment."),
  auto_archive: z
    .boolean("must be true or false")
    .nullable()
    .default(null)
    .describe("Whether a branch that is not synced any more is archived by itself."),
});

environments.post(
  "/v1/environments",
  described({
    id: "createEnvironment",
    summary: "Makes a custom environment, and shows its first keys.",
    body: newBody,
    answers: { 200: one(newEnvironmentReply) },
  }),
  async (context) => {
    const { name: wanted } = await parseBody(context, newBody, COMMAND.bodyBytes);
    const made = await createCustom(context.env, context.get("settings"), wanted, Date.now());
    const { environment, signingKey, eventKey } = made;
    const keys = { signing_key: shownKeyJson(signingKey), event_key: shownKeyJson(eventKey) };
    return reply(context, { ...environmentJson(environment), ...keys });
  },
);

environments.get(
  "/v1/environments/:id",
  described({ id: "getEnvironment", summary: "One environment.", answers: { 200: one(environmentReply) } }),
  async (context) => reply(context, environmentJson(await find(context))),
);

environments.patch(
  "/v1/environments/:id",
  described({
    id: "changeEnvironment",
    summary: "Renames a custom environment, or says whether a branch is archived by itself.",
    body: changeBody,
    answers: { 200: one(environmentReply) },
  }),
  async (context) => {
    const { name: wanted, auto_archive: autoArchive } = await parseBody(context, changeBody, COMMAND.bodyBytes);
    const environment = await find(context);
    await alterEnvironment(context.env, context.get("settings"), environment, { name: wanted, autoArchive });
    return await shown(context, environment);
  },
);

environments.post(
  "/v1/environments/:id/archive",
  described({
    id: "archiveEnvironment",
    summary: "Archives an environment: nothing starts in it any more, and nothing is deleted.",
    answers: { 200: one(environmentReply) },
  }),
  async (context) => {
    const environment = await find(context);
    const changed = await setArchived(context.env, environment, true, Date.now());
    if (!changed) throw new MillraceError("conflict", `The environment "${environment.name}" is archived already.`);
    return await shown(context, environment);
  },
);

environments.post(
  "/v1/environments/:id/unarchive",
  described({
    id: "unarchiveEnvironment",
    summary: "Brings an archived environment back.",
    answers: { 200: one(environmentReply) },
  }),
  async (context) => {
    const environment = await find(context);
    const changed = await setArchived(context.env, environment, false, Date.now());
    if (!changed) throw new MillraceError("conflict", `The environment "${environment.name}" is not archived.`);
    return await shown(context, environment);
  },
);

/** The environment a request names. Throws `environment_not_found` and `environment_ambiguous`. */
async function find(context: Context<Api, `/v1/environments/:id${string}`>): Promise<Environment> {
  return await currentEnvironment(context.env, context.get("settings"), context.req.param("id"), Date.now());
}

/** The environment as it is now. */
async function shown(context: Context<Api>, { id }: Environment): Promise<Response> {
  const now = await currentEnvironment(context.env, context.get("settings"), id, Date.now());
  return reply(context, environmentJson(now));
}
