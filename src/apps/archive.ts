/**
 * Archiving apps and functions by hand, and bringing them back (AP-24, AP-25). Owns the statements.
 * An app's archiving leaves its functions' own marks alone, so that unarchiving it restores exactly what was active before.
 */
import type { Bindings } from "../bindings.ts";
import { changeCatalog } from "./change-catalog.ts";

/** What is archived: an app with all its functions, or one function. */
export type Archivable = "app" | "function";

const TABLE: Readonly<Record<Archivable, string>> = { app: "apps", function: "functions" };

/** Archives it. False when it was archived before, or does not exist. The schema must be in place; `now` in ms. */
export async function archive(
  bindings: Bindings,
  environmentId: string,
  kind: Archivable,
  id: string,
  now: number,
): Promise<boolean> {
  const update = `UPDATE ${TABLE[kind]} SET archived_at = ?3
    WHERE environment_id = ?1 AND id = ?2 AND archived_at IS NULL`;
  return await changeCatalog(bindings, environmentId, bindings.DB.prepare(update).bind(environmentId, id, now));
}

/** Brings it back. False when it was not archived itself, or does not exist. */
export async function unarchive(
  bindings: Bindings,
  environmentId: string,
  kind: Archivable,
  id: string,
): Promise<boolean> {
  const update = `UPDATE ${TABLE[kind]} SET archived_at = NULL
    WHERE environment_id = ?1 AND id = ?2 AND archived_at IS NOT NULL`;
  return await changeCatalog(bindings, environmentId, bindings.DB.prepare(update).bind(environmentId, id));
}
