/**
 * One change to an environment's catalog by hand. Owns what makes it complete: the catalog's version rises with it in one transaction, so
 * that every isolate sees it as soon as its catalog is as old as a catalog may become, and schedules follow (TR-14).
 */
import type { Bindings } from "../bindings.ts";
import { messageOf } from "../errors.ts";
import { environmentStub } from "../objects.ts";
import { forgetCatalog } from "./catalog.ts";
import { bumpStatement } from "./store.ts";

/** Runs an update of one row. False when no row met its conditions. The schema must be in place. */
export async function changeCatalog(
  bindings: Bindings,
  environmentId: string,
  update: D1PreparedStatement,
): Promise<boolean> {
  const [changed] = await bindings.DB.batch([update, bumpStatement(bindings.DB, environmentId)]);
  forgetCatalog(bindings.DB, environmentId);
  if ((changed?.meta.changes ?? 0) === 0) return false;
  try {
    await environmentStub(bindings, environmentId).reschedule();
  } catch (error) {
    // The change is made. A schedule that was not told looks at the catalog before it fires, and the minute's sweep tells it.
    console.error("Schedules do not know of a change to the catalog yet:", messageOf(error));
  }
  return true;
}
