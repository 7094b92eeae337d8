/**
 * Objects other than runs whose alarm may have been given up (row 8): those that the catalog, the functions' directories and the list
 * of operations lead to. Each is asked within `SWEEP.patrol`, a few in each sweep; what an object does about it is its own business.
 * Schedules have a list of their own (`durable-objects/environment/schedules.ts`).
 */
import { catalogOf } from "../apps/catalog.ts";
import type { Bindings } from "../bindings.ts";
import { patrolled } from "../decide/schedule/told.ts";
import type { EntryKind, ListedEntry } from "../events/directory.ts";
import { runningOperations } from "../history/operations.ts";
import { SCHEDULE, SWEEP } from "../limits.ts";
import { capacityNamed, directoryStub, operationStub, pauseStub, waitsStub, windowStub } from "../objects.ts";
import { askEach } from "./asking.ts";

/** Asks those whose turn it is at `now`, ms since 1970. Throws what D1 throws. */
export async function patrol(bindings: Bindings, environmentId: string, now: number): Promise<void> {
  const catalog = await catalogOf(bindings, environmentId, now);
  const rounds = Math.floor(SWEEP.patrol / SCHEDULE.sweep);
  const turn = (names: readonly string[]) => patrolled(names, Math.floor(now / SCHEDULE.sweep), rounds);
  const functionIds = catalog.functions.map(({ id }) => id);
  const paused = catalog.functions.filter((registered) => registered.paused !== null || registered.resumed !== null);
  await rouseListed(bindings, environmentId, turn(functionIds));
  await askEach(
    turn(paused.map(({ id }) => id)),
    (id) => `pauses of function ${id}`,
    (id) => pauseStub(bindings, environmentId, id).rouse(),
  );
  await askEach(
    turn(catalog.awaited),
    () => "an event's waits",
    (name) => waitsStub(bindings, environmentId, "event", name).rouse(),
  );
  await askEach(
    await runningOperations(bindings.DB, environmentId, SWEEP.operations),
    (id) => `operation ${id}`,
    (id) => operationStub(bindings, environmentId, id).rouse(),
  );
}

/** Lines and windows that the directories of these functions list. Those that hold nothing any more are removed from it. */
async function rouseListed(bindings: Bindings, environmentId: string, functionIds: readonly string[]): Promise<void> {
  let places: Place[] = functionIds.map((functionId) => ({ functionId, last: null }));
  for (let page = 0; page < SWEEP.directoryPages && places.length > 0; page++) {
    const lists = await askEach(
      places,
      ({ functionId }) => `directory of function ${functionId}`,
      ({ functionId, last }) => directoryStub(bindings, environmentId, functionId).list(KINDS, last),
    );
    const entries = places.flatMap(({ functionId }, i) =>
      (lists[i]?.entries ?? []).map((entry) => ({ functionId, ...entry })),
    );
    const answers = await askEach(entries, titleOf, (entry) => rouseEntry(bindings, environmentId, entry));
    const gone = entries.filter((_, i) => answers[i] === false);
    await askEach(gone, titleOf, ({ functionId, name, enteredAt }) =>
      directoryStub(bindings, environmentId, functionId).leave(name, enteredAt),
    );
    places = places.flatMap(({ functionId }, i) => {
      const last = lists[i]?.entries.at(-1);
      return lists[i]?.more !== true || last === undefined ? [] : [{ functionId, last }];
    });
  }
}

const KINDS: readonly EntryKind[] = ["line", "batch", "debounce"];

/** A directory, and the last entry that was read. */
interface Place {
  readonly functionId: string;
  readonly last: ListedEntry | null;
}

type ListedOf = ListedEntry & Pick<Place, "functionId">;

/** For logs: keys are the users' and stay out of them. */
function titleOf({ kind, functionId }: ListedOf): string {
  return `a ${kind} of function ${functionId}`;
}

async function rouseEntry(
  bindings: Bindings,
  environmentId: string,
  { kind, key, name, functionId }: ListedOf,
): Promise<boolean> {
  if (kind === "line") return await capacityNamed(bindings, name).rouse();
  return await (await windowStub(bindings, environmentId, kind, { functionId, key })).rouse();
}
