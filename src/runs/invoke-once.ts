/**
 * Invoking a function at somebody's request, who may repeat it (API-14, CR-28). Owns what a repeated request is answered: what became of the
 * first one, or a new start where that came to nothing.
 */
import { currentCatalog } from "../apps/catalog.ts";
import type { RegisteredFunction } from "../apps/function.ts";
import type { Bindings } from "../bindings.ts";
import { type Invoked, invocable, invoke, invokedBy } from "../events/invoke.ts";
import { readEvent } from "../history/read.ts";
import { runIdFor } from "../ids.ts";
import type { JsonObject } from "../json.ts";
import { askRun } from "./ask.ts";
import { firstId } from "./first-id.ts";

/** What is asked for. */
export interface InvokeRequest {
  readonly slug: string;
  readonly data: JsonObject;
  readonly user: JsonObject;
  /** Requests with the same key within 24 hours are one; null: this is the only one. */
  readonly key: string | null;
  /** Of the request: the event's source. */
  readonly headers: Headers;
}

/**
 * Starts a run of the function, once for each key; resolves when it is durable. `now` in ms. Throws `function_not_found`, and for the data
 * what the Event API throws. The database's schema must be in place.
 */
export async function invokeOnce(
  bindings: Bindings,
  environmentId: string,
  { slug, data, user, key, headers }: InvokeRequest,
  { now, maxEventBytes }: { readonly now: number; readonly maxEventBytes: number },
): Promise<Invoked> {
  const target = invocable((await currentCatalog(bindings, environmentId, now)).functionNamed(slug), { slug });
  const scope = `invoke ${target.id}`;
  const { id: eventId, repeated } = await firstId(bindings, environmentId, { scope, key }, now);
  const before = repeated ? await invokedBefore(bindings, environmentId, target, eventId) : null;
  if (before !== null) return before;
  const invocation = { slug: target.slug, eventId, body: JSON.stringify({ data, user }), headers };
  return await invoke(bindings, environmentId, invocation, { now, maxEventBytes });
}

/** What became of the first copy of a request; null when it came to nothing, so that this one takes its place. */
async function invokedBefore(
  bindings: Bindings,
  environmentId: string,
  target: RegisteredFunction,
  eventId: string,
): Promise<Invoked | null> {
  const runId = await runIdFor(environmentId, target.id, eventId);
  const view = await askRun(bindings, environmentId, runId, (run) => run.view());
  if (view !== null) return { eventId, runId, skipped: null };
  const stored = await readEvent(bindings, environmentId, eventId);
  return stored === null ? null : await invokedBy(environmentId, target, eventId, stored.outcomes);
}
