/**
 * Plays one schedule of lives: trouble first, then peace until everything rests (faults.md §4, method b), then the checks.
 */
import { LOCAL } from "../../../src/environments/environment.ts";
import { Deeds } from "../deeds.ts";
import { NO_FAULTS } from "../platform/faults.ts";
import { seeded } from "../platform/random.ts";
import { rest, restOf } from "../rest.ts";
import type { Played } from "../suites.ts";
import { World } from "../world.ts";
import { checkLives, checkNeighbour } from "./checks.ts";
import { membersOf } from "./functions.ts";
import { NEIGHBOUR, planOf, TROUBLE } from "./plan.ts";

/** ms of peace in which everything has to come to rest. */
const PEACE = 40 * 60_000;

/** ms that a query may be under way. */
const SLOW = 40_000;

/** What was found wrong with the schedule of a seed; empty when everything holds. */
export async function play(seed: number): Promise<Played> {
  const plan = planOf(seeded(seed));
  const environments = plan.neighbour ? [LOCAL, NEIGHBOUR] : [LOCAL];
  const world = new World(seed, membersOf(plan.cast), { environments });
  const faults = await world.live(async () => {
    const { agenda } = world;
    const begin = agenda.now;
    const outside = (at: number, work: () => void) => agenda.after(at, work, null, "outside");
    const deeds = new Deeds(world, plan.deeds);
    for (const { at, downtime } of plan.kills) outside(at, () => world.kill(downtime));
    for (const { at, ms } of plan.outages) {
      const refused = { refused: 1, unanswered: 0, slow: 0, torn: 0 };
      outside(at, () => {
        world.faults = { ...plan.faults, database: refused };
      });
      outside(at + ms, () => {
        world.faults = plan.faults;
      });
    }
    if (plan.crashes !== null) world.objects.breakAt(plan.crashes);
    if (plan.swept) world.sweepEveryMinute();
    world.faults = plan.faults;
    await agenda.run(begin + TROUBLE + 15_000);
    world.faults = NO_FAULTS;
    world.objects.breakAt({ at: new Set(), what: "object" });
    const peaceAt = agenda.now;
    // A slow query of a client that is long gone may have undone what came after it.
    await agenda.run(agenda.now + SLOW);
    deeds.actNext();
    await rest(world, PEACE, () => deeds.isAnswered);
    const neighbour = plan.neighbour ? checkNeighbour(await restOf(world, NEIGHBOUR.id), plan) : [];
    return [...checkLives({ ...(await restOf(world)), plan, deeds: deeds.done, peaceAt }), ...neighbour];
  });
  return { faults, world };
}
