/**
 * A deletion's way through history (OB-25): one run, one event, or a page of the events of which an expression is true. Owns which events are
 * meant, the engine's own among them; how one of them goes is `erasure.ts`'.
 * Guarantees that repeating a page has no second effect. No word of what it looks for is ever logged.
 */
import type { Bindings } from "../bindings.ts";
import type { DeleteRequest } from "../decide/operation/deletion.ts";
import type { OperationState, PageOutcome } from "../decide/operation/operation.ts";
import { messageOf } from "../errors.ts";
import { inParallel } from "../events/parallel.ts";
import { compileCached } from "../expressions/cache.ts";
import { type RoutedRow, routedRows } from "../history/erased.ts";
import { DELETION } from "../limits.ts";
import { listEvents } from "../search/events.ts";
import { Erasure, type Verdict } from "./erasure.ts";

/** Removes what the next page means. Throws when history cannot be read; what cannot be reached only counts as failed. */
export async function deletePage(
  bindings: Bindings,
  request: DeleteRequest,
  { cursor }: Pick<OperationState["pass"], "cursor">,
): Promise<PageOutcome> {
  const { environmentId, target } = request;
  const erasure = new Erasure(bindings, environmentId, request);
  switch (target.by) {
    case "run": {
      const verdict = await attempt(request, () => erasure.run(target.runId));
      return outcomeOf([verdict], { cursor, next: null, erasure });
    }
    case "event": {
      const rows = await routedRows(bindings.DB, environmentId, [target.eventId]);
      const verdicts = await Promise.all(rows.map((row) => attempt(request, () => erasure.event(row))));
      return outcomeOf(verdicts, { cursor, next: null, erasure });
    }
    case "external_id":
    case "expression": {
      const { rows, next } = await eventsOf(bindings, request, { cursor, limit: DELETION.page.events });
      const verdicts = await inParallel(DELETION.parallel, rows, (row) => attempt(request, () => erasure.event(row)));
      return outcomeOf(verdicts, { cursor, next, erasure });
    }
  }
}

/** How many events, or runs, a deletion means as far as history knows. Not `exact`: at least so many. Removes nothing. */
export async function previewDeletion(
  bindings: Bindings,
  request: DeleteRequest,
): Promise<{ readonly count: number; readonly exact: boolean }> {
  const { by } = request.target;
  if (by === "run" || by === "event") return { count: 1, exact: true };
  const until = Date.now() + DELETION.preview.time;
  let count = 0;
  let cursor: string | null = null;
  do {
    const page = await eventsOf(bindings, request, { cursor, limit: DELETION.page.events });
    count += page.rows.length;
    cursor = page.next;
  } while (cursor !== null && count < DELETION.preview.events && Date.now() < until);
  return { count, exact: cursor === null };
}

/** A page of the events that are meant, newest first. */
async function eventsOf(
  bindings: Bindings,
  { environmentId, target, after, before }: DeleteRequest,
  page: { readonly cursor: string | null; readonly limit: number },
): Promise<{ readonly rows: readonly RoutedRow[]; readonly next: string | null }> {
  const source = "source" in target ? target.source : null;
  const compiled = source === null ? null : compileCached(source, "event_search");
  // One that is over has forgotten what it looked for; no other expression gets here that does not compile.
  if (compiled === null || !compiled.ok) return { rows: [], next: null };
  const filter = { name: null, receivedAfter: after, receivedBefore: before, internal: true } as const;
  const { items, nextCursor } = await listEvents(bindings.DB, environmentId, filter, page, compiled.expression);
  const rows = items.map(({ event: { internalId, receivedAt }, outcomes, routed }) => {
    return { internalId, receivedAt, outcomes, routed };
  });
  return { rows, next: nextCursor };
}

async function attempt({ id }: DeleteRequest, work: () => Promise<Verdict>): Promise<Verdict | "failed"> {
  try {
    return await work();
  } catch (error) {
    console.error(`deletion ${id}: something could not be removed and is tried again: ${messageOf(error)}`);
    return "failed";
  }
}

/** `cursor` is where the page began, `next` where the next one does, when this one has done all it was to do. */
function outcomeOf(
  verdicts: readonly (Verdict | "failed")[],
  {
    cursor,
    next,
    erasure,
  }: { readonly cursor: string | null; readonly next: string | null; readonly erasure: Erasure },
): PageOutcome {
  const number = (...wanted: readonly string[]) => verdicts.filter((verdict) => wanted.includes(verdict)).length;
  const done = { asked: erasure.acts, count: number("gone") };
  // What could not go now is met again when the page is repeated, and counts then.
  if (number("more") > 0) return { ...done, cursor, failed: 0, hold: erasure.removed > 0 ? "more" : "wait" };
  return { ...done, cursor: next, failed: number("later", "failed"), lost: number("kept") };
}
