/**
 * The minute's sweep, of every environment. Owns which are swept when, that branches nobody syncs any more are archived (EV-24), and that keys
 * are sealed anew while a former root secret is known (SE-14).
 * Guarantees that an environment whose sweep fails keeps no other from being swept, and that archived ones, whose runs still end and whose rows
 * still expire, cost an hour's sweep and not a minute's.
 */
import type { Bindings } from "../bindings.ts";
import { patrolled } from "../decide/schedule/told.ts";
import { BRANCHES } from "../environments/environment.ts";
import { allEnvironments, forgetEnvironments } from "../environments/known.ts";
import { archiveIdleBranches } from "../environments/store.ts";
import { inParallel } from "../events/parallel.ts";
import { ensureSchema } from "../history/schema.ts";
import { resealKeys } from "../keys/reseal.ts";
import { ENVIRONMENT, SCHEDULE } from "../limits.ts";
import { environmentStub } from "../objects.ts";
import { settingsOf } from "../settings.ts";

/** Sweeps what is to be swept in the minute of `now` (ms). Throws, at the end, the first of what failed. */
export async function sweepEnvironments(bindings: Bindings, now: number): Promise<void> {
  const settings = settingsOf(bindings);
  const archived = settings.mode === "cloud" ? await archiveBranches(bindings, now) : [];
  const all = await allEnvironments(bindings, settings);
  // Nothing runs in what branches share: it only keeps events that named none.
  const rests = ({ id, archivedAt }: (typeof all)[number]) => archivedAt !== null || id === BRANCHES.id;
  const active = all.filter((each) => !rests(each)).map(({ id }) => id);
  const resting = all.filter(rests).map(({ id }) => id);
  const turn = patrolled(resting, Math.floor(now / SCHEDULE.sweep), ENVIRONMENT.restingSweep);
  // What was archived just now still has schedules that do not know.
  const ids = new Set([...active, ...archived, ...turn]);
  await inParallel(ENVIRONMENT.parallel, [...ids], async (id) => await environmentStub(bindings, id).sweep());
  const hourly = Math.floor(now / SCHEDULE.sweep) % ENVIRONMENT.restingSweep === 0;
  if (hourly && settings.mode === "cloud") await resealKeys(bindings.DB, settings);
}

async function archiveBranches(bindings: Bindings, now: number): Promise<readonly string[]> {
  await ensureSchema(bindings.DB);
  const idle = { syncedBefore: now - ENVIRONMENT.idle, at: now, most: ENVIRONMENT.archived };
  const archived = await archiveIdleBranches(bindings.DB, idle);
  if (archived.length > 0) forgetEnvironments(bindings.DB);
  return archived;
}
