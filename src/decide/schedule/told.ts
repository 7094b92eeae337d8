/**
 * What an environment's schedules have been told, compared with what its catalog says (TR-14). Pure.
 */
import type { RegisteredFunction } from "../../apps/function.ts";
import type { CronTrigger } from "./schedule.ts";

/** The crons on which a function is to start now: none while it is paused or archived. No text twice. */
export function activeCrons({ configuration, archived, paused }: RegisteredFunction): CronTrigger[] {
  if (archived || paused !== null) return [];
  return configuration.triggers.flatMap((trigger) =>
    trigger.kind === "cron" ? [{ cron: trigger.cron, jitter: trigger.jitter }] : [],
  );
}

/** What one schedule is to be told. */
export interface Telling {
  readonly functionId: string;
  readonly crons: readonly CronTrigger[];
}

/**
 * Whom to tell what. `told` holds, by function, what its schedule was told last as {@link tellingText} writes it; null when it is not known
 * whether the message arrived.
 */
export function tellings(
  functions: readonly RegisteredFunction[],
  told: ReadonlyMap<string, string | null>,
): readonly Telling[] {
  const wanted = new Map(functions.map((registered) => [registered.id, activeCrons(registered)]));
  for (const functionId of told.keys()) if (!wanted.has(functionId)) wanted.set(functionId, []);
  return [...wanted]
    .map(([functionId, crons]): Telling => ({ functionId, crons }))
    .filter(({ functionId, crons }) =>
      told.has(functionId) ? told.get(functionId) !== tellingText(crons) : crons.length > 0,
    );
}

/** What a schedule was told, as text to compare; a schedule without crons is told nothing and gone. */
export function tellingText(crons: readonly CronTrigger[]): string {
  return JSON.stringify(crons.map(({ cron, jitter }) => [cron, jitter]));
}

/** The functions whose schedules are looked at in a round, so that `rounds` rounds one after the other come to everybody. */
export function patrolled(functionIds: readonly string[], round: number, rounds: number): readonly string[] {
  const count = Math.ceil(functionIds.length / rounds);
  const first = (round * count) % Math.max(functionIds.length, 1);
  return [...functionIds, ...functionIds].slice(first, first + count);
}
