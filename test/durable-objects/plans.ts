/**
 * How the database goes about what it is asked: its own plans of the statements that some work prepares.
 */
import { bindings } from "./records.ts";

/** A database that notes what is prepared. */
export function watchedDatabase(): { readonly db: D1Database; readonly queries: Set<string> } {
  const queries = new Set<string>();
  const prepare = (query: string) => {
    queries.add(query);
    return bindings.DB.prepare(query);
  };
  // Only these two methods are used.
  return { db: { prepare, batch: (statements) => bindings.DB.batch(statements) } as D1Database, queries };
}

/** The steps of a statement's plan that go through all rows of a table, or of one environment in it. */
export async function walksOf(query: string): Promise<string[]> {
  const parameters = Math.max(0, ...[...query.matchAll(/\?(\d+)/g)].map(([, number]) => Number(number)));
  const { results } = await bindings.DB.prepare(`EXPLAIN QUERY PLAN ${query}`)
    .bind(...Array<string>(parameters).fill("[]"))
    .all<{ detail: string }>();
  const steps = results.map(({ detail }) => detail);
  return steps.filter((step) => /^SCAN (?!.*VIRTUAL)|\(environment_id=\?\)$|TEMP B-TREE/.test(step));
}
