/**
 * The deployments that the cloud tests share. Importing this file starts them before the tests and ends them afterwards.
 */
import { afterAll, beforeAll, expect } from "vitest";
import { startTestEngine, type TestEngine } from "../../harness/engine.ts";
import { type AppCall, type Reply, type ScriptedApp, startScriptedApp } from "../../harness/scripted-app.ts";
import { done, progress, run } from "../ops.ts";
import { FALLBACK, isSigned, KEY, STRANGER } from "./signature.ts";

/** What senders may use. */
export const EVENT_KEYS = ["event-key-one", "event-key-two"] as const;
/** The host of the deployment `strict`. */
export const OWN_HOST = "engine.example.com";

/** Keys, and an app on this machine. */
export let engine: TestEngine;
/** A signing key only; apps must be public. */
export let strict: TestEngine;
/** No keys at all. */
export let keyless: TestEngine;
/** A key that is none. */
export let broken: TestEngine;
/** The app of the deployment `engine`, which checks signatures as SDKs do. */
export let app: ScriptedApp;

const BROKEN_KEY = "signkey-test-this-is-no-hex";

beforeAll(async () => {
  const cloud = (bindings: Record<string, string>) =>
    startTestEngine({ bindings: { MILLRACE_MODE: "cloud", ...bindings } });
  [engine, strict, keyless, broken, app] = await Promise.all([
    cloud({
      INNGEST_SIGNING_KEY: KEY,
      INNGEST_SIGNING_KEY_FALLBACK: FALLBACK,
      INNGEST_EVENT_KEY: EVENT_KEYS.join(", "),
      MILLRACE_ALLOW_PRIVATE_APPS: "1",
    }),
    cloud({ INNGEST_SIGNING_KEY: KEY, MILLRACE_PUBLIC_URL: `https://${OWN_HOST}` }),
    cloud({}),
    cloud({ INNGEST_SIGNING_KEY: BROKEN_KEY }),
    startScriptedApp(),
  ]);
  const registered = await app.register(engine, "cloud", [
    { id: "steps", event: "cloud/steps", script: (call) => checked(call, [KEY], SCRIPTS[call.number - 1] ?? done()) },
    { id: "only-key", event: "cloud/only-key", script: (call) => checked(call, [KEY], done()) },
    { id: "only-fallback", event: "cloud/only-fallback", script: (call) => checked(call, [FALLBACK], done()) },
    { id: "neither", event: "cloud/neither", retries: 0, script: (call) => checked(call, [STRANGER], done()) },
    { id: "moves", event: "cloud/moves", script: (call) => (call.url.pathname === "/moved" ? done() : moved(call)) },
    {
      id: "stays",
      event: "cloud/stays",
      script: (call) => (call.url.pathname === "/moved" ? done() : moved(call, "127.0.0.1")),
    },
  ]);
  expect(registered.json, registered.text).toMatchObject({ ok: true });
});

afterAll(async () => {
  await Promise.all([engine?.stop(), strict?.stop(), keyless?.stop(), broken?.stop(), app?.stop()]);
});

/** A payload whose canonical form differs from everything simpler: key order, number forms, escapes. */
export const AWKWARD = {
  "\r": 1,
  "10": 2,
  "9": 3,
  "1": 4,
  ü: "é€😀",
  "€": -0,
  big: 1e21,
  small: 1e-7,
  nested: [{ b: 1, a: "\u0000\u007f\u2028" }],
};

const SCRIPTS: readonly Reply[] = [progress(run("a", AWKWARD)), progress(run("b", { "2": 1, "10": 2 }))];

/** What an SDK does: 401 unless one of its keys signed exactly what arrived. */
function checked(call: AppCall, keys: readonly string[], reply: Reply): Reply {
  const authentic = keys.some((key) => isSigned(key, call.headers["x-inngest-signature"], call.raw));
  if (authentic) return reply;
  return { status: 401, as: "nobody", headers: { "x-inngest-sdk-handled": "true" }, body: { message: "Unauthorized" } };
}

function moved(call: AppCall, host = "localhost"): Reply {
  const { port, search } = call.url;
  return { status: 307, as: "nobody", headers: { location: `http://${host}:${port}/moved${search}` }, raw: "" };
}

/** Sends an event to the function `cloud-<id>` and waits for its run; `calls` are all that function ever had. */
export async function finished(id: string) {
  const [eventId = ""] = await engine.send({ name: `cloud/${id}`, data: AWKWARD });
  const [ended] = await engine.ended(eventId);
  return { ended, calls: app.callsOf(`cloud-${id}`) };
}
