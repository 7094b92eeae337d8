/**
 * Sealing anew what a former root secret sealed (SE-14), so that it may be forgotten: keys that nobody uses or reveals as well. Guarantees that
 * one that cannot be opened keeps no other from being sealed, and that nothing is overwritten that changed meanwhile.
 */
import { messageOf } from "../errors.ts";
import { inParallel } from "../events/parallel.ts";
import { KEY } from "../limits.ts";
import type { Settings } from "../settings.ts";
import { seal, unseal } from "./sealed.ts";

const TABLES = ["event_keys", "signing_keys"] as const;

interface Row {
  readonly id: string;
  readonly environmentId: string;
  readonly sealed: string;
}

/** Looks at every key, unless the deployment has but one root secret. The schema must be in place. Answers how many were sealed anew. */
export async function resealKeys(db: D1Database, { secrets }: Pick<Settings, "secrets">): Promise<number> {
  if (secrets.length < 2) return 0;
  let count = 0;
  for (const table of TABLES) {
    const { results } = await db.prepare(`SELECT id, environment_id AS environmentId, sealed FROM ${table}`).all<Row>();
    await inParallel(KEY.sealedAtOnce, results, async ({ id, environmentId, sealed }) => {
      try {
        const { text, stale } = await unseal(secrets, environmentId, sealed);
        if (!stale) return;
        const update = db.prepare(`UPDATE ${table} SET sealed = ?3 WHERE id = ?1 AND sealed = ?2`);
        await update.bind(id, sealed, await seal(secrets, environmentId, text)).run();
        count++;
      } catch (error) {
        console.error(`The key ${id} was not sealed anew:`, messageOf(error));
      }
    });
  }
  return count;
}
