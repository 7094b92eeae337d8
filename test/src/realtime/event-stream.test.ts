import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { REALTIME } from "../../../src/limits.ts";
import { EventStream } from "../../../src/realtime/event-stream.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const bytes = (text: string) => new TextEncoder().encode(text);

/** A stream, what its reader got, and how often it ended. */
function open() {
  const ended = vi.fn();
  const stream = new EventStream(ended);
  const reader = stream.readable.getReader();
  const next = async () => {
    const { done, value } = await reader.read();
    return done ? null : new TextDecoder().decode(value);
  };
  return { stream, reader, next, ended };
}

describe("protocol/08 §8.3: a stream of server-sent events", () => {
  it("passes bytes on as they are, after a first comment", async () => {
    const { stream, next } = open();
    stream.send(bytes("event: x\ndata: 1\n\n"));
    expect([await next(), await next()]).toEqual([":\n\n", "event: x\ndata: 1\n\n"]);
  });

  it("says that it lives every 15 s, and ends after 15 min", async () => {
    const { next, ended } = open();
    await next();
    vi.advanceTimersByTime(15_000);
    expect(await next()).toBe(":\n\n");
    vi.advanceTimersByTime(REALTIME.stream);
    expect(ended).toHaveBeenCalledTimes(1);
    let last = await next();
    while (last !== null) last = await next();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("ends when its reader leaves", async () => {
    const { reader, ended } = open();
    await reader.cancel();
    expect(ended).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("cuts off a reader who is too far behind, who still gets what was sent before", async () => {
    const { stream, next, ended } = open();
    const half = new Uint8Array(REALTIME.backlog / 2 + 1);
    stream.send(half);
    expect(ended).not.toHaveBeenCalled();
    stream.send(half);
    stream.send(half);
    expect(ended).toHaveBeenCalledTimes(1);
    expect(await next()).toBe(":\n\n");
    expect((await next())?.length).toBe(half.length);
    expect(await next()).toBeNull();
  });
});
