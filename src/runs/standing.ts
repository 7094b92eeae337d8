/**
 * How a run learns of its function's pauses when it is about to go on: from the catalog, as it learns where its app is.
 */
import { catalogOf } from "../apps/catalog.ts";
import type { Bindings } from "../bindings.ts";
import type { Standing } from "../decide/run/pausing.ts";
import type { RunState } from "../decide/run/state.ts";
import { messageOf } from "../errors.ts";

/**
 * What the catalog says of the function's pauses, at most a few seconds old. Undefined when there is nothing to know: there is no run, the
 * function is not registered, or the catalog cannot be read; a run goes on rather than stand still because of that.
 */
export async function standingOf(bindings: Bindings, state: RunState | null): Promise<Standing | undefined> {
  if (state === null) return undefined;
  const { identity } = state;
  try {
    const catalog = await catalogOf(bindings, identity.environmentId, Date.now());
    return catalog.functionById(identity.function.id) ?? undefined;
  } catch (error) {
    console.error(`run ${identity.runId}: pauses of its function are not known: ${messageOf(error)}`);
    return undefined;
  }
}
