/**
 * Plays one schedule: trouble first, then peace until everything rests (faults.md §4, method b). Owns the order of the two and what is
 * collected for the checks.
 */
import { LOCAL } from "../../../src/environments/environment.ts";
import { runStub } from "../../../src/objects.ts";
import { exceeded } from "../checks/limits.ts";
import { leaked } from "../checks/runs.ts";
import { NO_FAULTS } from "../platform/faults.ts";
import { seeded } from "../platform/random.ts";
import { heldOf } from "../rest.ts";
import type { Played } from "../suites.ts";
import { World } from "../world.ts";
import { lost, overtaken, type Rest, rushed } from "./checks.ts";
import { type Plan, planOf, TROUBLE } from "./plan.ts";
import { broken, WAY } from "./windows.ts";

/** ms of peace in which everything has to come to rest. */
const PEACE = 30 * 60_000;

/** What was found wrong with the schedule of a seed; empty when everything holds. */
export async function play(seed: number): Promise<Played> {
  const plan = planOf(seeded(seed));
  const world = new World(seed, plan.functions);
  const accepted = new Map<string, { functionId: string; key: unknown; at: number }>();
  const faults = await world.live(async () => {
    const begin = world.agenda.now;
    for (const { at, event, data } of plan.sends) {
      world.agenda.after(
        at,
        () => {
          const sent = world.event(event, data);
          accepted.set(sent.internalId, {
            functionId: `sim-${event.slice("sim/".length)}`,
            key: data["key"],
            at: world.agenda.now,
          });
          world.send([sent]);
        },
        null,
        "outside",
      );
    }
    for (const { at, downtime } of plan.kills) world.agenda.after(at, () => world.kill(downtime), null, "outside");
    world.faults = plan.faults;
    await world.agenda.run(begin + TROUBLE + 5000);
    world.faults = NO_FAULTS;
    await world.agenda.run(world.agenda.now + PEACE, () => isDone(world, accepted.size, plan));
    await world.agenda.run(world.agenda.now + 60_000);
    const rest = await restOf(world, accepted);
    const calm = plan.kills.length === 0 && plan.faults === NO_FAULTS;
    return [
      ...exceeded(rest.ledger, plan.limits, calm ? WAY : Number.POSITIVE_INFINITY),
      ...(calm ? rushed(rest, plan.throttles, WAY) : []),
      ...lost(rest, plan.exact),
      ...broken(rest, plan.windowed, calm),
      ...leaked(rest),
      ...overtaken(rest, plan, WAY),
    ];
  });
  return { faults, world };
}

/** Whether every run the world should have has given its last call an answer. */
function isDone(world: World, accepted: number, plan: Plan): boolean {
  if (accepted < plan.sends.length) return false;
  // How many runs windows make of their events is not known beforehand: they get all the time there is.
  return plan.windowed.length === 0 && world.endedRuns >= plan.sends.length;
}

async function restOf(world: World, accepted: Rest["accepted"]): Promise<Rest> {
  const runIds = [...new Set(world.app.ledger.map(({ runId }) => runId))];
  const statuses = new Map<string, string>();
  await world.ask(async () => {
    for (const runId of runIds) {
      const view = await runStub(world.bindings, LOCAL.id, runId).view();
      statuses.set(runId, view?.row.status ?? "gone");
    }
  });
  return { ledger: world.app.ledger, accepted, statuses, held: heldOf(world) };
}
