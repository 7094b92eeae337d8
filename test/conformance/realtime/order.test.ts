/**
 * Many messages, many subscribers, and an engine that is killed: order, completeness and time (RT-8, RT-9, RT-11, RT-16).
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestEngine, type TestEngine } from "../harness/engine.ts";
import { publish, type Subscriber, socket, stream, tokenFor } from "./subscriber.ts";

let engine: TestEngine;

beforeAll(async () => {
  engine = await startTestEngine();
});
afterAll(async () => {
  await engine.stop();
});

/** So many sockets with one token, opened a few at a time, as a browser's page would not be the only one. */
async function crowd(count: number, channel: string): Promise<Subscriber[]> {
  const token = await tokenFor(engine, channel, ["t"]);
  const all: Subscriber[] = [];
  while (all.length < count) {
    const some = Math.min(50, count - all.length);
    all.push(...(await Promise.all(Array.from({ length: some }, () => socket(engine, token)))));
  }
  return all;
}

function leave(subscribers: readonly Subscriber[]): void {
  for (const { close } of subscribers) close();
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("order", () => {
  it("RT-8: 1,000 numbered messages reach every connection, sockets and streams, in order and complete", async () => {
    const token = await tokenFor(engine, "order", ["t"]);
    const subscribers = [...(await crowd(9, "order")), await stream(engine, token)];
    for (const i of numbers(1000)) expect(await publish(engine, "order", "t", i)).toBe(200);
    await engine.until(() => subscribers.every(({ messages }) => messages.length >= 1000));
    for (const subscriber of subscribers) {
      expect(subscriber.data()).toEqual(numbers(1000));
      const times = subscriber.messages.map((message) => message.created_at ?? "");
      expect(times).toEqual(times.toSorted());
    }
    leave(subscribers);
  });

  it("RT-8: the messages of several publishers each keep their order", async () => {
    const [subscriber] = await crowd(1, "several");
    const publishers = ["a", "b", "c"];
    const say = async (name: string) => {
      for (const i of numbers(100)) await publish(engine, "several", "t", [name, i]);
    };
    await Promise.all(publishers.map(say));
    await engine.until(() => subscriber?.messages.length === 300);
    const heard = subscriber?.data() as [string, number][];
    for (const name of publishers) {
      expect(heard.filter(([by]) => by === name).map(([, i]) => i)).toEqual(numbers(100));
    }
    leave(subscriber === undefined ? [] : [subscriber]);
  });

  it("RT-9: from reply to delivery the median is far below 100 ms", async () => {
    const [subscriber] = await crowd(1, "time");
    const late: number[] = [];
    for (const i of numbers(100)) {
      await publish(engine, "time", "t", i);
      const replied = performance.now();
      await engine.until(() => subscriber?.messages.length === i + 1);
      late.push(performance.now() - replied);
    }
    const median = late.toSorted((a, b) => a - b)[50] ?? Number.POSITIVE_INFINITY;
    expect(median).toBeLessThan(100);
    leave(subscriber === undefined ? [] : [subscriber]);
  });
});

describe("many", () => {
  it("RT-16: one message reaches 500 subscribers within 2 s", { timeout: 60_000 }, async () => {
    const subscribers = await crowd(500, "many");
    const began = performance.now();
    await publish(engine, "many", "t", "all of you");
    await engine.until(() => subscribers.every(({ messages }) => messages.length === 1));
    expect(performance.now() - began).toBeLessThan(2000);
    leave(subscribers);
  });

  it("faults.md row 27: all of 200 come back at once after the engine was killed", { timeout: 90_000 }, async () => {
    const before = await crowd(200, "storm");
    await publish(engine, "storm", "t", "before");
    await engine.until(() => before.every(({ messages }) => messages.length === 1));
    await engine.kill();
    await Promise.all(before.map(({ closed }) => closed));
    await sleep(100);
    await engine.boot();
    // Each asks for a token of its own, as pages do.
    const again = await Promise.all(
      before.map(() => engine.until(async () => await socket(engine, await tokenFor(engine, "storm", ["t"])), 40_000)),
    );
    await publish(engine, "storm", "t", "after");
    await engine.until(() => again.every(({ messages }) => messages.length === 1));
    for (const subscriber of again) expect(subscriber.data()).toEqual(["after"]);
    leave(again);
  });
});
