/**
 * The tools that start something (API-31): sending an event, listing what could be started, and invoking a function to its end.
 */
import * as z from "zod";
import { currentCatalog } from "../../apps/catalog.ts";
import type { Catalog } from "../../apps/catalog-index.ts";
import type { RegisteredFunction } from "../../apps/function.ts";
import { MillraceError } from "../../errors.ts";
import { acceptEvents } from "../../events/accept.ts";
import { ingest } from "../../events/ingest.ts";
import { runIdsOf } from "../../history/event-runs.ts";
import { readEvent } from "../../history/read.ts";
import type { JsonObject } from "../../json.ts";
import { INVOKE, MCP } from "../../limits.ts";
import { anyJson } from "../../protocol/any-json.ts";
import { awaitEnd } from "../../runs/await-end.ts";
import { firstId } from "../../runs/first-id.ts";
import { invokeOnce } from "../../runs/invoke-once.ts";
import type { Call } from "../v2/operation.ts";
import { outcomeJson } from "./run.ts";
import { type Tool, tool } from "./tool.ts";

const object = z.record(z.string(), anyJson);

const send = tool({
  name: "send_event",
  description: "Sends an event, which may start functions, and tells which runs it started.",
  input: z.object({
    name: z.string().describe("The event's name, such as app/user.created."),
    data: object.optional().describe("What happened."),
    user: object.optional().describe("Whom it is about."),
    eventIdSeed: z.string().optional().describe("Any text. Sends with the same one within 24 hours are one event."),
  }),
  run: async (call, { eventIdSeed, ...event }) => {
    const { bindings, environment, settings, headers, now } = call;
    const [accepted] = acceptEvents(JSON.stringify(event), headers, { now, maxEventBytes: settings.maxEventBytes });
    if (accepted === undefined) throw new MillraceError("event_invalid", "There is no event.");
    const request = { scope: "mcp send", key: eventIdSeed ?? null };
    const { id } = await firstId(bindings, environment.id, request, now);
    // Routing an event twice reaches the same runs, so that a copy may simply be sent again.
    const identified = { ...accepted, internalId: id, payload: { ...accepted.payload, id } };
    const [routed] = await ingest(bindings, environment.id, [identified], now);
    const runIds = runIdsOf(routed?.outcomes ?? []);
    const started = runIds.length > 0 ? runIds : await startedLater(call, id);
    return {
      eventId: id,
      runIds: started,
      status: "sent",
      message: `The event ${event.name} started ${started.length === 1 ? "1 run" : `${started.length} runs`}.`,
    };
  },
});

async function startedLater({ bindings, environment }: Call, eventId: string): Promise<string[]> {
  await scheduler.wait(MCP.look);
  const stored = await readEvent(bindings, environment.id, eventId);
  return runIdsOf(stored?.outcomes ?? []);
}

const list = tool({
  name: "list_functions",
  description: "Lists the functions that are registered, with what triggers them.",
  input: z.object({}),
  run: async ({ bindings, environment, now }) => {
    const catalog = await currentCatalog(bindings, environment.id, now);
    const functions = catalog.functions.filter(({ archived }) => !archived);
    return {
      functions: functions.map(({ id, slug, name, app, configuration }) => ({
        id,
        slug,
        name,
        appName: app.name,
        triggers: configuration.triggers.map((trigger) =>
          trigger.kind === "cron"
            ? { cron: trigger.cron }
            : { event: trigger.event, ...(trigger.expression === null ? {} : { if: trigger.expression }) },
        ),
      })),
    };
  },
});

const invocation = {
  description: "Starts a function by name and waits for the end of its run.",
  input: z.object({
    functionId: z.string().describe("Slug, id or name of the function."),
    data: object.default({}).describe("The data of the event it gets."),
    user: object.default({}),
    timeout: z.number().min(0).max(INVOKE.wait).default(MCP.wait).describe("Seconds to wait."),
  }),
  run: async (call: Call, input: { functionId: string; data: JsonObject; user: JsonObject; timeout: number }) => {
    const { bindings, environment, settings, headers, now } = call;
    const catalog = await currentCatalog(bindings, environment.id, now);
    const { slug, name } = functionCalled(catalog, input.functionId);
    const request = { slug, data: input.data, user: input.user, key: null, headers };
    const moment = { now, maxEventBytes: settings.maxEventBytes };
    const { eventId, runId, skipped } = await invokeOnce(bindings, environment.id, request, moment);
    const known = { runId, functionName: name, eventId };
    if (runId === null || skipped !== null) return { ...known, status: "SKIPPED", reason: skipped };
    const view = await awaitEnd(bindings, environment.id, runId, input.timeout * 1000);
    if (view === null) return { ...known, status: "QUEUED" };
    return { ...known, ...outcomeJson(view.row), duration: Date.now() - now };
  },
};

/** By slug, UUID, id without the app's, or name. Throws `function_not_found`. */
function functionCalled(catalog: Catalog, called: string): RegisteredFunction {
  const active = catalog.functions.filter(({ archived }) => !archived);
  const found =
    catalog.functionNamed(called) ??
    active.find(({ slug, app }) => slug === `${app.name}-${called}`) ??
    active.find(({ name }) => name === called);
  if (found !== undefined) return found;
  throw new MillraceError("function_not_found", `No function is called "${called}"; list_functions shows them all.`);
}

/** The tools. */
export const eventTools: readonly Tool[] = [
  send,
  list,
  tool({ name: "invoke_function", ...invocation }),
  // The name other servers use.
  tool({ name: "invoke_function_sync", ...invocation }),
];
