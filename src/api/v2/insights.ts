/**
 * Insights over v2 (API-22): asking in SQL, the tables that can be asked of, and what events of a name look like. Asking is src/insights'.
 */
import * as z from "zod";
import { MillraceError } from "../../errors.ts";
import { ask } from "../../insights/query.ts";
import { TABLES } from "../../insights/tables.ts";
import type { Json, JsonObject } from "../../json.ts";
import { COMMAND, INSIGHTS, PAGE } from "../../limits.ts";
import { eventTypes } from "../../metrics/event-types.ts";
import { anyJson } from "../../protocol/any-json.ts";
import { listEvents } from "../../search/events.ts";
import { isoTime } from "../v1/time.ts";
import { operation, pageEnd } from "./operation.ts";
import { name, paging } from "./parameters.ts";

const type = z.enum(["number", "text", "time", "date", "json", "array", "any"]);

const answerReply = z.object({
  columns: z.array(z.object({ name: z.string(), type })),
  /** Values stand beside `columns`. */
  rows: z.array(z.array(anyJson)),
  isTruncated: z.boolean(),
  /** Tables of which only the newest rows were looked at. */
  partial: z.array(z.object({ table: z.string(), rows: z.int(), since: z.iso.datetime() })),
  durationMs: z.number(),
});

const schemaReply = z.object({ name: z.string(), schema: z.record(z.string(), anyJson) });

/** The calls. */
export const insights = [
  operation({
    id: "listInsightsTables",
    method: "GET",
    path: "/insights/tables",
    summary: "The tables that can be asked of, with their columns.",
    parameters: paging(),
    paged: true,
    data: z.array(
      z.object({
        name: z.string(),
        columns: z.array(z.object({ name: z.string(), type, description: z.string() })),
      }),
    ),
    handler: (_call, { limit, cursor }) => {
      const tables = [...TABLES.values()].map(({ name: table, columns }) => ({
        name: table,
        columns: [...columns].map(([column, { type: of, description }]) => ({ name: column, type: of, description })),
      }));
      return { data: cursor === null ? tables : [], page: pageEnd(limit, null) };
    },
  }),
  operation({
    id: "listEventSchemas",
    method: "GET",
    path: "/insights/events/schemas",
    summary: "The names of events in their order, each with the fields of its newest event.",
    parameters: { limit: paging(PAGE.default).limit, cursor: z.string().nullable().default(null) },
    paged: true,
    data: z.array(schemaReply),
    handler: async ({ bindings, environment, now }, { limit, cursor }) => {
      const { DB } = bindings;
      const page = { after: cursor ?? "", limit: limit + 1, from: now };
      const found = await eventTypes(DB, environment.id, page);
      const shown = found.slice(0, limit);
      const data = shown.map(async ({ name: event }) => {
        const filter = { name: event, receivedAfter: null, receivedBefore: null };
        const { items } = await listEvents(DB, environment.id, filter, { limit: 1, cursor: null });
        return { name: event, schema: schemaOf(items[0]?.event.payload.data ?? {}) };
      });
      const next = found.length > limit ? (shown.at(-1)?.name ?? null) : null;
      return { data: await Promise.all(data), page: pageEnd(limit, next) };
    },
  }),
  operation({
    id: "queryInsights",
    method: "POST",
    path: "/insights/query",
    summary: "Asks a question in SQL of events and runs.",
    body: { sql: name.max(INSIGHTS.characters, `must have at most ${INSIGHTS.characters} characters`) },
    bodyBytes: COMMAND.bodyBytes,
    data: answerReply,
    handler: async ({ bindings, environment, now }, { sql }) => {
      const { columns, rows, truncated, partial, duration } = await ask(bindings.DB, environment.id, sql, now);
      return {
        data: {
          columns: columns.map(({ name: column, type: of }) => ({ name: column, type: of })),
          rows: rows.map((row) => [...row]),
          isTruncated: truncated,
          partial: partial.map(({ table, rows: count, since }) => ({ table, rows: count, since: isoTime(since) })),
          durationMs: duration,
        },
      };
    },
  }),
  operation({
    id: "promptInsights",
    method: "POST",
    path: "/insights/query/prompt",
    summary: "Asks a question in words.",
    body: { prompt: name },
    bodyBytes: COMMAND.bodyBytes,
    data: answerReply,
    handler: () => {
      throw new MillraceError("not_implemented", "Questions in words need a model, and this deployment has none.");
    },
  }),
];

/** The JSON Schema of an event's data, one level deep. */
function schemaOf(data: JsonObject): Record<string, Json> {
  const properties = Object.entries(data).map(([field, value]) => [field, { type: typeOf(value) }] as const);
  return { type: "object", properties: Object.fromEntries(properties) };
}

function typeOf(value: Json): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
