/**
 * The runs of an event in GraphQL: those its outcomes name, and those that were started again from them. Owns what counts as one.
 */
import type { StoredEvent } from "../../history/message.ts";
import { rerunsOf } from "../../history/reruns.ts";
import { GRAPHQL } from "../../limits.ts";
import type { GraphqlContext } from "./context.ts";

/** A run of an event; its function is not known without reading it when it was started again. */
export interface EventRun {
  readonly runId: string;
  readonly functionId: string | null;
}

/** The runs, oldest first. Those that a window has yet to start are left out. */
export async function runsOfEvent({ outcomes }: StoredEvent, context: GraphqlContext): Promise<EventRun[]> {
  const named = outcomes.flatMap((outcome): (EventRun & { readonly certain: boolean })[] => {
    const { functionId } = outcome;
    const runId = "runId" in outcome ? outcome.runId : undefined;
    return runId === undefined ? [] : [{ runId, functionId, certain: outcome.outcome === "started" }];
  });
  const exist = await Promise.all(
    named.map(async ({ runId, certain }) => certain || (await context.run(runId)) !== null),
  );
  const started = named.filter((_, index) => exist[index]);
  const ids = started.map(({ runId }) => runId);
  const page = { cursor: null, limit: GRAPHQL.page.max };
  const again = await rerunsOf(context.bindings.DB, context.environment.id, ids, page);
  const reruns = again.toReversed().map((runId): EventRun => ({ runId, functionId: null }));
  return [...started.map(({ runId, functionId }) => ({ runId, functionId })), ...reruns];
}
