/**
 * Durable endpoints in cloud mode: every entry by the engine is signed, every checkpoint carries the key, and tokens need a secret.
 */
import { step } from "inngest";
import { afterEach, describe, expect, it } from "vitest";
import "../harness/one-process.ts";
import { startTestEngine, type TestEngine } from "../harness/engine.ts";
import { type EndpointApp, serveEndpoints } from "./serve.ts";

const KEY = `signkey-test-${"0123456789abcdef".repeat(2)}`;
const SECRET = "5e".repeat(32);

const open: { engine: TestEngine; app: EndpointApp }[] = [];
afterEach(async () => {
  for (const { app, engine } of open.splice(0)) {
    await app.stop();
    await engine.stop();
  }
});

async function start(bindings: Readonly<Record<string, string>>) {
  const engine = await startTestEngine({ bindings: { MILLRACE_MODE: "cloud", INNGEST_SIGNING_KEY: KEY, ...bindings } });
  const app = await serveEndpoints(engine, { retries: 2 });
  open.push({ engine, app });
  app.on("/a", async () => {
    const who = await step.run("who", () => "u1");
    await step.sleep("s", "1s");
    return new Response(`done ${who}`);
  });
  return { engine, app };
}

describe("a deployment", () => {
  it("SE-3, SE-6: signs what the SDK verifies, whatever the request looked like", async () => {
    const { engine, app } = await start({ MILLRACE_SECRET: SECRET, MILLRACE_ALLOW_PRIVATE_APPS: "1" });
    const json = { "content-type": "application/json" };
    const requests: RequestInit[] = [
      { method: "GET" },
      { method: "POST", headers: json, body: '{ "b": 1, "10": 2, "9": [1e21] }' },
      { method: "POST" },
      { method: "DELETE" },
    ];
    for (const request of requests) {
      const response = await fetch(`${app.origin}/a?x=1`, request);
      expect([request.method, response.status, await response.text()]).toEqual([request.method, 200, "done u1"]);
    }
    expect(app.entries("/a").map(({ headers }) => headers.get("x-inngest-signature"))).toEqual(
      app.entries("/a").map(() => expect.stringMatching(/^t=\d+&s=[0-9a-f]{64}$/)),
    );
    const wrong = { authorization: "Bearer signkey-test-00" };
    for (const path of [
      "/v1/checkpoint",
      "/v1/http/runs",
      "/v1/checkpoint/x/steps",
      "/v1/realtime/publish/tee?channel=x",
    ]) {
      expect([path, (await engine.api("POST", path, {}, wrong)).status]).toEqual([path, 401]);
    }
  });

  it("SE-17: without MILLRACE_SECRET says what is missing", async () => {
    const { engine, app } = await start({ MILLRACE_ALLOW_PRIVATE_APPS: "1" });
    await fetch(`${app.origin}/a`).catch(() => null);
    const [first] = app.checkpoints;
    expect(first?.status).toBe(503);
    expect(JSON.parse(first?.reply ?? "")).toMatchObject({
      code: "not_configured",
      error: expect.stringContaining("MILLRACE_SECRET"),
    });
    const { run_id } = JSON.parse(first?.body ?? "");
    expect((await engine.api("GET", `/v1/runs/${run_id}`)).status).toBe(404);
  });

  it("SE-13: does not enter an endpoint at a private address", async () => {
    const { app } = await start({ MILLRACE_SECRET: SECRET });
    const response = await fetch(`${app.origin}/a`);
    expect([response.status, await response.json()]).toMatchObject([500, { code: "private_address" }]);
    expect(app.entries("/a")).toEqual([]);
  });
});
