/**
 * Realtime of a deployment: what needs the signing key, what a token is enough for, and what is said when no secret is set.
 */
import { Inngest } from "inngest";
import * as v4 from "inngest/realtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import "../harness/one-process.ts";
import { startTestEngine, type TestEngine } from "../harness/engine.ts";
import { publish, socket, stream, tokenFor } from "./subscriber.ts";

const KEY = `signkey-test-${"0123456789abcdef".repeat(2)}`;
const CLOUD = { MILLRACE_MODE: "cloud", INNGEST_SIGNING_KEY: KEY };

let engine: TestEngine;
let another: TestEngine;
let secretless: TestEngine;

beforeAll(async () => {
  [engine, another, secretless] = await Promise.all([
    startTestEngine({ bindings: { ...CLOUD, MILLRACE_SECRET: "5e".repeat(32), MILLRACE_REALTIME_SUBSCRIBERS: "2" } }),
    startTestEngine({ bindings: { ...CLOUD, MILLRACE_SECRET: "6f".repeat(32) } }),
    startTestEngine({ bindings: CLOUD }),
  ]);
});
afterAll(async () => {
  await Promise.all([engine.stop(), another.stop(), secretless.stop()]);
});

const NOBODY = { authorization: "Bearer signkey-test-00" };

describe("a deployment", () => {
  it("SE-6, RT-2, RT-4: tokens and publishing need the signing key", async () => {
    const topics = [{ channel: "c", name: "t" }];
    for (const headers of [NOBODY, { authorization: "" }]) {
      expect((await engine.api("POST", "/v1/realtime/token", topics, headers)).status).toBe(401);
      expect((await engine.api("POST", "/v1/realtime/publish?channel=c&topic=t", {}, headers)).status).toBe(401);
      expect((await engine.api("GET", "/v1/runs/01HZZZZZZZZZZZZZZZZZZZZZZZ/live", undefined, headers)).status).toBe(
        401,
      );
    }
  });

  it("RT-4: the SDK's server makes a token, a browser that has only that listens", async () => {
    const client = new Inngest({ id: "rt", baseUrl: engine.url, isDev: false, signingKey: KEY, eventKey: "e" });
    const token = await v4.getSubscriptionToken(client, { channel: "c", topics: ["t"] });
    const { channel, topics, key = "", apiBaseUrl = "" } = token;
    const stream = await v4.subscribe({ channel, topics, key, apiBaseUrl });
    await client.realtime.publish({ channel: "c", topic: "t", config: {} } as never, { ok: true } as never);
    const { value } = await stream.getReader().read();
    expect(value).toMatchObject({ data: { ok: true } });
    stream.close();
  });

  it("RT-4: a token with the right to publish is enough to publish", async () => {
    const subscriber = await socket(engine, await tokenFor(engine, "p", ["t"]));
    const token = await tokenFor(engine, "p", ["t"], "publish");
    const by = async (bearer: string) =>
      (
        await engine.api(
          "POST",
          "/v1/realtime/publish?channel=p&topic=t",
          { n: 1 },
          { authorization: `Bearer ${bearer}` },
        )
      ).status;
    expect(await by(token)).toBe(200);
    expect(await by(await tokenFor(engine, "p", ["t"]))).toBe(403);
    expect(await by(await tokenFor(another, "p", ["t"], "publish"))).toBe(401);
    await engine.until(() => subscriber.messages.length === 1);
    subscriber.close();
  });

  it("RT-5: a token of another deployment is refused", async () => {
    const foreign = await tokenFor(another, "c", ["t"]);
    await expect(socket(engine, foreign)).rejects.toThrow("refused");
    expect((await engine.api("GET", `/v1/realtime/sse?token=${foreign}`)).status).toBe(401);
  });

  it("RT-16: a channel that is full takes nobody more, with 429, and takes somebody again when one has left", async () => {
    const token = await tokenFor(engine, "full", ["t"]);
    const [first, second] = [await socket(engine, token), await stream(engine, token)];
    const refused = await engine.api("GET", `/v1/realtime/sse?token=${token}`);
    expect([refused.status, refused.json]).toMatchObject([
      429,
      { code: "rate_limited", error: expect.stringContaining("2 subscribers") },
    ]);
    await expect(socket(engine, token)).rejects.toThrow("refused");
    first.close();
    await first.closed;
    const third = await engine.until(() => socket(engine, token));
    await publish(engine, "full", "t", 1);
    await engine.until(() => second.messages.length === 1 && third.messages.length === 1);
    for (const { close } of [second, third]) close();
  });

  it("SE-17: without MILLRACE_SECRET says what is missing", async () => {
    const { status, text } = await secretless.api("POST", "/v1/realtime/token", [{ channel: "c", name: "t" }]);
    expect([status, text]).toEqual([503, expect.stringContaining("MILLRACE_SECRET")]);
    expect((await secretless.api("GET", "/v1/realtime/sse?token=x.y.z")).status).toBe(401);
    expect(await publish(secretless, "c", "t", 1)).toBe(200);
  });
});
