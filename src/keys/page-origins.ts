/**
 * Which pages of other origins any API key allows (API-26), as every request of such a page asks before its key is known. Owns what an isolate
 * remembers of it.
 */
import { listOrigins } from "./api-keys.ts";
import { rememberedRows } from "./remembered.ts";

const known = rememberedRows(listOrigins);

/** Whether some API key allows pages of this origin; which of them may do what the key says. `now` in ms since 1970. */
export async function isPageOrigin(db: D1Database, origin: string, now: number): Promise<boolean> {
  return (await known.get(db, "", now)).has(origin);
}

/** Makes this isolate read anew, for whoever made or deleted a key. */
export function forgetPageOrigins(db: D1Database): void {
  known.forget(db);
}
