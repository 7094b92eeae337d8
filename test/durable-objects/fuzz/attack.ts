/**
 * Attacking the whole Worker inside workerd: sends hostile requests and judges the answers (SE-15). Owns what must hold of each answer, and
 * how it is known that a refusal has changed nothing.
 */
import { listDurableObjectIds, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import * as fc from "fast-check";
import { expect } from "vitest";
import * as z from "zod";
import { ERRORS, type ErrorCode } from "../../../src/errors.ts";
import { type FuzzVariables, planOf } from "../../fuzz/plan.ts";
import { type HostileRequest, hostileRequest, type Surface } from "../../fuzz/requests.ts";
import { bindings } from "../records.ts";

// The Worker itself; the plugin types exports only for projects that generate their types.
const worker = (exports as unknown as { default: Fetcher }).default;

/** Counts of what was accepted, which history writes when it comes to it. */
const isCounted = (table: string) => table.startsWith("metric_");

/** What answers: the Worker as it is configured, or its router with other bindings. */
export type Target = (request: Request) => Promise<Response>;

/** The Worker in dev mode. */
export const inDevMode: Target = (request) => worker.fetch(request);

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Requests of one attack that are under way together. */
const TOGETHER = 20;

interface Attack {
  readonly cases: number;
  readonly target?: Target;
  /** Tables that change by themselves meanwhile, because something accepted goes on. */
  readonly moving?: (table: string) => boolean;
  /** Of surfaces that have forms of their own, or take some of it, only that nothing fails is asked. */
  readonly loose?: true;
  /** More that must be as before after a refusal. */
  readonly alsoSame?: () => Promise<unknown>;
}

/** Sends `cases` hostile requests of these surfaces. Fails with the seed and the request that was answered wrongly. */
export async function attack(surfaces: readonly Surface[], options: Attack): Promise<void> {
  const { cases, target = inDevMode, moving = isCounted, alsoSame = async () => null, loose } = options;
  // The plugin binds what vitest.config.ts adds to wrangler.toml.
  const plan = planOf(env as FuzzVariables, cases);
  const state = async () => [await stateOf(moving), await alsoSame()];
  const requests = fc.array(fc.oneof(...surfaces.map(hostileRequest)), { minLength: TOGETHER, maxLength: TOGETHER });
  const property = fc.asyncProperty(requests, async (sent) => {
    const answers = await Promise.all(sent.map((request) => answerTo(target, request)));
    for (const [at, answer] of answers.entries()) judge(sent[at], answer, loose !== true);
    if (loose === true) return;
    const refused = sent.filter((_, at) => (answers[at]?.status ?? 0) >= 400);
    const before = await state();
    for (const answer of await Promise.all(refused.map((request) => answerTo(target, request)))) {
      expect(answer.status, answer.text).toBeGreaterThanOrEqual(400);
    }
    expect(await state(), `refused, and yet something changed: ${refused.map(shown).join("\n")}`).toEqual(before);
  });
  await fc.assert(property, { ...plan, numRuns: Math.ceil(plan.numRuns / TOGETHER) });
}

async function answerTo(target: Target, { method, path, headers, body }: HostileRequest): Promise<Answer> {
  const response = await target(new Request(`http://engine${path}`, { method, headers, body }));
  response.webSocket?.accept();
  response.webSocket?.close(1000);
  // A stream that goes on is not read to its end.
  if (response.headers.get("content-type")?.startsWith("text/event-stream") === true) {
    await response.body?.cancel();
    return { status: response.status, text: "" };
  }
  return { status: response.status, text: await response.text() };
}

const refusal = z.object({
  status: z.int(),
  code: z.string(),
  error: z.string().min(1),
  data: z.null().optional(),
  ids: z.tuple([]).optional(),
});

function judge(request: HostileRequest | undefined, { status, text }: Answer, formed: boolean): void {
  const told = `${shown(request)} was answered with ${status} ${text.slice(0, 500)}`;
  // What is not built says so.
  if (status !== 501) expect(status, told).toBeLessThan(500);
  if (status < 400 || !formed) return;
  const parsed = refusal.safeParse(JSON.parse(text));
  expect(parsed.error?.issues, told).toBeUndefined();
  const code = parsed.data?.code ?? "";
  expect(Object.keys(ERRORS), told).toContain(code);
  // Just found to be one.
  expect([parsed.data?.status, ERRORS[code as ErrorCode].status], told).toEqual([status, status]);
  expect(parsed.data?.ids === undefined, told).toBe(parsed.data?.data === null);
}

function shown(request: HostileRequest | undefined): string {
  if (request === undefined) return "nothing";
  const { method, path, headers, body } = request;
  const text = body === null ? "" : JSON.stringify(new TextDecoder().decode(body)).slice(0, 1500);
  return `${method} ${path.slice(0, 300)} ${JSON.stringify(headers)} ${text}`;
}

const { DB, RUN, WINDOW, CAPACITY, DIRECTORY, WAITS, SCHEDULE, OPERATION, PAUSE, CHANNEL, ENVIRONMENT } = bindings;
const CLASSES = { RUN, WINDOW, CAPACITY, DIRECTORY, WAITS, SCHEDULE, OPERATION, PAUSE, CHANNEL, ENVIRONMENT };

/** How much there is: rows by table, objects by class. */
async function stateOf(moving: (table: string) => boolean): Promise<Readonly<Record<string, number>>> {
  const tables = await tableNames();
  const counts = tables.filter((name) => !moving(name)).map((name) => `(SELECT COUNT(*) FROM ${name}) AS ${name}`);
  const rows = await DB.prepare(`SELECT ${counts.join(", ")}`).first<Record<string, number>>();
  const objects = await Promise.all(
    Object.entries(CLASSES).map(async ([name, namespace]) => {
      // Listing works for every class; the plugin's type takes one at a time.
      return [name, (await listDurableObjectIds(namespace as unknown as DurableObjectNamespace)).length];
    }),
  );
  return { ...rows, ...Object.fromEntries(objects) };
}

/** How much is stored: rows by table, and objects that hold something. One that was only asked is gone when it leaves memory. */
export async function storedState(): Promise<Readonly<Record<string, number>>> {
  const state: Record<string, number> = { ...(await stateOf(isCounted)) };
  for (const [name, namespace] of Object.entries(CLASSES)) {
    // As above.
    const objects = namespace as unknown as DurableObjectNamespace;
    const ids = await listDurableObjectIds(objects);
    const sizes = await Promise.all(
      ids.map((id) => runInDurableObject(objects.get(id), (_, { storage }) => tablesIn(storage.sql))),
    );
    state[name] = sizes.filter((size) => size > 0).length;
  }
  return state;
}

function tablesIn(sql: SqlStorage): number {
  return Number(sql.exec("SELECT COUNT(*) AS n FROM sqlite_master WHERE name NOT GLOB '_cf_*'").one()["n"]);
}

/** The tables of the database that are the engine's. */
async function tableNames(): Promise<string[]> {
  const query = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*'`;
  const { results } = await bindings.DB.prepare(query).all<{ name: string }>();
  return results.map(({ name }) => name);
}
