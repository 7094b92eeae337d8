import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Channel } from "../../durable-objects/channel.ts";
import type { Bindings } from "../../src/bindings.ts";
import { ensureSchema } from "../../src/history/schema.ts";
import { newUlid } from "../../src/ids.ts";
import { REALTIME } from "../../src/limits.ts";
import { channelStub, runStub } from "../../src/objects.ts";
import type { Message } from "../../src/protocol/realtime.ts";
import { realtimeToken } from "../../src/protocol/token.ts";
import { subscribe } from "../../src/realtime/subscribing.ts";
import { type Settings, settingsOf } from "../../src/settings.ts";
import { identity } from "../src/decide/run/run.ts";

// The plugin binds what wrangler.toml declares, which is what Bindings describes.
const bindings = env as unknown as Bindings;

let environments = 0;
let environmentId = "";
const PATIENCE = 10_000;

beforeEach(() => {
  environmentId = `env-channel-${environments++}`;
});
const { perObject } = REALTIME;
let restore = () => {};
afterEach(() => {
  restore();
  Reflect.set(REALTIME, "perObject", perObject);
  vi.restoreAllMocks();
});

/** Other settings for every object of channels until the end of the test. */
async function withSettings(over: Partial<Settings>): Promise<void> {
  const settings = await runInDurableObject(await stubOf("settings"), (instance: Channel) => {
    return settingsOf(Reflect.get(instance, "env"));
  });
  const before = { ...settings };
  Object.assign(settings, over);
  restore = () => Object.assign(settings, before);
}

interface Subscriber {
  readonly texts: string[];
  data(): unknown[];
  readonly socket: WebSocket;
  closed: number | null;
}

/** A socket that hears topics of a channel, as the Worker opens it. */
async function join(channel: string, topics: readonly string[], environment = environmentId): Promise<Subscriber> {
  const { webSocket } = await subscribe(bindings, environment, { channel, topics }, "socket");
  if (webSocket === null) throw new Error("no socket");
  const texts: string[] = [];
  const subscriber: Subscriber = {
    texts,
    data: () => texts.map((text) => JSON.parse(text)).flatMap(({ kind, data }) => (kind === "data" ? [data] : [])),
    socket: webSocket,
    closed: null,
  };
  webSocket.addEventListener("message", ({ data }) => {
    texts.push(String(data));
  });
  webSocket.addEventListener("close", ({ code }) => {
    subscriber.closed = code;
  });
  webSocket.accept();
  return subscriber;
}

const stubOf = (channel: string, branch = 0, environment = environmentId) =>
  channelStub(bindings, environment, channel, branch);

function messageOf(topic: string, data: unknown): Message {
  return {
    kind: "data",
    topic,
    data: JSON.stringify(data),
    runId: null,
    functionId: null,
    metadata: null,
    streamId: null,
  };
}

async function send(channel: string, topic: string, ...data: unknown[]): Promise<void> {
  const stub = await stubOf(channel);
  for (const one of data) expect(await stub.publish(channel, [messageOf(topic, one)])).toEqual({ sent: true });
}

const hears = (subscriber: Subscriber, ...data: unknown[]) =>
  vi.waitFor(() => expect(subscriber.data()).toEqual(data), PATIENCE);

const tokenFor = (channel: string, topics: readonly string[], environment = environmentId) =>
  realtimeToken(settingsOf(bindings), environment, { right: "subscribe", channel, topics }, Date.now());

describe("a channel", () => {
  it("RT-1, RT-4: each subscriber hears its own channel and topics", async () => {
    const [global, post, other] = await Promise.all([
      join("global", ["t"]),
      join("post:123", ["t"]),
      join("global", ["u"]),
    ]);
    await send("global", "t", 1);
    await send("post:123", "t", 2);
    await send("global", "u", 3);
    await Promise.all([hears(global, 1), hears(post, 2), hears(other, 3)]);
  });

  it("RT-17: the same names in two environments never mix", async () => {
    const here = await join("global", ["t"]);
    const there = await join("global", ["t"], `${environmentId}-other`);
    await send("global", "t", "here");
    await hears(here, "here");
    expect(there.texts).toEqual([]);
  });

  it("RT-1: names of any length and content are channels of their own", async () => {
    const names = ["a", "a:b", "0:=a", " ", "ä".repeat(1024), `${"ä".repeat(1023)}b`, "=a", "\u0000"];
    const all = await Promise.all(names.map((name) => join(name, ["t"])));
    for (const name of names) await send(name, "t", name);
    await Promise.all(all.map((one, i) => hears(one, names[i])));
  });

  it("RT-8: nothing from before is delivered, and created_at never goes back", async () => {
    await send("c", "t", "before");
    const late = await join("c", ["t"]);
    const stub = await stubOf("c");
    const now = Date.now();
    for (const ahead of [60_000, 0, 60_001]) {
      vi.spyOn(Date, "now").mockReturnValue(now + ahead);
      await stub.announce("c", [{ message: messageOf("t", ahead), to: null }]);
    }
    await hears(late, 60_000, 0, 60_001);
    const times = late.texts.map((text) => Date.parse(JSON.parse(text).created_at) - now);
    expect(times).toEqual([60_000, 60_000, 60_001]);
  });
});

describe("RT-11, row 27: a socket while its object sleeps", () => {
  it("stays open and hears what comes; the object has kept its topics and nothing on disk", async () => {
    const one = await join("c", ["a", "b"]);
    const stub = await stubOf("c");
    await evictDurableObject(stub);
    await send("c", "b", "after");
    await send("c", "z", "no");
    await hears(one, "after");
    one.socket.send(JSON.stringify({ kind: "unsub", data: ["b"] }));
    await vi.waitFor(() => expect(one.texts.at(-1)).toContain('"unsub"'), PATIENCE);
    await evictDurableObject(stub);
    await send("c", "b", "no");
    await send("c", "a", "yes");
    await hears(one, "after", "yes");
    const rows = await runInDurableObject(stub, (_, { storage }) => [
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'").toArray(),
      storage.getAlarm(),
    ]);
    expect([rows[0], await rows[1]]).toEqual([[], null]);
  });

  it("lets the object leave memory by itself when nobody speaks", { timeout: 40_000 }, async () => {
    const one = await join("c", ["a"]);
    const stub = await stubOf("c");
    const marked = (instance: Channel) => Reflect.get(instance, "mark") === true;
    await runInDurableObject(stub, (instance: Channel) => {
      Reflect.set(instance, "mark", true);
    });
    expect(await runInDurableObject(stub, marked)).toBe(true);
    // The platform looks after ten seconds of silence.
    await scheduler.wait(13_000);
    expect(await runInDurableObject(stub, marked)).toBe(false);
    await send("c", "a", "still there");
    await hears(one, "still there");
  });

  it("is pinged as often as the deployment wants, and not at all otherwise", async () => {
    const stub = await stubOf("c");
    const quiet = await join("c", ["a"]);
    expect(await runDurableObjectAlarm(stub)).toBe(false);
    await withSettings({ realtimePing: 60_000 });
    const pinged = await join("c", ["a"]);
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    await vi.waitFor(() => expect([quiet.texts, pinged.texts]).toEqual(Array(2).fill(['{"kind":"ping"}'])), PATIENCE);
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    for (const { socket } of [quiet, pinged]) socket.close();
    await vi.waitFor(async () => expect(await stub.count()).toBe(0), PATIENCE);
    expect(await runDurableObjectAlarm(stub)).toBe(true);
    expect(await runDurableObjectAlarm(stub)).toBe(false);
  });

  it("RT-11: a ping of its own is answered without waking the object", async () => {
    const one = await join("c", ["a"]);
    const woken = vi.spyOn((await import("../../durable-objects/channel.ts")).Channel.prototype, "webSocketMessage");
    await evictDurableObject(await stubOf("c"));
    one.socket.send('{"kind":"ping"}');
    await vi.waitFor(() => expect(one.texts).toEqual(['{"kind":"pong"}']), PATIENCE);
    expect(woken).not.toHaveBeenCalled();
    one.socket.send('{"kind": "ping"}');
    await vi.waitFor(() => expect(one.texts).toHaveLength(2), PATIENCE);
    expect(woken).toHaveBeenCalledTimes(1);
  });
});

describe("RT-6: an open connection", () => {
  const answers = (subscriber: Subscriber) => subscriber.texts.map((text) => JSON.parse(text)).map(({ data }) => data);

  it("hears more topics with another token, and fewer without one", async () => {
    const one = await join("c", ["a"]);
    one.socket.send(JSON.stringify({ kind: "sub", data: await tokenFor("c", ["b"]) }));
    await vi.waitFor(() => expect(answers(one)).toEqual([{ topics: ["a", "b"] }]), PATIENCE);
    await send("c", "b", 1);
    one.socket.send(JSON.stringify({ kind: "unsub", data: ["a", "b"] }));
    await vi.waitFor(() => expect(answers(one)).toEqual([{ topics: ["a", "b"] }, 1, { topics: [] }]), PATIENCE);
    await send("c", "a", 2);
    await hears(one, 1);
    expect(one.closed).toBeNull();
  });

  it("RT-5: a token that is refused changes nothing, and is told so", async () => {
    const one = await join("c", ["a"]);
    const publisher = { right: "publish", channel: "c", topics: ["b"] } as const;
    const refused = [
      "forged",
      await tokenFor("other", ["b"]),
      await tokenFor("c", ["b"], "another environment"),
      await realtimeToken(settingsOf(bindings), environmentId, publisher, Date.now()),
      await realtimeToken(
        settingsOf(bindings),
        environmentId,
        { ...publisher, right: "subscribe" },
        Date.now() - 61_000,
      ),
      await tokenFor("c", ["$stream"]),
      await tokenFor(
        "c",
        Array.from({ length: 100 }, (_, i) => `t${i}`),
      ),
    ];
    for (const token of refused) one.socket.send(JSON.stringify({ kind: "sub", data: token }));
    const codes = () => answers(one).map(({ error }) => error.code);
    await vi.waitFor(() => {
      expect(codes()).toEqual([
        "unauthorized",
        "forbidden",
        "unauthorized",
        "forbidden",
        "unauthorized",
        "forbidden",
        "rate_limited",
      ]);
    }, PATIENCE);
    await send("c", "b", "no");
    await send("c", "a", "yes");
    await hears(one, "yes");
  });

  it("deals with what it is told in order, and ignores what asks for nothing", async () => {
    const one = await join("c", ["a"]);
    const token = await tokenFor("c", ["b"]);
    for (const said of ["junk", "{}", JSON.stringify({ kind: "data", topic: "a", data: "forged" })])
      one.socket.send(said);
    one.socket.send(JSON.stringify({ kind: "sub", data: token }));
    one.socket.send(new TextEncoder().encode(JSON.stringify({ kind: "unsub", data: ["b"] })));
    one.socket.send(JSON.stringify({ kind: "sub", data: token }));
    await vi.waitFor(() => {
      expect(answers(one)).toEqual([{ topics: ["a", "b"] }, { topics: ["a"] }, { topics: ["a", "b"] }]);
    }, PATIENCE);
  });

  it("RT-14: is closed when it floods or says too much at once; the others are not affected", async () => {
    const [flooding, shouting, calm] = await Promise.all([join("c", ["a"]), join("c", ["a"]), join("c", ["a"])]);
    for (let i = 0; i < 200; i++) flooding.socket.send("x");
    shouting.socket.send("x".repeat(REALTIME.controlBytes + 1));
    await vi.waitFor(() => expect([flooding.closed, shouting.closed]).toEqual([1008, 1009]), PATIENCE);
    expect(flooding.texts).toEqual(['{"kind":"closing"}']);
    await send("c", "a", "calm");
    await hears(calm, "calm");
    expect(flooding.data()).toEqual([]);
    await vi.waitFor(async () => expect(await (await stubOf("c")).count()).toBe(1), PATIENCE);
  });
});

describe("RT-14: the rate of a channel", () => {
  it("is refused as a whole beyond the limit, and there is room again after a moment", async () => {
    const stub = await stubOf("c");
    const one = await join("c", ["a"]);
    const many = (count: number) => Array.from({ length: count }, (_, i) => messageOf("a", i));
    const now = Date.now();
    vi.spyOn(Date, "now").mockReturnValue(now);
    expect(await stub.publish("c", many(REALTIME.rate.default))).toEqual({ sent: true });
    expect(await stub.publish("c", many(2))).toEqual({ sent: false, retryAt: now + 1 });
    vi.spyOn(Date, "now").mockReturnValue(now + 2);
    expect(await stub.publish("c", many(2))).toEqual({ sent: true });
    expect(await stub.publish("c", many(1))).toMatchObject({ sent: false });
    expect(await (await stubOf("another")).publish("another", many(1))).toEqual({ sent: true });
    await vi.waitFor(() => expect(one.texts).toHaveLength(REALTIME.rate.default + 2), PATIENCE);
  });
});

describe("RT-16: a channel with more subscribers than one object holds", () => {
  const branches = async () => {
    const stub = await stubOf("c");
    return await runInDurableObject(stub, (_, { storage }) => {
      const exists = storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'branches'").toArray().length > 0;
      return exists ? storage.sql.exec("SELECT number FROM branches ORDER BY number").toArray() : [];
    });
  };

  it("is spread over several; all of them hear everything in order", async () => {
    Reflect.set(REALTIME, "perObject", 3);
    const all = await Promise.all(Array.from({ length: 10 }, () => join("c", ["a"])));
    const counts = await Promise.all([0, 1, 2, 3].map(async (branch) => (await stubOf("c", branch)).count()));
    expect(counts).toEqual([3, 3, 3, 1]);
    const numbers = Array.from({ length: 100 }, (_, i) => i);
    await send("c", "a", ...numbers);
    await Promise.all(all.map((one) => hears(one, ...numbers)));
    const times = new Set(all.map(({ texts }) => texts.map((text) => JSON.parse(text).created_at).join()));
    expect(times.size).toBe(1);
  });

  it("finds them again after all of them slept, fills what became free, and forgets those without subscribers", async () => {
    Reflect.set(REALTIME, "perObject", 2);
    const all: Subscriber[] = [];
    for (let i = 0; i < 6; i++) all.push(await join("c", ["a"]));
    for (const branch of [0, 1, 2]) await evictDurableObject(await stubOf("c", branch));
    await send("c", "a", 1);
    await Promise.all(all.map((one) => hears(one, 1)));
    for (const { socket } of all.slice(2, 4)) socket.close();
    await vi.waitFor(async () => expect(await (await stubOf("c", 1)).count()).toBe(0), PATIENCE);
    expect(await branches()).toEqual([{ number: 1 }, { number: 2 }]);
    await send("c", "a", 2);
    await vi.waitFor(async () => expect(await branches()).toEqual([{ number: 2 }]), PATIENCE);
    const again = await join("c", ["a"]);
    expect(await branches()).toEqual([{ number: 1 }, { number: 2 }]);
    await send("c", "a", 3);
    await Promise.all([hears(again, 3), hears(all[5] as Subscriber, 1, 2, 3)]);
  });

  it("takes as many as it may have and no more, also when it has forgotten how full it is", async () => {
    Reflect.set(REALTIME, "perObject", 2);
    await withSettings({ realtimeSubscribers: 5 });
    const all = await Promise.all(Array.from({ length: 5 }, () => join("c", ["a"])));
    await expect(join("c", ["a"])).rejects.toMatchObject({ code: "rate_limited" });
    await evictDurableObject(await stubOf("c"));
    await expect(join("c", ["a"])).rejects.toMatchObject({ code: "rate_limited" });
    const first = await (await stubOf("c", 1)).count();
    for (const { socket } of all) socket.close();
    await vi.waitFor(async () => expect(await (await stubOf("c", 1)).count()).toBe(first - 2), PATIENCE);
    await join("c", ["a"]);
  });
});

describe("a run and its followers", () => {
  beforeAll(() => ensureSchema(bindings.DB));

  /** A run that is not due before another year. */
  async function startRun(): Promise<string> {
    const runId = newUlid(Date.now());
    await runStub(bindings, environmentId, runId).start(identity({ environmentId, runId }));
    return runId;
  }

  const states = (subscriber: Subscriber) => subscriber.data().map((data) => (data as { state: string }).state);

  it("BY-8: a run that sleeps tells its followers when it wakes, whichever object holds them", async () => {
    Reflect.set(REALTIME, "perObject", 1);
    const runId = await startRun();
    const [first, second] = [await join(runId, ["$life"]), await join(runId, ["$life", "t"])];
    for (const one of [first, second]) await vi.waitFor(() => expect(states(one)).toEqual(["now"]), PATIENCE);
    const run = runStub(bindings, environmentId, runId);
    await evictDurableObject(run);
    for (const branch of [0, 1]) await evictDurableObject(await stubOf(runId, branch));
    await run.cancel({ by: "api" });
    for (const one of [first, second]) {
      await vi.waitFor(() => expect(states(one)).toEqual(["now", "ended"]), PATIENCE);
    }
  });

  it("BY-8: it remembers them on disk, and forgets them with the first news that nobody hears", async () => {
    const runId = await startRun();
    const run = runStub(bindings, environmentId, runId);
    const followed = () =>
      runInDurableObject(run, (_, { storage }) => storage.sql.exec("SELECT topics FROM followed").toArray());
    const one = await join(runId, ["$life", "$run"]);
    expect(await followed()).toEqual([{ topics: "$life $run" }]);
    one.socket.close();
    await vi.waitFor(async () => expect(await (await stubOf(runId)).count()).toBe(0), PATIENCE);
    await run.cancel({ by: "api" });
    await vi.waitFor(async () => expect(await followed()).toEqual([]), PATIENCE);
  });

  it("RT-8: a channel that is no run's, or a run that does not exist, has nothing to tell and is not made to", async () => {
    const nobody = newUlid(Date.now());
    const [one, two] = [await join("global", ["$life", "t"]), await join(nobody, ["$run", "t"])];
    await send("global", "t", 1);
    await send(nobody, "t", 2);
    await Promise.all([hears(one, 1), hears(two, 2)]);
    const tables = await runInDurableObject(runStub(bindings, environmentId, nobody), (_, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'").toArray(),
    );
    expect(tables).toEqual([]);
  });
});

describe("row 27: a stream of server-sent events", () => {
  it("RT-6: hears like a socket, and its place is free again when it has left", async () => {
    const { body, headers } = await subscribe(bindings, environmentId, { channel: "c", topics: ["a"] }, "stream");
    expect(headers.get("content-type")).toBe("text/event-stream");
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe(":\n\n");
    await send("c", "b", "no");
    await send("c", "a", "yes");
    expect((await reader?.read())?.value).toMatch(
      /^data: \{"kind":"data","channel":"c","topic":"a","data":"yes".*\}\n\n$/,
    );
    const stub = await stubOf("c");
    expect(await stub.count()).toBe(1);
    await reader?.cancel();
    await vi.waitFor(async () => expect(await stub.count()).toBe(0), PATIENCE);
    await send("c", "a", "nobody");
  });

  it("protocol/09 §9.4: raw ones get the bytes that are teed, however many there are", async () => {
    Reflect.set(REALTIME, "perObject", 1);
    const open = () => subscribe(bindings, environmentId, { channel: "c", topics: ["$stream"] }, "stream");
    const readers = (await Promise.all([open(), open(), open()])).map(({ body }) =>
      body?.pipeThrough(new TextDecoderStream()).getReader(),
    );
    const stub = await stubOf("c");
    await stub.tee(new TextEncoder().encode("event: x\ndata: 1\n\n"));
    for (const reader of readers) {
      expect((await reader?.read())?.value).toBe(":\n\n");
      expect((await reader?.read())?.value).toBe("event: x\ndata: 1\n\n");
      await reader?.cancel();
    }
    await vi.waitFor(async () => expect(await stub.count()).toBe(0), PATIENCE);
  });
});
