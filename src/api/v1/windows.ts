/**
 * `/v1/functions/:slug/windows` (FC-28): the open batches and debounce windows of a function, and running one now.
 */
import { type Context, Hono } from "hono";
import * as z from "zod";
import { currentCatalog } from "../../apps/catalog.ts";
import { MillraceError } from "../../errors.ts";
import { type ListedWindow, openWindows, runWindowNow } from "../../events/windows.ts";
import { EVENT } from "../../limits.ts";
import type { Api } from "../api.ts";
import { authenticate } from "../authentication.ts";
import { database } from "../database.ts";
import { described } from "../openapi/described.ts";
import { parseBody } from "./body.ts";
import { one, reply, time } from "./reply.ts";
import { isoTime } from "./time.ts";

const windowReply = z.object({
  kind: z.enum(["batch", "debounce"]),
  key: z.string(),
  run_id: z.string(),
  events: z.int(),
  bytes: z.int(),
  opened_at: time,
  closes_at: time,
});

const windowsReply = z.object({ windows: z.array(windowReply), more: z.boolean() });

/** The routes, below `/v1`. */
export const windows = new Hono<Api>();

windows.get(
  "/v1/functions/:slug/windows",
  described({
    id: "listWindows",
    summary: "The open batches and debounce windows of a function.",
    answers: { 200: one(windowsReply) },
  }),
  authenticate,
  database,
  async (context) => {
    const { windows: open, more } = await openWindows(context.env, await ownerOf(context));
    return reply(context, { windows: open.map(windowJson), more });
  },
);

const runBody = z.object({
  kind: z.enum(["batch", "debounce"], 'must be "batch" or "debounce"'),
  key: z.string("must be a string").default(""),
});

windows.post(
  "/v1/functions/:slug/windows/run",
  described({
    id: "runWindow",
    summary: "Runs an open window now.",
    body: runBody,
    answers: { 200: one(z.object({ run_id: z.string() })) },
  }),
  authenticate,
  database,
  async (context) => {
    // A key is computed from an event and no longer than one.
    const window = await parseBody(context, runBody, EVENT.bytes.max);
    const runId = await runWindowNow(context.env, await ownerOf(context), window);
    if (runId !== null) return reply(context, { run_id: runId });
    const slug = context.req.param("slug");
    throw new MillraceError("window_not_open", `"${slug}" has no open ${window.kind} window with this key.`);
  },
);

/** The function a request names by slug or UUID. Throws `function_not_found`. */
async function ownerOf(context: Context<Api, "/v1/functions/:slug/windows" | "/v1/functions/:slug/windows/run">) {
  const slug = context.req.param("slug");
  const environmentId = context.get("environment").id;
  const registered = (await currentCatalog(context.env, environmentId, Date.now())).functionNamed(slug);
  if (registered === null) throw new MillraceError("function_not_found", `No function has the slug or id "${slug}".`);
  return { environmentId, functionId: registered.id };
}

function windowJson({
  kind,
  key,
  runId,
  events,
  openedAt,
  closesAt,
  bytes,
}: ListedWindow): z.output<typeof windowReply> {
  return {
    kind,
    key,
    run_id: runId,
    events,
    bytes,
    opened_at: isoTime(openedAt),
    closes_at: isoTime(closesAt),
  };
}
