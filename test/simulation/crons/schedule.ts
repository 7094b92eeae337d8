/**
 * Plays one schedule of crons: trouble, then peace in which they tick on, then a sync that removes them, and rest.
 */
import { Deeds } from "../deeds.ts";
import { NO_FAULTS } from "../platform/faults.ts";
import { seeded } from "../platform/random.ts";
import { rest, restOf } from "../rest.ts";
import type { Played } from "../suites.ts";
import { World } from "../world.ts";
import { checkCrons } from "./checks.ts";
import { PEACE, planOf, TROUBLE } from "./plan.ts";

/** ms that a query may be under way; and in which everything has to come to rest. */
const SLOW = 40_000;
const REST = 40 * 60_000;

/** What was found wrong with the schedule of a seed; empty when everything holds. */
export async function play(seed: number): Promise<Played> {
  const plan = planOf(seeded(seed));
  const world = new World(seed, plan.functions, { variables: { MILLRACE_CRON_CATCH_UP: plan.policy } });
  const begin = world.agenda.now;
  const faults = await world.live(async () => {
    const { agenda } = world;
    const registeredAt = agenda.now;
    const outside = (at: number, work: () => void) => agenda.after(at, work, null, "outside");
    const deeds = new Deeds(world, plan.deeds);
    for (const { at, downtime } of plan.kills) outside(at, () => world.kill(downtime));
    // It also tells schedules of what was lost on its way to them.
    world.sweepEveryMinute();
    world.faults = plan.faults;
    await agenda.run(registeredAt + TROUBLE);
    world.faults = NO_FAULTS;
    const { downs } = world;
    await agenda.run(Math.max(agenda.now, ...downs.map(({ until }) => until)) + SLOW);
    deeds.actNext();
    await agenda.run(agenda.now + SLOW);
    const peaceAt = agenda.now;
    await agenda.run(agenda.now + PEACE);
    const endAt = agenda.now;
    deeds.act({ kind: "register", functions: plan.functions.map((fn) => ({ ...fn, crons: [], event: "sim/none" })) });
    await rest(world, REST, () => deeds.isAnswered);
    const left = await restOf(world);
    return checkCrons({ ...left, plan, deeds: deeds.done, downs, begin, registeredAt, peaceAt, endAt });
  });
  return { faults, world };
}
