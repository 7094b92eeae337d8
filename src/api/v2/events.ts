/**
 * Events over v2 (API-22): sending one, reading, and the runs it started.
 */
import * as z from "zod";
import { currentCatalog } from "../../apps/catalog.ts";
import { MillraceError } from "../../errors.ts";
import { acceptEvents } from "../../events/accept.ts";
import { ingest } from "../../events/ingest.ts";
import { runIdsOf, runsOfEvent } from "../../history/event-runs.ts";
import type { StoredEvent } from "../../history/message.ts";
import { readEvent } from "../../history/read.ts";
import { anyJson } from "../../protocol/any-json.ts";
import { listEvents } from "../../search/events.ts";
import { moment, text } from "../v1/query.ts";
import { isoTime } from "../v1/time.ts";
import { type Call, operation, pageEnd } from "./operation.ts";
import { name, paging } from "./parameters.ts";
import { runJson, runReply } from "./run.ts";

const object = z.record(z.string(), anyJson);

const eventReply = z
  .object({
    id: z.string(),
    idempotencyKey: z.string().optional(),
    name: z.string(),
    data: object,
    user: object,
    ts: z.iso.datetime(),
    v: z.string().optional(),
    receivedAt: z.iso.datetime(),
    source: z.string(),
    isDuplicate: z.boolean(),
    runIds: z.array(z.string()),
  })
  .meta({ id: "Event" });

/** The most runs of an event on one page (protocol/11 §11.3). */
const RUNS = 40;

/** The calls. */
export const events = [
  operation({
    id: "sendEvent",
    method: "POST",
    path: "/events",
    summary: "Sends one event.",
    // What an event may be is said, and checked, by the Event API.
    body: {
      name: anyJson.meta({ type: "string" }),
      data: anyJson.optional().meta({ type: "object" }),
      user: anyJson.optional().meta({ type: "object" }),
      id: anyJson.optional().meta({ type: "string" }),
      ts: anyJson.optional().meta({ type: "number", description: "ms since 1970" }),
      v: anyJson.optional().meta({ type: "string" }),
    },
    data: z.object({ id: z.string(), runIds: z.array(z.string()) }),
    handler: async ({ bindings, environment, settings, headers, now }, event) => {
      // Protobuf's JSON writes large numbers as text.
      const ts = typeof event.ts === "string" && /^\d{1,15}$/.test(event.ts) ? Number(event.ts) : event.ts;
      const body = JSON.stringify({ ...event, ts });
      const accepted = acceptEvents(body, headers, { now, maxEventBytes: settings.maxEventBytes });
      const [routed] = await ingest(bindings, environment.id, accepted, now);
      return { data: { id: accepted[0]?.internalId ?? "", runIds: runIdsOf(routed?.outcomes ?? []) } };
    },
  }),
  operation({
    id: "listEvents",
    method: "GET",
    path: "/events",
    summary: "Events, newest first.",
    parameters: { ...paging(), name: text, receivedAfter: moment, receivedBefore: moment },
    paged: true,
    data: z.array(eventReply),
    handler: async ({ bindings, environment }, { limit, cursor, ...filter }) => {
      const { items, nextCursor } = await listEvents(bindings.DB, environment.id, filter, { limit, cursor });
      return { data: items.map(eventJson), page: pageEnd(limit, nextCursor) };
    },
  }),
  operation({
    id: "getEvent",
    method: "GET",
    path: "/events/:eventId",
    summary: "One event, by its internal id or its sender's.",
    parameters: { eventId: name },
    data: eventReply,
    handler: async (call, { eventId }) => ({ data: eventJson(await found(call, eventId)) }),
  }),
  operation({
    id: "listEventRuns",
    method: "GET",
    path: "/events/:eventId/runs",
    summary: "The runs an event started, newest first.",
    parameters: { eventId: name, ...paging(RUNS) },
    paged: true,
    data: z.array(runReply),
    handler: async (call, { eventId, limit, cursor }) => {
      const { bindings, environment, now } = call;
      const event = await found(call, eventId);
      const { items, nextCursor } = await runsOfEvent(bindings, environment.id, event, { limit, cursor });
      const catalog = await currentCatalog(bindings, environment.id, now);
      const data = items.map((run) => runJson(run, catalog, { output: true }));
      return { data, page: pageEnd(limit, nextCursor) };
    },
  }),
];

async function found({ bindings, environment }: Call, id: string): Promise<StoredEvent> {
  const event = await readEvent(bindings, environment.id, id);
  if (event === null) throw new MillraceError("event_not_found", `No event has the id "${id}".`);
  return event;
}

function eventJson(stored: StoredEvent): z.output<typeof eventReply> {
  const { internalId, receivedAt, source, deduplicationId, payload } = stored.event;
  return {
    id: internalId,
    ...(deduplicationId === null ? {} : { idempotencyKey: deduplicationId }),
    name: payload.name,
    data: { ...payload.data },
    user: { ...payload.user },
    ts: isoTime(payload.ts),
    ...(payload.v === undefined ? {} : { v: payload.v }),
    receivedAt: isoTime(receivedAt),
    source,
    isDuplicate: stored.duplicate,
    runIds: runIdsOf(stored.outcomes),
  };
}
