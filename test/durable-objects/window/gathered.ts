/**
 * What the tests of batches and debounce windows share: events on their way into windows, and looking at what became of them.
 */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import type { Bindings } from "../../../src/bindings.ts";
import type { EventPayload } from "../../../src/events/event.ts";
import type { Gathering, GatherKind } from "../../../src/events/gathering.ts";
import { newUlid } from "../../../src/ids.ts";
import { runStub, windowStub } from "../../../src/objects.ts";

// The plugin binds what wrangler.toml declares, which is what Bindings describes.
export const bindings = env as unknown as Bindings;

export type WindowStub = Awaited<ReturnType<typeof windowStub>>;

/** The window of the function `fn` in an environment; the test's own options and key. */
export function windowOf(environmentId: string, kind: GatherKind, key = ""): Promise<WindowStub> {
  return windowStub(bindings, environmentId, kind, { functionId: "id-of-fn", key });
}

/** Events received now, in order. `draft` gives the payload of the `n`th. */
export function gatherings(count: number, draft: (n: number) => Partial<EventPayload> = () => ({})): Gathering[] {
  const receivedAt = Date.now();
  return Array.from({ length: count }, (_, n) => {
    const internalId = newUlid(receivedAt);
    const payload = { name: "app/a", data: { n }, id: internalId, ts: receivedAt, user: {}, ...draft(n) };
    return {
      event: { internalId, receivedAt, source: "test", deduplicationId: null, payload },
      parent: null,
    };
  });
}

/** The events of a run as its app sees them; null when there is no run. */
export async function eventsOf(
  environmentId: string,
  runId: string | undefined,
): Promise<readonly EventPayload[] | null> {
  return await runStub(bindings, environmentId, runId ?? "").events();
}

/** Waits until the run exists; its events' `data.n`. */
export async function membersOf(environmentId: string, runId: string | undefined): Promise<unknown[]> {
  return await vi.waitFor(
    async () => {
      const events = await eventsOf(environmentId, runId);
      if (events === null) throw new Error(`run ${runId} has not started`);
      return events.map(({ data }) => data["n"]);
    },
    { timeout: 10_000 },
  );
}

/** Runs the window's alarm as if it were `ms` later; the alarm must be set. Whatever it starts is given time to be noted. */
export async function alarmAfter(window: WindowStub, ms: number): Promise<void> {
  const now = Date.now() + ms;
  vi.useFakeTimers({ toFake: ["Date"], now });
  if (!(await runDurableObjectAlarm(window))) throw new Error("the window has no alarm");
}

/** The time the window's alarm is set to. */
export function alarmOf(window: WindowStub): Promise<number | null> {
  return runInDurableObject(window, (_, { storage }) => storage.getAlarm());
}

/** Rows that the window's storage has changed so far. */
export function changesOf(window: WindowStub): Promise<number> {
  return runInDurableObject(window, (_, { storage }) =>
    Number(storage.sql.exec("SELECT total_changes() AS n").one()["n"]),
  );
}

/** Makes a run's object unable to begin its run, until the answered function is called: a fault that cannot be caused from outside. */
export async function spoil(environmentId: string, runId: string): Promise<() => Promise<void>> {
  const run = () => runStub(bindings, environmentId, runId);
  await runInDurableObject(run(), (_, { storage }) => storage.sql.exec("CREATE TABLE log (spoilt)"));
  return async () => {
    await runInDurableObject(run(), (_, { storage }) => storage.sql.exec("DROP TABLE log"));
  };
}
