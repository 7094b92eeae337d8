/**
 * The database's schema. Owns applying `migrations/*.sql` from inside the Worker, so that a deployment needs no second command.
 * Keeps its books in wrangler's own table, so `wrangler d1 migrations apply` and the Worker agree on what was done.
 * Guarantees that each migration is applied exactly once and as a whole, whoever else is applying it at the same time.
 */
import initial from "../../migrations/0001_initial.sql";
import awaitedNames from "../../migrations/0002_awaited_names.sql";
import pauses from "../../migrations/0003_pauses.sql";
import operations from "../../migrations/0004_operations.sql";
import replays from "../../migrations/0005_replays.sql";
import dueRuns from "../../migrations/0006_due_runs.sql";
import metrics from "../../migrations/0007_metrics.sql";
import search from "../../migrations/0008_search.sql";
import insights from "../../migrations/0009_insights.sql";
import eventDepth from "../../migrations/0010_event_depth.sql";
import environments from "../../migrations/0011_environments.sql";
import erased from "../../migrations/0012_erased.sql";
import engineFigures from "../../migrations/0013_engine_figures.sql";
import aiMinutes from "../../migrations/0014_ai_minutes.sql";
import { splitStatements } from "./statements.ts";

/** Every migration, oldest first, under its file name, which is what wrangler records. */
const MIGRATIONS: readonly { readonly name: string; readonly script: string }[] = [
  { name: "0001_initial.sql", script: initial },
  { name: "0002_awaited_names.sql", script: awaitedNames },
  { name: "0003_pauses.sql", script: pauses },
  { name: "0004_operations.sql", script: operations },
  { name: "0005_replays.sql", script: replays },
  { name: "0006_due_runs.sql", script: dueRuns },
  { name: "0007_metrics.sql", script: metrics },
  { name: "0008_search.sql", script: search },
  { name: "0009_insights.sql", script: insights },
  { name: "0010_event_depth.sql", script: eventDepth },
  { name: "0011_environments.sql", script: environments },
  { name: "0012_erased.sql", script: erased },
  { name: "0013_engine_figures.sql", script: engineFigures },
  { name: "0014_ai_minutes.sql", script: aiMinutes },
];

const BOOKS = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

// Only the fact is remembered, never a promise: a request must not wait for work that another, perhaps cancelled, request began.
const ready = new WeakSet<D1Database>();

/**
 * Brings the database up to date. Costs nothing after the first success in an isolate, one read when there is nothing to do.
 * Every entrance of the Worker that leads to D1 calls it first. Throws what D1 throws; a later call tries again.
 */
export async function ensureSchema(db: D1Database): Promise<void> {
  if (ready.has(db)) return;
  const applied = await appliedMigrations(db);
  for (const { name, script } of MIGRATIONS) {
    if (!applied.has(name)) await applyMigration(db, name, script);
  }
  ready.add(db);
}

async function appliedMigrations(db: D1Database): Promise<Set<string>> {
  const select = db.prepare("SELECT name FROM d1_migrations");
  try {
    const { results } = await select.all<{ name: string }>();
    return new Set(results.map((row) => row.name));
  } catch {
    // Nearly always a database without books. If it is anything else, this fails in the same way and the caller hears of it.
    await db.batch([db.prepare(BOOKS)]);
    const { results } = await select.all<{ name: string }>();
    return new Set(results.map((row) => row.name));
  }
}

/** One transaction that claims the name first: of two isolates the second fails on the unique name and changes nothing. */
async function applyMigration(db: D1Database, name: string, script: string): Promise<void> {
  const claim = db.prepare("INSERT INTO d1_migrations (name) VALUES (?1)").bind(name);
  try {
    await db.batch([claim, ...splitStatements(script).map((statement) => db.prepare(statement))]);
  } catch (error) {
    const applied = await appliedMigrations(db);
    if (!applied.has(name)) throw error;
  }
}
