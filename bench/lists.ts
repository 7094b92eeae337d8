/**
 * `node bench/lists.ts`: how long lists, searches, figures and questions take beside 1,000,000 runs and as many events of two weeks. The aim is
 * less than 100 ms for a page of a list, and less than 2 s for the first page of anything (OB-3).
 *
 *   --in-memory  state on a memory-backed file system, where there is one
 *   --runs N     instead of 1,000,000
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import * as z from "zod";
import { buildWorker, startEngine } from "../cli/engine.ts";
import { LOCAL } from "../src/environments/environment.ts";
import { encodeUlid } from "../src/ids.ts";
import { percentiles } from "./percentiles.ts";
import { stateDir } from "./state.ts";

const { values } = parseArgs({ options: { "in-memory": { type: "boolean" }, runs: { type: "string" } } });
const RUNS = Number(values.runs ?? 1_000_000);
const SAMPLES = 15;
const FUNCTIONS = 50;
const APPS = 5;
const NAMES = 30;
const DAY = 24 * 60 * 60 * 1000;
const SPAN = 14 * DAY;

const dir = await stateDir(values["in-memory"] === true);
const bundleDir = await buildWorker();
const options = { port: 0, persistDir: dir, bundleDir, quiet: true, bindings: { MILLRACE_MODE: "dev" } };

process.stderr.write(`filling a database with ${RUNS.toLocaleString("en")} runs and events\n`);
const empty = await startEngine(options);
await fetch(`${empty.url}/v1/runs`).then((response) => response.arrayBuffer());
await empty.stop();
const now = Date.now();
fill(databaseFile(dir));

const engine = await startEngine(options);
const replySchema = z.object({
  data: z.unknown(),
  metadata: z.object({
    searched_until: z.string().nullable().optional(),
    next_cursor: z.string().nullable().optional(),
  }),
});

/** The file of the one D1 database that holds history. */
function databaseFile(state: string): string {
  const files = readdirSync(state, { recursive: true, encoding: "utf8" }).filter((file) => /d1.*\.sqlite$/.test(file));
  const tables = (file: string) => {
    const database = new DatabaseSync(join(state, file), { readOnly: true });
    const found = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'metric_minutes'").all();
    database.close();
    return found.length > 0;
  };
  const file = files.find(tables);
  if (file === undefined) throw new Error("the engine left no database");
  return join(state, file);
}

function fill(file: string): void {
  const database = new DatabaseSync(file);
  const run =
    database.prepare(`INSERT INTO runs (environment_id, run_id, app_id, function_id, function_slug, function_version, status, queued_at,
    started_at, ended_at, event_ids, event_name, output, sequence, due_at) VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, 5, ?)`);
  const event =
    database.prepare(`INSERT INTO events (environment_id, internal_id, name, received_at, source, payload, outcomes, routed, internal)
    VALUES (?, ?, ?, ?, 'js:v4.24.0', ?, '[]', 1, 0)`);
  const entropy = new Uint8Array(10);
  database.exec("BEGIN");
  for (let n = 0; n < RUNS; n++) {
    const time = Math.floor(now - SPAN + (n / RUNS) * SPAN);
    new DataView(entropy.buffer).setUint32(6, n);
    const id = encodeUlid(time, entropy);
    const fn = n % FUNCTIONS;
    // Every fiftieth run failed; a few of the newest go on; nothing was ever skipped.
    const status = n >= RUNS - 200 ? "running" : n % 50 === 7 ? "failed" : n % 400 === 9 ? "cancelled" : "completed";
    const ended = status === "running" ? null : time + 1500;
    const output =
      status === "failed" ? { name: n % 1000 === 7 ? "RareError" : "Error", message: "no" } : { n, ok: true };
    const name = `shop/event-${n % NAMES}`;
    const data = { n, user: `user-${n % 5000}`, plan: n % 3 === 0 ? "pro" : "free", note: "x".repeat(60) };
    const due = ended === null ? now + DAY : null;
    run.run(
      LOCAL.id,
      id,
      `app-${fn % APPS}`,
      `fn-${fn}`,
      `app-${fn % APPS}-fn-${fn}`,
      status,
      time,
      time + 5,
      ended,
      `["${id}"]`,
      name,
      ended === null ? null : JSON.stringify(output),
      due,
    );
    event.run(LOCAL.id, id, name, time, JSON.stringify({ name, data, id, ts: time, user: {} }));
  }
  const minutes =
    database.prepare(`INSERT INTO metric_minutes SELECT environment_id, queued_at / 60000, function_id, MAX(function_slug), MAX(app_id),
    COUNT(*), COUNT(*), COUNT(*), SUM(status = 'completed'), SUM(status = 'failed'), SUM(status = 'cancelled'), 0, 0, 0,
    COUNT(*), COUNT(*), 0, 0, COUNT(*), 100, 10, 5, ${Array(11).fill("COUNT(*)").join(", ")} FROM runs GROUP BY 1, 2, 3`);
  minutes.run();
  database.exec("COMMIT");
  database.close();
}

interface Measured {
  readonly what: string;
  readonly path: string;
  readonly body?: unknown;
}

const q = (expression: string) => `q=${encodeURIComponent(expression)}`;
const at = (days: number) => encodeURIComponent(new Date(now - days * DAY).toISOString());
const sql = (question: string) => ({ path: "/v1/insights/query", body: { sql: question } });

const LISTS: readonly Measured[] = [
  { what: "runs, first page", path: "/v1/runs?limit=50" },
  { what: "runs, completed", path: "/v1/runs?limit=50&status=Completed" },
  { what: "runs, failed (2 %)", path: "/v1/runs?limit=50&status=Failed" },
  { what: "runs, failed or cancelled", path: "/v1/runs?limit=50&status=Failed,Cancelled" },
  { what: "runs, running (200 of all)", path: "/v1/runs?limit=50&status=Running" },
  { what: "runs, skipped (there are none)", path: "/v1/runs?limit=50&status=Skipped" },
  { what: "runs of a function", path: "/v1/runs?limit=50&function_id=fn-7" },
  { what: "failed runs of a function", path: "/v1/runs?limit=50&function_id=fn-7&status=Failed" },
  { what: "runs of an app", path: "/v1/runs?limit=50&app_id=app-3" },
  { what: "failed runs of an app", path: "/v1/runs?limit=50&app_id=app-2&status=Failed" },
  { what: "runs of an unknown app", path: "/v1/runs?limit=50&app_id=none" },
  { what: "runs queued in an hour, a week ago", path: `/v1/runs?limit=50&from=${at(7)}&until=${at(7 - 1 / 24)}` },
  {
    what: "failed runs started in a day, a week ago",
    path: `/v1/runs?limit=50&status=Failed&time_field=started_at&from=${at(7)}&until=${at(6)}`,
  },
  {
    what: "a function's failed runs that ended in a day",
    path: `/v1/runs?limit=50&function_id=fn-7&status=Failed&time_field=ended_at&from=${at(7)}&until=${at(6)}`,
  },
  { what: "events, first page", path: "/v1/events?limit=50" },
  { what: "events of a name", path: `/v1/events?limit=50&name=${encodeURIComponent("shop/event-3")}` },
  {
    what: "events of a name in an hour, a week ago",
    path: `/v1/events?limit=50&name=${encodeURIComponent("shop/event-3")}&received_after=${at(7)}&received_before=${at(7 - 1 / 24)}`,
  },
  { what: "everything with event-2 in its name", path: "/v1/search?q=event-2" },
  { what: "event names with their last day", path: "/v1/event-types?limit=50" },
];

const SEARCHES: readonly Measured[] = [
  { what: "runs by output, one in 1,000", path: `/v1/runs?limit=50&${q('output.name == "RareError"')}` },
  { what: "failed runs by output", path: `/v1/runs?limit=50&status=Failed&${q('output.name == "RareError"')}` },
  {
    what: "runs by a field of their event, one in 5,000",
    path: `/v1/runs?limit=50&${q('event.data.user == "user-77"')}`,
  },
  { what: "runs that only the language can judge", path: `/v1/runs?limit=50&${q('event.data.user.endsWith("-77")')}` },
  { what: "events by a field, one in 5,000", path: `/v1/events?limit=50&${q('event.data.user == "user-77"')}` },
  {
    what: "events of a name by a field",
    path: `/v1/events?limit=50&${q('event.name == "shop/event-3" && event.data.n < 1000')}`,
  },
  {
    what: "events that only the language can judge",
    path: `/v1/events?limit=50&${q('event.data.user.matches("7{4}")')}`,
  },
];

const FIGURES: readonly Measured[] = [
  { what: "functions, last day", path: "/v1/metrics/functions" },
  { what: "runs by app, 30 days", path: "/v1/metrics/runs?range=30d" },
  { what: "backlog, last day", path: "/v1/metrics/backlog" },
  { what: "scrape", path: "/v1/prom/local" },
  { what: "count(*) of a name", ...sql("SELECT count(*) FROM events WHERE name = 'shop/event-3'") },
  {
    what: "count by a field of JSON",
    ...sql("SELECT simpleJSONExtractString(data, 'plan') AS plan, count(*) FROM events GROUP BY plan"),
  },
  {
    what: "median and p95 by function",
    ...sql(
      "SELECT function, median(ended_at - started_at), quantile(0.95)(ended_at - started_at) FROM runs GROUP BY function",
    ),
  },
  {
    what: "regular expression",
    ...sql("SELECT count(*) FROM events WHERE match(JSONExtractString(data, 'user'), '77$')"),
  },
];

/** Asks once; how long it took in ms, how many items came, and whether the search stopped early. */
async function ask({ path, body }: Measured): Promise<{ ms: number; items: number; early: boolean }> {
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const began = performance.now();
  const response = await fetch(`${engine.url}${path}`, init);
  const text = await response.text();
  const ms = performance.now() - began;
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text.slice(0, 300)}`);
  const reply = text.startsWith("{") ? replySchema.parse(JSON.parse(text)) : null;
  const items = Array.isArray(reply?.data) ? reply.data.length : 1;
  return { ms, items, early: typeof reply?.metadata.searched_until === "string" };
}

async function report(title: string, questions: readonly Measured[], samples: number): Promise<void> {
  console.log(`\n${title.padEnd(52)}    p50      max  items`);
  for (const question of questions) {
    await ask(question);
    const taken = [];
    for (let i = 0; i < samples; i++) {
      // Each scrape is to be a new one.
      taken.push(await ask(question));
    }
    const times = taken.map(({ ms }) => ms);
    const [first] = taken;
    const early = first?.early === true ? "  stopped early" : "";
    const [middle, worst] = [percentiles(times).p50, Math.max(...times)].map((ms) => `${ms.toFixed(1)} ms`.padStart(9));
    console.log(`${question.what.padEnd(52)}${middle}${worst}  ${String(first?.items ?? 0).padStart(5)}${early}`);
  }
}

console.log(
  `${RUNS.toLocaleString("en")} runs and events, state ${values["in-memory"] === true ? "in memory" : "on disk"}`,
);
await report("lists", LISTS, SAMPLES);
await report("searches", SEARCHES, 5);
await report("figures and questions", FIGURES, 3);
await engine.stop();
process.exit(0);
