/**
 * `/v1/functions` (API-18): the functions of an environment, pausing and resuming them (CR-14), archiving and bringing them back (AP-25).
 * A change that would change nothing is refused with 409.
 */
import { type Context, Hono } from "hono";
import * as z from "zod";
import { archive, unarchive } from "../../apps/archive.ts";
import { currentCatalog } from "../../apps/catalog.ts";
import type { Catalog } from "../../apps/catalog-index.ts";
import type { RegisteredFunction } from "../../apps/function.ts";
import { pauseFunction, resumeFunction } from "../../apps/pauses.ts";
import { findApp } from "../../apps/store.ts";
import { MillraceError } from "../../errors.ts";
import { COMMAND } from "../../limits.ts";
import type { Api } from "../api.ts";
import { authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { parseBody } from "./body.ts";
import { functionJson, functionReply } from "./function.ts";
import { list, one, reply, replyList } from "./reply.ts";

/** The routes, below `/v1`. */
export const functions = new Hono<Api>();

functions.get(
  "/v1/functions",
  described({ id: "listFunctions", summary: "All functions.", answers: { 200: list(functionReply) } }),
  authenticate,
  database,
  async (context) => {
    const catalog = await currentCatalog(context.env, context.get("environment").id, Date.now());
    return replyList(context, catalog.functions.map(functionJson), null);
  },
);

functions.get(
  "/v1/functions/:slug",
  described({ id: "getFunction", summary: "One function, by its slug or id.", answers: { 200: one(functionReply) } }),
  authenticate,
  database,
  async (context) => {
    return reply(context, functionJson((await find(context)).registered));
  },
);

const pauseBody = z.object({ running: z.enum(["hold", "cancel"], 'must be "hold" or "cancel"').default("hold") });

functions.post(
  "/v1/functions/:slug/pause",
  described({
    id: "pauseFunction",
    summary: "Pauses a function.",
    body: pauseBody,
    answers: { 200: one(functionReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const { running } = await parseBody(context, pauseBody, COMMAND.bodyBytes);
    const { id, slug, app } = (await find(context)).registered;
    const environmentId = context.get("environment").id;
    const known = await findApp(context.env.DB, environmentId, app.id);
    if (known?.app.method === "API") {
      const message = `"${slug}" runs in its app's own HTTP handler, which starts it and cannot be held back.`;
      throw new MillraceError("conflict", message);
    }
    const paused = await pauseFunction(context.env, environmentId, id, { running, now: Date.now() });
    return await changed(context, id, paused ? null : "is paused already");
  },
);

functions.post(
  "/v1/functions/:slug/resume",
  described({ id: "resumeFunction", summary: "Resumes a paused function.", answers: { 200: one(functionReply) } }),
  authenticate,
  database,
  async (context) => {
    const { id } = (await find(context)).registered;
    const resumed = await resumeFunction(context.env, context.get("environment").id, id, Date.now());
    return await changed(context, id, resumed ? null : "is not paused");
  },
);

functions.post(
  "/v1/functions/:slug/archive",
  described({ id: "archiveFunction", summary: "Archives a function.", answers: { 200: one(functionReply) } }),
  authenticate,
  database,
  async (context) => {
    const { id } = (await find(context)).registered;
    const archived = await archive(context.env, context.get("environment").id, "function", id, Date.now());
    return await changed(context, id, archived ? null : "is archived already");
  },
);

functions.post(
  "/v1/functions/:slug/unarchive",
  described({
    id: "unarchiveFunction",
    summary: "Brings an archived function back.",
    answers: { 200: one(functionReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const { registered, catalog } = await find(context);
    const { id, app } = registered;
    if (catalog.app(app.id)?.archived === true) {
      throw new MillraceError(
        "conflict",
        `The app "${app.name}" is archived with all its functions: unarchive the app.`,
      );
    }
    const restored = await unarchive(context.env, context.get("environment").id, "function", id);
    return await changed(context, id, restored ? null : "is not archived");
  },
);

/** The function a request names, and the catalog as it is stored at this moment. Throws `function_not_found`. */
async function find(
  context: Context<Api, "/v1/functions/:slug">,
): Promise<{ registered: RegisteredFunction; catalog: Catalog }> {
  const slug = context.req.param("slug");
  const catalog = await currentCatalog(context.env, context.get("environment").id, Date.now());
  const registered = catalog.functionNamed(slug);
  if (registered === null) throw new MillraceError("function_not_found", `No function has the slug or id "${slug}".`);
  return { registered, catalog };
}

/** The function as it is after a change; 409 `conflict` with the reason when there was nothing to change. */
async function changed(context: Context<Api>, id: string, refusal: string | null): Promise<Response> {
  const catalog = await currentCatalog(context.env, context.get("environment").id, Date.now());
  const registered = catalog.functionById(id);
  if (registered === null) throw new MillraceError("function_not_found", "The function was removed meanwhile.");
  if (refusal !== null) throw new MillraceError("conflict", `The function "${registered.slug}" ${refusal}.`);
  return reply(context, functionJson(registered));
}
