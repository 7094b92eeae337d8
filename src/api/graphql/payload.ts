/**
 * An event in GraphQL, in the shape of older tools (protocol/12 §12.5). Owns the shape; lists and queries are `event.ts`.
 */
import { loadStoredEvents } from "../../history/events.ts";
import type { RunRow, StoredEvent } from "../../history/message.ts";
import type { GraphqlContext } from "./context.ts";
import { runsOfEvent } from "./event-runs.ts";
import { runFields } from "./run.ts";
import { bytes, timeText } from "./values.ts";

/** The event: `payload` is the text of its data, `raw` of all of it. */
export function eventFields(stored: StoredEvent, context: GraphqlContext) {
  const { event } = stored;
  const runs = () => runsOfEvent(stored, context);
  return {
    id: event.internalId,
    name: event.payload.name,
    createdAt: timeText(event.receivedAt),
    payload: bytes(event.payload.data),
    raw: bytes(event.payload),
    functionRuns: async () => (await runs()).map(({ runId, functionId }) => runFields(runId, functionId, context)),
    totalRuns: async () => (await runs()).length,
  };
}

/** The first trigger event of a run; null when it is not in history any more. */
export async function eventOfRun(row: RunRow | null, context: GraphqlContext) {
  const [id] = row?.eventIds ?? [];
  if (id === undefined) return null;
  const [stored] = await loadStoredEvents(context.bindings.DB, context.environment.id, [id]);
  return stored === undefined ? null : eventFields(stored, context);
}
