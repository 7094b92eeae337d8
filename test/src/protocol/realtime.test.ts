import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  controlReply,
  isOfRun,
  isReserved,
  type Message,
  messageText,
  PING,
  parseControl,
} from "../../../src/protocol/realtime.ts";

const message: Message = {
  kind: "data",
  topic: "ai",
  data: '{"ok":true}',
  runId: null,
  functionId: null,
  metadata: null,
  streamId: null,
};
const at = { channel: "user:1", environmentId: "env", createdAt: 1_800_000_000_000 };

describe("RT-7: a message", () => {
  it("has the fields that are known and no others", () => {
    expect(JSON.parse(messageText(message, at))).toEqual({
      kind: "data",
      channel: "user:1",
      topic: "ai",
      data: { ok: true },
      env_id: "env",
      created_at: "2027-01-15T08:00:00.000Z",
    });
    const full: Message = { ...message, runId: "R", functionId: "F", metadata: '{"a":1}', streamId: "S" };
    expect(JSON.parse(messageText(full, at))).toMatchObject({
      run_id: "R",
      fn_id: "F",
      metadata: { a: 1 },
      stream_id: "S",
    });
  });

  it("carries data as the very text that was published, numbers of any size included", () => {
    expect(messageText({ ...message, data: '{"n":12345678901234567890}' }, at)).toContain(
      '"data":{"n":12345678901234567890}',
    );
  });

  it("is JSON and one line whatever channel, topic and data are", () => {
    const texts = fc.string({ minLength: 1, unit: "binary" });
    fc.assert(
      fc.property(texts, texts, fc.json(), (channel, topic, data) => {
        const text = messageText({ ...message, topic, data }, { ...at, channel });
        expect(JSON.parse(text)).toMatchObject({ channel, topic });
        expect(JSON.stringify(JSON.parse(text).data)).toBe(JSON.stringify(JSON.parse(data)));
        expect(text).not.toMatch(/[\r\n]/);
      }),
    );
  });
});

describe("what a subscriber sends", () => {
  it.each<[string, unknown]>([
    ['{"kind":"sub","data":"x.y.z"}', { kind: "sub", token: "x.y.z" }],
    ['{"kind":"unsub","data":["a","b"]}', { kind: "unsub", topics: ["a", "b"] }],
    ['{"kind":"unsub","data":[{"name":"a","kind":"run"}]}', { kind: "unsub", topics: ["a"] }],
    [PING, { kind: "ping" }],
    ['{"kind":"ping","more":1}', { kind: "ping" }],
    ["", null],
    ["hello", null],
    ["null", null],
    ["[]", null],
    ['{"kind":"sub"}', null],
    ['{"kind":"sub","data":{"token":"x"}}', null],
    ['{"kind":"unsub","data":"a"}', null],
    ['{"kind":"data","data":1}', null],
    ['{"kind":"event"}', null],
    ["[".repeat(10_000), null],
  ])("protocol/08 §8.3: %.40s", (text, control) => {
    expect(parseControl(text)).toEqual(control);
  });

  it("is answered with what it hears now, or why not", () => {
    expect(JSON.parse(controlReply("unsub", "c", { topics: ["a"] }))).toEqual({
      kind: "unsub",
      channel: "c",
      data: { topics: ["a"] },
    });
  });
});

it("protocol/08 §8.4: the engine's own topics", () => {
  expect(["$run", "$step", "$life", "$stream", "$other", "run"].map(isReserved)).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
  ]);
  expect(["$run", "$step", "$life", "$stream"].map(isOfRun)).toEqual([true, true, true, false]);
});
