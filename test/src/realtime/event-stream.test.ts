import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { REALTIME } from "../../../src/limits.ts";
import { CLOSING } from "../../../src/protocol/realtime.ts";
import { Heard } from "../../../src/realtime/audience.ts";
import { EventStream } from "../../../src/realtime/event-stream.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const bytes = (text: string) => new TextEncoder().encode(text);
const BACKLOG = REALTIME.backlog.messages;

/** A stream, what its reader got, and how often it ended. */
function open(farewell: Heard | null = null) {
  const ended = vi.fn();
  const stream = new EventStream({ ended, backlog: BACKLOG, farewell });
  const reader = stream.readable.getReader();
  const next = async () => {
    const { done, value } = await reader.read();
    return done ? null : new TextDecoder().decode(value);
  };
  const rest = async () => {
    const texts: string[] = [];
    for (let text = await next(); text !== null; text = await next()) texts.push(text);
    return texts;
  };
  return { stream, reader, next, rest, ended };
}

describe("protocol/08 §8.3: a stream of server-sent events", () => {
  it("passes bytes on as they are, after a first comment, and messages as events", async () => {
    const { stream, next } = open();
    stream.send(bytes("event: x\ndata: 1\n\n"));
    stream.hear(new Heard('{"a":1}'));
    expect([await next(), await next(), await next()]).toEqual([":\n\n", "event: x\ndata: 1\n\n", 'data: {"a":1}\n\n']);
  });

  it("RT-11: says that it lives every 15 s, and ends after 15 min with a word of farewell", async () => {
    const { rest, ended } = open(new Heard(CLOSING));
    const all = rest();
    await vi.advanceTimersByTimeAsync(15_000);
    await vi.advanceTimersByTimeAsync(15 * 60_000 - 15_000);
    expect(ended).toHaveBeenCalledTimes(1);
    const texts = await all;
    expect(texts.filter((text) => text === ":\n\n").length).toBeGreaterThanOrEqual(60);
    expect(texts.at(-1)).toBe('data: {"kind":"closing"}\n\n');
    expect(vi.getTimerCount()).toBe(0);
  });

  it("ends when its reader leaves", async () => {
    const { stream, reader, ended } = open();
    await reader.cancel();
    expect(ended).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
    stream.hear(new Heard("nobody is there"));
    stream.end();
    expect(ended).toHaveBeenCalledTimes(1);
  });

  it("RT-12: cuts off a reader who is too far behind, who still gets what was sent before", async () => {
    const { stream, rest, ended } = open();
    const half = new Uint8Array(BACKLOG / 2 + 1);
    stream.send(half);
    expect(ended).not.toHaveBeenCalled();
    stream.send(half);
    stream.send(half);
    expect(ended).toHaveBeenCalledTimes(1);
    expect((await rest()).map((text) => text.length)).toEqual([3, half.length]);
  });

  it("RT-12: cuts off a reader who has not read for 30 s what waits for it", async () => {
    const { stream, reader, ended } = open();
    stream.hear(new Heard("1"));
    await vi.advanceTimersByTimeAsync(29_000);
    expect(ended).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(ended).toHaveBeenCalledTimes(1);
    await expect(reader.read()).rejects.toThrow("stopped reading");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("RT-12: a reader who is slow but reads is kept", async () => {
    const { stream, next, ended } = open();
    for (let i = 0; i < 40; i++) stream.send(bytes("x"));
    for (let i = 0; i < 20; i++) {
      await vi.advanceTimersByTimeAsync(15_000);
      await next();
    }
    expect(ended).not.toHaveBeenCalled();
    stream.end();
  });
});
