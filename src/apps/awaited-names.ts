/**
 * The event names that runs wait for, as part of the catalog. Owns their statements; who decides is the name's `Waits` object.
 * Guarantees that every isolate knows a change when its catalog is as old as a catalog may become, and this one at once.
 */
import type { Bindings } from "../bindings.ts";
import { countD1 } from "../counters.ts";
import { ensureSchema } from "../history/schema.ts";
import { forgetCatalog } from "./catalog.ts";
import { bumpStatement } from "./store.ts";

/** From now on events of the name are offered to its object. Saying it again changes nothing but the catalog's version. */
export async function announceName(bindings: Pick<Bindings, "DB">, environmentId: string, name: string): Promise<void> {
  await change(
    bindings.DB,
    environmentId,
    name,
    "INSERT OR IGNORE INTO awaited_names (environment_id, name) VALUES (?1, ?2)",
  );
}

/** Nobody waits for the name any more. */
export async function withdrawName(bindings: Pick<Bindings, "DB">, environmentId: string, name: string): Promise<void> {
  await change(bindings.DB, environmentId, name, "DELETE FROM awaited_names WHERE environment_id = ?1 AND name = ?2");
}

async function change(db: D1Database, environmentId: string, name: string, statement: string): Promise<void> {
  await ensureSchema(db);
  const results = await db.batch([db.prepare(statement).bind(environmentId, name), bumpStatement(db, environmentId)]);
  for (const { meta } of results) countD1(meta);
  forgetCatalog(db, environmentId);
}
