import { beforeEach, describe, expect, it, vi } from "vitest";
import { REALTIME } from "../../../src/limits.ts";
import type { Message } from "../../../src/protocol/realtime.ts";
import { publishStream, type Send } from "../../../src/realtime/publishing.ts";

const target = { channel: "c", topics: ["a"], runId: null, metadata: null };

function chunks(...texts: (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const text of texts) controller.enqueue(typeof text === "string" ? new TextEncoder().encode(text) : text);
      controller.close();
    },
  });
}

beforeEach(() => {
  vi.stubGlobal("scheduler", { wait: async () => {} });
});

/** Takes everything; `refuse` says how often it is too much. */
function channel(refuse = 0) {
  const messages: Message[] = [];
  let refused = 0;
  const send: Send = async (some) => {
    if (refused++ < refuse) return { sent: false, retryAt: Date.now() + 5 };
    messages.push(...some);
    return { sent: true };
  };
  return { send, messages, text: () => messages.map(({ data }): string => JSON.parse(data)).join("") };
}

describe("RT-2: a published stream", () => {
  it("RT-7: goes out as messages of the kind that every SDK takes, piece by piece, with one id", async () => {
    const { send, messages } = channel();
    await publishStream(send, { ...target, topics: ["a", "b"] }, chunks("one ", "", "two"));
    expect(messages.map(({ kind, topic, data }) => [kind, topic, data])).toEqual([
      ["data", "a", '"one "'],
      ["data", "b", '"one "'],
      ["data", "a", '"two"'],
      ["data", "b", '"two"'],
    ]);
    expect(new Set(messages.map(({ streamId }) => streamId)).size).toBe(1);
  });

  it("keeps characters whole, however the bytes are cut", async () => {
    const { send, text } = channel();
    const bytes = new TextEncoder().encode("a€😀b");
    await publishStream(send, target, chunks(...Array.from(bytes, (_, i) => bytes.slice(i, i + 1))));
    expect(text()).toBe("a€😀b");
  });

  it("RT-10: comes in pieces of bounded size", async () => {
    const { send, messages, text } = channel();
    const long = "ä".repeat(REALTIME.published.pieceBytes);
    await publishStream(send, target, chunks(long));
    expect(text()).toBe(long);
    expect(messages.length).toBeGreaterThan(1);
    for (const { data } of messages) expect(data.length).toBeLessThanOrEqual(REALTIME.published.pieceBytes + 2);
  });

  it("RT-14: waits for its turn, and loses nothing", async () => {
    const { send, text } = channel(3);
    await publishStream(send, target, chunks("a", "b", "c"));
    expect(text()).toBe("abc");
  });

  it("RT-10: is refused where it becomes too long, and reading stops there", async () => {
    const { send } = channel();
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(1024 * 1024).fill(32)),
      cancel() {
        cancelled = true;
      },
    });
    await expect(publishStream(send, target, endless)).rejects.toMatchObject({ code: "message_too_large" });
    expect(cancelled).toBe(true);
  });

  it("is refused when it is no text, or ends within a character", async () => {
    for (const broken of [new Uint8Array([0xff, 0xfe]), new Uint8Array([0xe2, 0x82])]) {
      await expect(publishStream(channel().send, target, chunks(broken))).rejects.toMatchObject({
        code: "body_invalid",
      });
    }
  });

  it("may be empty", async () => {
    const { send, messages } = channel();
    await publishStream(send, target, null);
    await publishStream(send, target, chunks());
    expect(messages).toEqual([]);
  });
});
