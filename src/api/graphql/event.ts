/**
 * Events in GraphQL (protocol/12 §12.5): one event and the lists, in the shapes of older and newer tools, and the dev server's stream.
 */

import type { EventFilter } from "../../history/events.ts";
import type { StoredEvent } from "../../history/message.ts";
import type { Listing } from "../../history/page.ts";
import { readEvent } from "../../history/read.ts";
import { countEvents } from "../../history/totals.ts";
import { GRAPHQL } from "../../limits.ts";
import { listEvents } from "../../search/events.ts";
import { mergedPage } from "../../search/merge.ts";
import { expressionOf } from "../v1/searching.ts";
import type { GraphqlContext, Noun } from "./context.ts";
import { runsOfEvent } from "./event-runs.ts";
import { eventFields } from "./payload.ts";
import { runFields, runFieldsV2 } from "./run.ts";
import { bytes, connection, pageSize, timeGiven, timeText } from "./values.ts";

const sdl = `
  type Event {
    id: ID! name: String createdAt: Time payload: String raw: String functionRuns: [FunctionRun!] totalRuns: Int
  }
  type EventV2 {
    id: ULID! idempotencyKey: String name: String! occurredAt: Time! receivedAt: Time! raw: String!
    version: String runs: [FunctionRunV2!]! source: EventSource
  }
  type EventSource { id: ID! name: String sourceKind: String! }
  type EventsEdge { node: EventV2! cursor: String! }
  type EventsConnection { edges: [EventsEdge!]! pageInfo: PageInfo! totalCount: Int! }
  type StreamItem { id: ID! trigger: String! type: String! createdAt: Time! runs: [FunctionRun!] inBatch: Boolean! }

  input EventQuery { eventId: ID! workspaceId: ID }
  input EventsQuery { workspaceId: ID lastEventId: ID }
  input StreamQuery { after: Time before: Time limit: Int = 40 includeInternalEvents: Boolean = true }
  input EventsFilter {
    from: Time! until: Time query: String eventNames: [String!] includeInternalEvents: Boolean = false
  }

  extend type Query {
    event(query: EventQuery!): Event
    events(query: EventsQuery!): [Event!]
    stream(query: StreamQuery!): [StreamItem!]!
    eventV2(id: ULID!): EventV2
    eventsV2(first: Int = 40, after: String, filter: EventsFilter!): EventsConnection!
  }
`;

interface StreamQuery {
  readonly after?: string | null;
  readonly before?: string | null;
  readonly limit?: number | null;
  readonly includeInternalEvents?: boolean | null;
}

interface EventsV2 {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly filter: {
    readonly from: string;
    readonly until?: string | null;
    readonly query?: string | null;
    readonly eventNames?: readonly string[] | null;
    readonly includeInternalEvents?: boolean | null;
  };
}

/** The noun. */
export const eventNoun: Noun = {
  sdl,
  resolvers: {
    event: async ({ query }: { query: { eventId: string } }, context) => {
      const stored = await found(query.eventId, context);
      return stored === null ? null : eventFields(stored, context);
    },
    events: async (_: unknown, context) => {
      const filter = { name: null, receivedAfter: null, receivedBefore: null };
      const { items } = await listed([filter], { limit: GRAPHQL.page.max, cursor: null }, context);
      return items.map((stored) => eventFields(stored, context));
    },
    stream: async ({ query }: { query: StreamQuery }, context) => {
      const times = { receivedAfter: timeGiven(query.after), receivedBefore: timeGiven(query.before) };
      const filters = filtersOf(null, query.includeInternalEvents === true, times);
      const { items } = await listed(filters, { limit: pageSize(query.limit), cursor: null }, context);
      return items.map((stored) => streamItem(stored, context));
    },
    eventV2: async ({ id }: { id: string }, context) => {
      const stored = await found(id, context);
      return stored === null ? null : eventFieldsV2(stored, context);
    },
    eventsV2: (given: EventsV2, context) => eventsV2(given, context),
  },
};

function found(id: string, { bindings, environment }: GraphqlContext): Promise<StoredEvent | null> {
  return readEvent(bindings, environment.id, id);
}

/** The engine's own events, which lists leave out unless they are named. */
const INTERNAL = [
  "inngest/function.finished",
  "inngest/function.failed",
  "inngest/function.cancelled",
  "inngest/function.invoked",
  "inngest/scheduled.timer",
  "inngest/http.request",
];

/** The lists that are asked for: the users' events, those of some names, and with `internal` the engine's own beside the users'. */
function filtersOf(
  names: readonly string[] | null,
  internal: boolean,
  times: Pick<EventFilter, "receivedAfter" | "receivedBefore">,
): EventFilter[] {
  if (names !== null && names.length > 0) return [{ name: null, names: [...new Set(names)], ...times }];
  return [{ name: null, ...times }, ...(internal ? [{ name: null, names: INTERNAL, ...times }] : [])];
}

/** One page of several lists together, newest first. */
async function listed(
  filters: readonly EventFilter[],
  page: { readonly limit: number; readonly cursor: string | null },
  { bindings, environment }: GraphqlContext,
  query: string | null = null,
): Promise<Listing<StoredEvent>> {
  const expression = expressionOf(query, "event_search");
  const pages = await Promise.all(
    filters.map((filter) => listEvents(bindings.DB, environment.id, filter, page, expression)),
  );
  return mergedPage(pages, page.limit, ({ event }) => event.internalId);
}

async function eventsV2({ first, after, filter }: EventsV2, context: GraphqlContext) {
  const { bindings, environment } = context;
  const times = { receivedAfter: timeGiven(filter.from), receivedBefore: timeGiven(filter.until) };
  const filters = filtersOf(filter.eventNames ?? null, filter.includeInternalEvents === true, times);
  const page = { limit: pageSize(first), cursor: after ?? null };
  const query = filter.query || null;
  const { items, nextCursor } = await listed(filters, page, context, query);
  return connection(
    items.map((stored) => eventFieldsV2(stored, context)),
    { cursorOf: ({ id }) => id, nextCursor, end: nextCursor ?? items.at(-1)?.event.internalId ?? null },
    // Of a search nobody knows the total without finishing it.
    async () => (query === null ? await countEvents(bindings.DB, environment.id, filters) : items.length),
  );
}

function eventFieldsV2(stored: StoredEvent, context: GraphqlContext) {
  const { event } = stored;
  return {
    id: event.internalId,
    idempotencyKey: event.deduplicationId,
    name: event.payload.name,
    occurredAt: timeText(event.payload.ts),
    receivedAt: timeText(event.receivedAt),
    raw: bytes(event.payload),
    version: event.payload.v ?? null,
    source: { id: event.source, name: event.source, sourceKind: "API" },
    runs: async () => {
      const runs = await runsOfEvent(stored, context);
      const views = await Promise.all(runs.map(({ runId }) => context.run(runId)));
      return views.flatMap((view) => (view === null ? [] : [runFieldsV2(view.row, context)]));
    },
  };
}

function streamItem(stored: StoredEvent, context: GraphqlContext) {
  const { event } = stored;
  return {
    id: event.internalId,
    trigger: event.payload.name,
    type: "EVENT",
    createdAt: timeText(event.receivedAt),
    runs: async () =>
      (await runsOfEvent(stored, context)).map(({ runId, functionId }) => runFields(runId, functionId, context)),
    inBatch: stored.outcomes.some(({ outcome }) => outcome === "batched"),
  };
}
