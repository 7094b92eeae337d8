/**
 * Realtime on the wire, without an SDK: who may do what, what is refused and how, and what subscribers receive (spec/08, protocol/08).
 */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Bindings } from "../../../src/bindings.ts";
import { LOCAL } from "../../../src/environments/environment.ts";
import { TOKEN } from "../../../src/limits.ts";
import { realtimeToken } from "../../../src/protocol/token.ts";
import { readSettings } from "../../../src/settings.ts";
import { startTestEngine, type TestEngine } from "../harness/engine.ts";
import { open, publish, type Subscriber, socket, stream, tokenFor } from "./subscriber.ts";

const KIB = 1024;
let engine: TestEngine;
const connections: Subscriber[] = [];

beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(async () => {
  for (const { close } of connections) close();
  await engine.stop();
});

async function listen(channel: string, topics: readonly string[], by = socket): Promise<Subscriber> {
  const subscriber = await by(engine, await tokenFor(engine, channel, topics));
  connections.push(subscriber);
  return subscriber;
}

const hears = (subscriber: Subscriber, ...data: unknown[]) =>
  engine.until(() => {
    expect(subscriber.data()).toEqual(data);
    return true;
  });

/** A token for topic `t` of channel `aged` that was made so many ms ago, signed as the engine does in dev mode. */
function aged(age: number): Promise<string> {
  const settings = readSettings({ MILLRACE_MODE: "dev" } as unknown as Bindings);
  return realtimeToken(settings, LOCAL.id, { right: "subscribe", channel: "aged", topics: ["t"] }, Date.now() - age);
}

/** The status and code with which a connection is refused before a socket opens. */
async function refusal(path: string): Promise<[number, string]> {
  const headers = { connection: "Upgrade", upgrade: "websocket" };
  const { status, json } = await engine.api("GET", path, undefined, headers).catch(() => engine.api("GET", path));
  return [status, (json as { code: string }).code];
}

describe("tokens", () => {
  it("RT-4: what is published on another topic of the channel is not delivered, over sockets and streams", async () => {
    const subscribers = await Promise.all([listen("t-1", ["ai"]), listen("t-1", ["ai"], stream)]);
    await publish(engine, "t-1", "logs", "no");
    await publish(engine, "t-1", "ai", "yes");
    for (const subscriber of subscribers) await hears(subscriber, "yes");
    expect(subscribers[0]?.messages[0]).toEqual({
      kind: "data",
      channel: "t-1",
      topic: "ai",
      data: "yes",
      env_id: "00000000-0000-4000-b000-000000000000",
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
  });

  it("RT-4: is asked for with 1 to 100 topics of one channel", async () => {
    const ask = async (body: unknown) => (await engine.api("POST", "/v1/realtime/token", body)).status;
    const topics = (count: number) => Array.from({ length: count }, (_, i) => ({ channel: "c", name: `t${i}` }));
    expect(await Promise.all([topics(1), topics(100)].map(ask))).toEqual([201, 201]);
    const refused = [topics(0), topics(101), [...topics(1), { channel: "d", name: "t" }], {}, "x", "{", [[]]];
    expect(await Promise.all(refused.map(ask))).toEqual(refused.map(() => 400));
  });

  it("SC-140 RT-5: forged, missing and foreign ones are refused with 401 before anything opens", async () => {
    const good = await tokenFor(engine, "c", ["t"]);
    const forged = ["forged", "", `${good}x`, good.slice(0, -3), `${good.split(".").slice(0, 2).join(".")}.`];
    for (const token of forged) {
      for (const path of ["connect", "sse"]) {
        expect([path, token, ...(await refusal(`/v1/realtime/${path}?token=${token}`))]).toEqual([
          path,
          token,
          401,
          "unauthorized",
        ]);
      }
      await expect(socket(engine, token)).rejects.toThrow("refused");
    }
    expect((await refusal("/v1/realtime/sse"))[0]).toBe(401);
  });

  it("SC-140 RT-5: one that is 61 s old is refused", async () => {
    expect(await refusal(`/v1/realtime/sse?token=${await aged(61_000)}`)).toEqual([401, "unauthorized"]);
    await expect(socket(engine, await aged(61_000))).rejects.toThrow("refused");
    (await socket(engine, await aged(30_000))).close();
  });

  it("RT-4: an open connection needs no renewal: it goes on when its token has expired", async () => {
    const token = await aged(TOKEN.realtime - 2000);
    const open = await Promise.all([socket(engine, token), stream(engine, token)]);
    await sleep(2500);
    expect((await refusal(`/v1/realtime/sse?token=${token}`))[0]).toBe(401);
    await publish(engine, "aged", "t", "still here");
    for (const subscriber of open) {
      await hears(subscriber, "still here");
      subscriber.close();
    }
  });

  it("RT-4: listening and publishing are separate rights, and each is for what the token lists", async () => {
    const listening = await tokenFor(engine, "r-1", ["t"]);
    const publishing = await tokenFor(engine, "r-1", ["t"], "publish");
    const subscriber = await listen("r-1", ["t", "u"]);
    const by = async (token: string, channel: string, topic: string) => {
      const headers = { authorization: `Bearer ${token}` };
      return (await engine.api("POST", `/v1/realtime/publish?channel=${channel}&topic=${topic}`, "x", headers)).status;
    };
    expect(await by(publishing, "r-1", "t")).toBe(200);
    expect(await by(publishing, "r-1", "u")).toBe(403);
    expect(await by(publishing, "r-2", "t")).toBe(403);
    expect(await by(listening, "r-1", "t")).toBe(403);
    expect(await by(`${publishing}x`, "r-1", "t")).toBe(401);
    expect(await refusal(`/v1/realtime/sse?token=${publishing}`)).toEqual([403, "forbidden"]);
    await expect(socket(engine, publishing)).rejects.toThrow("refused");
    await hears(subscriber, "x");
  });

  it("RT-6: a request that is no WebSocket is told so, and a raw stream has none", async () => {
    const token = await tokenFor(engine, "c", ["t"]);
    const plain = await engine.api("GET", `/v1/realtime/connect?token=${token}`);
    expect([plain.status, plain.text]).toEqual([400, expect.stringContaining("/v1/realtime/sse")]);
    await expect(socket(engine, await tokenFor(engine, "c", ["$stream"]))).rejects.toThrow("refused");
  });

  it("RT-6: browsers of any origin may connect and publish", async () => {
    const token = await tokenFor(engine, "o-1", ["t"]);
    const headers = {
      origin: "https://shop.example",
      authorization: `Bearer ${await tokenFor(engine, "o-1", ["t"], "publish")}`,
    };
    const abort = new AbortController();
    const subscribed = await fetch(`${engine.url}/v1/realtime/sse?token=${token}`, { headers, signal: abort.signal });
    expect(subscribed.headers.get("access-control-allow-origin")).toBe("https://shop.example");
    expect(subscribed.headers.get("content-type")).toBe("text/event-stream");
    abort.abort();
    const published = await engine.api("POST", "/v1/realtime/publish?channel=o-1&topic=t", {}, headers);
    expect([published.status, published.headers.get("access-control-allow-origin")]).toEqual([
      200,
      "https://shop.example",
    ]);
    const asked = await engine.api("OPTIONS", "/v1/realtime/publish", undefined, {
      origin: "https://shop.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
    });
    expect(asked.headers.get("access-control-allow-headers")).toContain("authorization");
  });
});

describe("publishing", () => {
  it("RT-14: without channel or topic, to the engine's own topics, or with nonsense is 400", async () => {
    const status = async (query: string) => (await engine.api("POST", `/v1/realtime/publish?${query}`, {})).status;
    for (const query of ["", "channel=c", "topic=t", "channel=c&topic=$run", "channel=c&topic=t&run_id=x"]) {
      expect([query, await status(query)]).toEqual([query, 400]);
    }
  });

  it("SC-140 RT-10: 512 KiB arrive, one byte more is refused with 413 and nobody is disconnected", async () => {
    const subscribers = await Promise.all([listen("s-1", ["t"]), listen("s-1", ["t"], stream)]);
    const largest = "x".repeat(512 * KIB);
    expect(await publish(engine, "s-1", "t", largest)).toBe(200);
    const tooLarge = await engine.api("POST", "/v1/realtime/publish?channel=s-1&topic=t", `${largest}x`);
    expect([tooLarge.status, tooLarge.json]).toMatchObject([
      413,
      { code: "message_too_large", error: expect.stringContaining("524288") },
    ]);
    expect(await publish(engine, "s-1", "t", "next")).toBe(200);
    for (const subscriber of subscribers) await hears(subscriber, largest, "next");
  });

  it("RT-10: a body of unknown length is stopped at the limit", async () => {
    const endless = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await sleep(1);
        controller.enqueue(new Uint8Array(64 * KIB).fill(120));
      },
    });
    const response = await fetch(`${engine.url}/v1/realtime/publish?channel=s-2&topic=t`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: endless,
      duplex: "half",
    } as RequestInit);
    expect(response.status).toBe(413);
  });

  it("SC-140 RT-8: a message without subscribers is accepted, and gone", async () => {
    expect(await publish(engine, "c1", "t1", "before")).toBe(200);
    const subscriber = await listen("c1", ["t1"]);
    await publish(engine, "c1", "t1", "after");
    await hears(subscriber, "after");
  });

  it("RT-7: what is known of a message is told: its run and metadata", async () => {
    const subscriber = await listen("m-1", ["t"]);
    const runId = "01HZZZZZZZZZZZZZZZZZZZZZZZ";
    const query = new URLSearchParams({ channel: "m-1", topic: "t", run_id: runId, metadata: '{"a":1}' });
    await engine.api("POST", `/v1/realtime/publish?${query}`, { x: 1 });
    await hears(subscriber, { x: 1 });
    expect(subscriber.messages[0]).toMatchObject({ run_id: runId, metadata: { a: 1 } });
  });

  it("RT-2: a stream arrives piece by piece while it is still being published", async () => {
    const subscriber = await listen("st-1", ["t"]);
    let more = (_: string | null): void => {};
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        more = (text) => (text === null ? controller.close() : controller.enqueue(new TextEncoder().encode(text)));
      },
    });
    const published = fetch(`${engine.url}/v1/realtime/publish?channel=st-1&topic=t`, {
      method: "POST",
      headers: { "content-type": "text/stream" },
      body,
      duplex: "half",
    } as RequestInit);
    more("one");
    await hears(subscriber, "one");
    more("two");
    await hears(subscriber, "one", "two");
    more(null);
    expect((await published).status).toBe(200);
    const ids = new Set(subscriber.messages.map((message) => message.stream_id));
    expect([ids.size, ids.has(undefined)]).toEqual([1, false]);
  });
});

describe("an open connection", () => {
  it("RT-6: hears more and fewer topics, is answered, and goes on", async () => {
    const subscriber = await listen("k-1", ["a"]);
    subscriber.say({ kind: "ping" });
    subscriber.say({ kind: "sub", data: await tokenFor(engine, "k-1", ["b"]) });
    subscriber.say({ kind: "unsub", data: ["a"] });
    subscriber.say({ kind: "sub", data: "forged" });
    subscriber.say("no request");
    await engine.until(() => subscriber.messages.length === 4);
    expect(subscriber.messages).toEqual([
      { kind: "pong" },
      { kind: "sub", channel: "k-1", data: { topics: ["a", "b"] } },
      { kind: "unsub", channel: "k-1", data: { topics: ["b"] } },
      { kind: "sub", channel: "k-1", data: { error: { code: "unauthorized", message: expect.any(String) } } },
    ]);
    await publish(engine, "k-1", "a", "no");
    await publish(engine, "k-1", "b", "yes");
    await hears(subscriber, "yes");
  });

  it("RT-14: one that floods is closed with a reason; the next one is served", async () => {
    const [flooding, calm] = await Promise.all([listen("f-1", ["t"]), listen("f-1", ["t"])]);
    for (let i = 0; i < 300; i++) flooding.say(`{"kind":"sub","data":"${i}"}`);
    expect(await flooding.closed).toBe(1008);
    expect(flooding.messages.at(-1)).toEqual({ kind: "closing" });
    await publish(engine, "f-1", "t", "calm");
    await hears(calm, "calm");
  });

  it("RT-8: one that is cut hears nothing of what was published meanwhile, and all that comes after", async () => {
    const first = await listen("d-1", ["t"]);
    await publish(engine, "d-1", "t", 1);
    await hears(first, 1);
    first.close();
    const began = performance.now();
    await first.closed;
    // The engine closes its side at once; a client would wait ten seconds for it.
    expect(performance.now() - began).toBeLessThan(5000);
    await publish(engine, "d-1", "t", 2);
    const second = await listen("d-1", ["t"]);
    await publish(engine, "d-1", "t", 3);
    await hears(second, 3);
  });
});

describe("a run's live stream", () => {
  it("BY-9: is for whoever has the key, and there is none of a run that does not exist", async () => {
    expect((await engine.api("GET", "/v1/runs/01HZZZZZZZZZZZZZZZZZZZZZZZ/live")).status).toBe(404);
    expect((await engine.api("GET", "/v1/runs/nonsense/live")).status).toBe(404);
    await expect(open(`${engine.url}/v1/runs/nonsense/live`)).rejects.toThrow("refused");
  });
});

describe("RT-12: a subscriber that does not read", () => {
  it("does not keep messages from the others, whichever way they are connected", { timeout: 60_000 }, async () => {
    const token = await tokenFor(engine, "slow-1", ["t"]);
    const stalled = connect(Number(new URL(engine.url).port), "127.0.0.1");
    stalled.on("error", () => undefined);
    stalled.write(
      [
        `GET /v1/realtime/connect?token=${token} HTTP/1.1`,
        "Host: x",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "\r\n",
      ].join("\r\n"),
    );
    await new Promise((done) => stalled.once("data", done));
    stalled.pause();
    const stalledStream = connect(Number(new URL(engine.url).port), "127.0.0.1");
    let streamClosed = false;
    stalledStream
      .on("error", () => undefined)
      .on("close", () => {
        streamClosed = true;
      });
    stalledStream.write(`GET /v1/realtime/sse?token=${token} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    await new Promise((done) => stalledStream.once("data", done));
    stalledStream.pause();
    const normal = await Promise.all([socket(engine, token), stream(engine, token)]);
    const message = "x".repeat(512 * KIB - 10);
    for (let i = 0; i < 20; i++) expect(await publish(engine, "slow-1", "t", `${i}`.padEnd(5) + message)).toBe(200);
    for (const subscriber of normal) {
      await engine.until(() => subscriber.messages.length === 20);
      expect(subscriber.data().map((data) => Number(String(data).slice(0, 5)))).toEqual(
        Array.from({ length: 20 }, (_, i) => i),
      );
      subscriber.close();
    }
    // The stream was cut at its backlog: it ends within what the network had buffered.
    stalledStream.resume();
    await engine.until(() => streamClosed);
    stalled.destroy();
  });
});
