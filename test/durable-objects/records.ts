/**
 * Makers of events and runs for the tests of history and of what reads it. Every record is its own: ids never repeat within a file.
 */
import { env } from "cloudflare:workers";
import type { Bindings } from "../../src/bindings.ts";
import type { AcceptedEvent, EventPayload, RoutedEvent } from "../../src/events/event.ts";
import type { RunReport, RunRow } from "../../src/history/message.ts";
import { newUlid } from "../../src/ids.ts";

// The plugin binds what wrangler.toml declares, which is what Bindings describes.
export const bindings = env as unknown as Bindings;

let environments = 0;
/** An environment nobody used before. */
export function freshEnvironment(): string {
  return `env-history-${environments++}`;
}

type EventDraft = Partial<Omit<AcceptedEvent, "payload">> &
  Partial<Pick<RoutedEvent, "outcomes" | "duplicate">> & {
    readonly payload?: Partial<EventPayload>;
  };

/** An event received now, unless the draft says otherwise. */
export function anEvent({ payload, outcomes = [], duplicate = false, ...draft }: EventDraft = {}): RoutedEvent {
  const receivedAt = draft.receivedAt ?? Date.now();
  const internalId = draft.internalId ?? newUlid(receivedAt);
  return {
    event: {
      source: "js:v4.24.0",
      deduplicationId: null,
      ...draft,
      internalId,
      receivedAt,
      payload: {
        name: "cart/done",
        data: {},
        id: draft.deduplicationId ?? internalId,
        ts: receivedAt,
        user: {},
        ...payload,
      },
    },
    outcomes,
    duplicate,
  };
}

/** A completed run of `shop-pay`, unless the draft says otherwise. */
export function aRun(environmentId: string, draft: Partial<RunRow> = {}): RunRow {
  const now = Date.now();
  return {
    environmentId,
    runId: newUlid(now),
    appId: "11111111-1111-8111-8111-111111111111",
    functionId: "22222222-2222-8222-8222-222222222222",
    functionSlug: "shop-pay",
    functionVersion: 1,
    status: "completed",
    queuedAt: now,
    startedAt: now + 1,
    endedAt: now + 2,
    eventIds: [newUlid(now)],
    eventName: "cart/done",
    originalRunId: null,
    replayId: null,
    parentRunId: null,
    cron: null,
    cancelReason: null,
    skipReason: null,
    output: { paid: true },
    sequence: 3,
    ...draft,
  };
}

/** The report of a run with its trigger event and the end event it emitted. */
export function aReport(environmentId: string, draft: Partial<RunRow> = {}): RunReport {
  const trigger = anEvent();
  const run = aRun(environmentId, { eventIds: [trigger.event.internalId], ...draft });
  const finished = anEvent({ source: "engine", payload: { name: "inngest/function.finished" } });
  return { run, events: [trigger, finished] };
}
