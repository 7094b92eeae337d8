/**
 * The lines of a run as it reaches them: the object of each, told the number of its function's newest registration (FC-7, FC-11).
 * Owns what a claim is made of; remembers nothing.
 */
import { catalogOf } from "../apps/catalog.ts";
import { limitOn, noLimit } from "../apps/line-limit.ts";
import type { Bindings } from "../bindings.ts";
import type { Claim, Held, LineRef } from "../decide/capacity/line.ts";
import { placeOf } from "../decide/run/place.ts";
import type { RunState } from "../decide/run/state.ts";
import { capacityStub } from "../objects.ts";
import { settingsOf } from "../settings.ts";

/** What a run says of itself; the rest of a claim follows from its identity and its function. */
export type Said = Pick<Claim, "fence" | "busy" | "wants">;

/** How a run speaks to its lines. */
export interface LineSide {
  /**
   * Says it to the line and answers what the run holds; null when the function has no such limit any more, and whatever was held is given
   * back. `known`: the line may have heard of the run. Throws when the line could not be reached.
   */
  say(state: RunState, line: LineRef, said: Said, known: boolean): Promise<Held | null>;
}

/** The lines of a deployment. */
export class Lines implements LineSide {
  readonly #bindings: Bindings;

  constructor(bindings: Bindings) {
    this.#bindings = bindings;
  }

  async say(state: RunState, line: LineRef, said: Said, known: boolean): Promise<Held | null> {
    const { environmentId, runId, function: pinned } = state.identity;
    const catalog = await catalogOf(this.#bindings, environmentId, Date.now());
    const registered = catalog.functionById(pinned.id);
    const limit = limitOn(line, registered, settingsOf(this.#bindings).maxConcurrency);
    if (limit === null && !known) return null;
    const units = limit === null ? { ...said, busy: 0, wants: 0 } : said;
    const claim: Claim = {
      environmentId,
      runId,
      functionId: pinned.id,
      ...units,
      place: placeOf(state.identity),
      limit: limit ?? noLimit(registered?.version ?? pinned.version),
    };
    const held = await (await capacityStub(this.#bindings, environmentId, line)).claim(line, claim);
    return limit === null ? null : held;
  }
}
