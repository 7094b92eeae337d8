/**
 * Which pages of other origins any API key allows (API-26), as every request of such a page asks before its key is known. Owns what an isolate
 * remembers of it.
 */
import * as z from "zod";
import { ensureSchema } from "../history/schema.ts";
import { parseJson } from "../json.ts";
import { Remembered } from "./remembered.ts";

const listed = z.array(z.string());

const known = new Remembered(async (db): Promise<ReadonlySet<string>> => {
  await ensureSchema(db);
  const statement = "SELECT DISTINCT origins FROM api_keys WHERE origins <> '[]'";
  const { results } = await db.prepare(statement).all<{ origins: string }>();
  const lists = results.map(({ origins }) => {
    const parsed = parseJson(origins);
    return listed.parse(parsed.ok ? parsed.value : null);
  });
  return new Set(lists.flat());
});

/** Whether some API key allows pages of this origin; which of them may do what the key says. `now` in ms since 1970. */
export async function isPageOrigin(db: D1Database, origin: string, now: number): Promise<boolean> {
  return (await known.get(db, "", now)).has(origin);
}

/** Makes this isolate read anew, for whoever made or deleted a key. */
export function forgetPageOrigins(db: D1Database): void {
  known.forget(db);
}
