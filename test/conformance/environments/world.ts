/**
 * Environments and keys for the scenarios of this folder, made over REST as an operator makes them. Owns the deployment's secrets, and how
 * the engine is seen with other keys. A name is made once, so scenarios put their app's id into it.
 */
import * as z from "zod";
import { seenWith, type TestEngine } from "../harness/engine.ts";

/** The secrets of a deployment, whose apps are on this machine. */
export const DEPLOYMENT: Readonly<Record<string, string>> = {
  MILLRACE_MODE: "cloud",
  MILLRACE_ALLOW_PRIVATE_APPS: "1",
  MILLRACE_SECRET: "5e".repeat(32),
  INNGEST_SIGNING_KEY: "signkey-test-00112233445566778899aabbccddeeff",
  INNGEST_EVENT_KEY: "the-event-key",
  // What is measured here is not how often somebody asks.
  MILLRACE_READS_PER_MINUTE: "100000",
  MILLRACE_WRITES_PER_MINUTE: "100000",
};

/** Where the deployment's own keys belong. */
export const PRODUCTION = "00000000-0000-4000-b000-000000000001";

/** What a client of an app needs. */
export interface Keys {
  readonly signingKey: string;
  readonly eventKey: string;
}

/** A custom environment. */
export interface Custom {
  readonly id: string;
  readonly name: string;
  readonly keys: Keys;
  /** The engine as its keys show it. */
  readonly engine: TestEngine;
}

const environmentSchema = z.looseObject({
  id: z.string(),
  kind: z.string(),
  name: z.string(),
  slug: z.string(),
  archived_at: z.string().nullable(),
});
const shownKey = z.looseObject({ id: z.string(), key: z.string() }).transform(({ id, key }) => ({ id, value: key }));
const newEnvironment = environmentSchema.extend({ signing_key: shownKey, event_key: shownKey });

/** A key and its value. */
export type ShownKey = z.infer<typeof shownKey>;

/** The data of a reply; throws what the engine refused. */
async function dataOf<T>(
  schema: z.ZodType<T>,
  { api }: TestEngine,
  [method, path, body]: readonly [string, string, unknown?],
): Promise<T> {
  const { status, json, text } = await api(method, path, body);
  if (status !== 200) throw new Error(`${method} ${path}: ${status} ${text}`);
  return z.object({ data: schema }).parse(json).data;
}

/** All environments. */
export function environments(engine: TestEngine): Promise<readonly z.infer<typeof environmentSchema>[]> {
  return dataOf(z.array(environmentSchema), engine, ["GET", "/v1/environments"]);
}

/** Makes a custom environment. */
export async function custom(engine: TestEngine, name: string): Promise<Custom> {
  const made = await dataOf(newEnvironment, engine, ["POST", "/v1/environments", { name }]);
  const keys = { signingKey: made.signing_key.value, eventKey: made.event_key.value };
  return { id: made.id, name: made.name, keys, engine: withKeys(engine, keys) };
}

/** The engine to whoever has these keys. */
export function withKeys(engine: TestEngine, { signingKey, eventKey }: Keys): TestEngine {
  return seenWith(engine, { INNGEST_SIGNING_KEY: signingKey, INNGEST_EVENT_KEY: eventKey });
}

/** Makes an event key in the environment that an engine is seen in. */
export function eventKey(engine: TestEngine, body: { readonly name: string; readonly filters?: object }) {
  return dataOf(shownKey, engine, ["POST", "/v1/keys/events", body]);
}

/** Makes a key for tools, of the environment that an engine is seen in or of the account. */
export function apiKey(
  engine: TestEngine,
  body: { readonly name: string; readonly scope: "read" | "write" | "admin"; readonly environment?: "account" },
): Promise<ShownKey> {
  return dataOf(shownKey, engine, ["POST", "/v1/keys/api", body]);
}

/** One step of a rotation; `create` answers the new key. */
export async function rotate(engine: TestEngine, phase: "create" | "activate" | "finish"): Promise<string> {
  const schema = z.looseObject({ created: shownKey.nullable() });
  const { created } = await dataOf(schema, engine, ["POST", "/v1/keys/signing/rotate", { phase }]);
  return created?.value ?? "";
}

/** The engine to whoever has a key of the account and names an environment. */
export async function account(engine: TestEngine, environment: string): Promise<TestEngine> {
  const { value } = await apiKey(engine, { name: `all of ${environment}`, scope: "admin", environment: "account" });
  return seenWith(engine, { INNGEST_SIGNING_KEY: value, INNGEST_ENV: environment });
}

/** What branches share, by its name. */
export const BRANCHES = "branches";

const shared = new Map<string, Promise<Keys>>();

/** The keys all branches share; made when somebody asks first. */
export function branchKeys(engine: TestEngine): Promise<Keys> {
  const known = shared.get(engine.url) ?? makeBranchKeys(engine);
  shared.set(engine.url, known);
  return known;
}

async function makeBranchKeys(engine: TestEngine): Promise<Keys> {
  const branches = await account(engine, BRANCHES);
  const [signingKey, { value }] = await Promise.all([
    rotate(branches, "create"),
    eventKey(branches, { name: "of all branches" }),
  ]);
  return { signingKey, eventKey: value };
}

/** The engine as a branch shows it, to whoever has the keys of branches. */
export async function branch(engine: TestEngine, name: string): Promise<TestEngine> {
  return seenWith(withKeys(engine, await branchKeys(engine)), { INNGEST_ENV: name });
}
