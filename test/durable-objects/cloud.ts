/**
 * A deployment in cloud mode, inside workerd: its secrets, and requests with a key. Objects that these requests reach are those of dev mode,
 * which differ in that they sign nothing.
 */
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { router } from "../../src/api/router.ts";
import type { Bindings } from "../../src/bindings.ts";
import { bindings } from "./records.ts";

/** The deployment's signing key, as bearer token. */
export const ROOT_KEY = `signkey-prod-${"ab".repeat(32)}`;
/** The secret under which keys are sealed. */
export const ROOT_SECRET = "5e".repeat(32);

/** The deployment. */
export const cloud: Bindings = {
  ...bindings,
  MILLRACE_MODE: "cloud",
  MILLRACE_SECRET: ROOT_SECRET,
  MILLRACE_ALLOW_PRIVATE_APPS: "1",
  INNGEST_SIGNING_KEY: ROOT_KEY,
  INNGEST_EVENT_KEY: "event-key-one,event-key-two",
  MILLRACE_READS_PER_MINUTE: "100000",
  MILLRACE_WRITES_PER_MINUTE: "100000",
};

/** How a request is made. */
export interface Asking {
  /** Bearer token; the deployment's signing key unless given. */
  readonly key?: string | null;
  /** The environment that the request names. */
  readonly of?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly deployment?: Bindings;
}

/** What a request is answered, once everything it began is done. */
export async function ask(method: string, path: string, body?: unknown, asking: Asking = {}) {
  const { key = ROOT_KEY, of, headers = {}, deployment = cloud } = asking;
  const context = createExecutionContext();
  const all = {
    ...(key === null ? {} : { authorization: `Bearer ${key}` }),
    ...(of === undefined ? {} : { "x-inngest-env": of }),
    ...headers,
  };
  const init = { method, headers: all, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await router.request(path, init, deployment, context);
  const text = await response.text();
  await waitOnExecutionContext(context);
  // biome-ignore lint/suspicious/noExplicitAny: a reply is whatever the test says it is.
  let json: any;
  try {
    json = JSON.parse(text);
  } catch {
    json = null;
  }
  return { status: response.status, body: json, text, headers: response.headers };
}

/** An admin key of the account. */
export async function accountKey(): Promise<string> {
  const made = await ask("POST", "/v1/keys/api", { name: "all", scope: "admin", environment: "account" });
  return made.body.data.key;
}

/** A custom environment with its keys. */
export async function customEnvironment(name: string) {
  const { body } = await ask("POST", "/v1/environments", { name });
  const { id, signing_key, event_key } = body.data;
  return { id: id as string, signingKey: signing_key.key as string, eventKey: event_key.key as string };
}

/** The keys that all branches share; the first call makes the signing key. */
export async function branchKeys(account: string) {
  const of = "branches";
  const signing = await ask("POST", "/v1/keys/signing/rotate", { phase: "create" }, { key: account, of });
  const event = await ask("POST", "/v1/keys/events", { name: "branches" }, { key: account, of });
  return { signingKey: signing.body.data.created.key as string, eventKey: event.body.data.key as string };
}

/** The registration of the app `shop` at `http://app.test`, with functions by id and the triggers of each. */
export function registration(functions: Readonly<Record<string, readonly object[]>>) {
  const url = "http://app.test/api/inngest";
  return {
    url,
    deployType: "ping",
    framework: "test",
    appName: "shop",
    sdk: "js:v4.24.0",
    v: "0.1",
    functions: Object.entries(functions).map(([id, triggers]) => ({
      id: `shop-${id}`,
      name: id,
      triggers,
      steps: {
        step: { id: "step", name: "step", runtime: { type: "http", url: `${url}?fnId=shop-${id}&stepId=step` } },
      },
    })),
  };
}
