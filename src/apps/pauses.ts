/**
 * Pausing and resuming functions by hand (CR-14). Owns the statements, and that the function's runs hear of it; what becomes of them is
 * decided in `src/decide`. Guarantees that pauses of a function never overlap, and that no two begin at the same time: the beginning is a
 * pause's name.
 */
import type { Bindings } from "../bindings.ts";
import type { PauseLook } from "../decide/pause/telling.ts";
import { messageOf } from "../errors.ts";
import { pauseStub } from "../objects.ts";
import { changeCatalog } from "./change-catalog.ts";
import type { PausedRuns } from "./function.ts";

// A pause in effect that holds runs may become one that cancels them; what is cancelled cannot be held again.
const PAUSE = `UPDATE functions
  SET paused_at = CASE WHEN paused_at IS NOT NULL AND resumed_at IS NULL THEN paused_at
      ELSE MAX(?3, COALESCE(resumed_at + 1, 0)) END,
    paused_running = ?4, resumed_at = NULL
  WHERE environment_id = ?1 AND id = ?2
    AND (paused_at IS NULL OR resumed_at IS NOT NULL OR (paused_running = 'hold' AND ?4 = 'cancel'))`;

const RESUME = `UPDATE functions SET resumed_at = MAX(?3, paused_at)
  WHERE environment_id = ?1 AND id = ?2 AND paused_at IS NOT NULL AND resumed_at IS NULL`;

/** Pauses a function. False when it was paused like this before, or more strictly. The schema must be in place; `now` in ms. */
export async function pauseFunction(
  bindings: Bindings,
  environmentId: string,
  functionId: string,
  { running, now }: { readonly running: PausedRuns; readonly now: number },
): Promise<boolean> {
  const pause = bindings.DB.prepare(PAUSE).bind(environmentId, functionId, now, running);
  return await change(bindings, environmentId, functionId, pause);
}

/** Ends the pause of a function. False when there was none in effect. The schema must be in place; `now` in ms. */
export async function resumeFunction(
  bindings: Bindings,
  environmentId: string,
  functionId: string,
  now: number,
): Promise<boolean> {
  return await change(
    bindings,
    environmentId,
    functionId,
    bindings.DB.prepare(RESUME).bind(environmentId, functionId, now),
  );
}

/** The newest pause of a function, in effect or over; null when there was none. */
export async function readPause(db: D1Database, environmentId: string, functionId: string): Promise<PauseLook | null> {
  const row = await db
    .prepare(`SELECT paused_at AS since, resumed_at AS until, paused_running AS running,
        json_array_length(configuration, '$.runConcurrency') > 0 AS placed
      FROM functions WHERE environment_id = ?1 AND id = ?2 AND paused_at IS NOT NULL`)
    .bind(environmentId, functionId)
    .first<Omit<PauseLook, "placed"> & { readonly placed: 0 | 1 | null }>();
  return row === null ? null : { ...row, placed: row.placed === 1 };
}

/** Whoever changes a pause may die, or fail, before it can say so: the object that tells the runs is warned first. */
async function change(
  bindings: Bindings,
  environmentId: string,
  functionId: string,
  update: D1PreparedStatement,
): Promise<boolean> {
  const pauses = pauseStub(bindings, environmentId, functionId);
  await pauses.watch();
  const changed = await changeCatalog(bindings, environmentId, update);
  if (!changed) return false;
  try {
    await pauses.look();
  } catch (error) {
    // The change is made, and the object looks by itself in a moment.
    console.error(`Runs of function ${functionId} do not hear of its pause yet:`, messageOf(error));
  }
  return true;
}
