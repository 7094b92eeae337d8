/**
 * Forgetting an environment, for test suites (`POST /test/reset`). Owns what goes: unfinished runs are cancelled, then every row of history and
 * the catalog. What a run still reports of its end afterwards shows up again.
 */
import { forgetCatalog } from "../apps/catalog.ts";
import { bumpStatement } from "../apps/store.ts";
import type { Bindings } from "../bindings.ts";
import { MillraceError } from "../errors.ts";
import { inParallel } from "../events/parallel.ts";
import { PAUSE } from "../limits.ts";
import { environmentStub } from "../objects.ts";
import { cancelRun } from "./cancel.ts";

/** Forgets it. The database's schema must be in place. */
export async function startOver(bindings: Bindings, environmentId: string): Promise<void> {
  const { DB } = bindings;
  const { results: runs } = await DB.prepare(
    "SELECT run_id AS id FROM runs WHERE environment_id = ?1 AND due_at IS NOT NULL",
  )
    .bind(environmentId)
    .all<{ id: string }>();
  await inParallel(PAUSE.parallel, runs, ({ id }) => cancelIfOpen(bindings, environmentId, id));
  // Every table of an environment has this column, and none is named by input.
  const { results: tables } = await DB.prepare(
    `SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%environment_id%' AND name <> 'catalog_versions'`,
  ).all<{ name: string }>();
  const emptied = tables.map(({ name }) => {
    return DB.prepare(`DELETE FROM "${name}" WHERE environment_id = ?1`).bind(environmentId);
  });
  await DB.batch([...emptied, bumpStatement(DB, environmentId)]);
  forgetCatalog(DB, environmentId);
  await environmentStub(bindings, environmentId).reschedule();
}

async function cancelIfOpen(bindings: Bindings, environmentId: string, runId: string): Promise<void> {
  try {
    await cancelRun(bindings, environmentId, runId, { by: "api" });
  } catch (error) {
    // History lags: it may have ended meanwhile.
    if (!(error instanceof MillraceError)) throw error;
  }
}
