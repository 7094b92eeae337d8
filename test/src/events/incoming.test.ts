import { describe, expect, it } from "vitest";
import { type IncomingEvent, parseEvent } from "../../../src/events/incoming.ts";
import { EVENT } from "../../../src/limits.ts";

const NOW = Date.UTC(2026, 10, 21);
const DAY = 24 * 60 * 60 * 1000;
const MIB = 1024 * 1024;

const parse = (event: unknown, maxBytes = MIB): IncomingEvent => parseEvent(JSON.stringify(event), 3, maxBytes, NOW);

const absent = { data: {}, id: null, ts: null, v: null, user: {}, sessions: null };

describe("parseEvent", () => {
  it.each<[string, unknown, Partial<IncomingEvent>]>([
    ["only a name", { name: "a" }, absent],
    ["null everywhere", { name: "a", data: null, id: null, ts: null, v: null, user: null, meta: null }, absent],
    ["what a Python client sends", { name: "a", id: "", ts: 0, data: {} }, absent],
    [
      "every field",
      { name: "a", data: { x: [1] }, id: "i", ts: NOW, v: "1", user: { u: 1 }, meta: { sessions: { s: "1" } } },
      { data: { x: [1] }, id: "i", ts: NOW, v: "1", user: { u: 1 }, sessions: { s: "1" } },
    ],
    ["unknown fields are dropped", { name: "a", extra: 1, meta: { other: 2 } }, absent],
    [
      "reserved data is removed",
      { name: "a", data: { _inngest: { fn_id: "f" }, x: { _inngest: 1 } } },
      { data: { x: { _inngest: 1 } } },
    ],
    ["the oldest time", { name: "a", ts: Date.UTC(1980, 0, 1) }, { ts: Date.UTC(1980, 0, 1) }],
    ["the farthest time", { name: "a", ts: NOW + 366 * DAY }, { ts: NOW + 366 * DAY }],
    ["an id of 512 characters", { name: "a", id: "x".repeat(512) }, { id: "x".repeat(512) }],
  ])("EV-3: accepts %s", (_, event, expected) => {
    expect(parse(event)).toEqual({ ...absent, name: "a", ...expected });
  });

  it.each(["n".repeat(256), "💧".repeat(256), " ", "a b\u0000", "Inngest", "x/inngest/y"])(
    "EV-3: keeps the name %j",
    (name) => {
      expect(parse({ name }).name).toBe(name);
    },
  );

  it.each<[string, unknown, string]>([
    ["an event that is no object", [1], "Event 3 must be an object."],
    ["null", null, "Event 3 must be an object."],
    ["no name", {}, "Event 3: name must be a string."],
    ["a null name", { name: null }, "Event 3: name must be a string."],
    ["an empty name", { name: "" }, "Event 3: name must not be empty."],
    ["a long name", { name: "n".repeat(257) }, "Event 3: name has 257 characters; the limit is 256 characters."],
    ["a long name of pairs", { name: "💧".repeat(257) }, "name has 257 characters"],
    ["data that is an array", { name: "a", data: [] }, "Event 3: data must be an object."],
    ["data that is text", { name: "a", data: "x" }, "Event 3: data must be an object."],
    ["an id that is a number", { name: "a", id: 1 }, "Event 3: id must be a string."],
    ["a long id", { name: "a", id: "x".repeat(513) }, "id has 513 characters; the limit is 512 characters."],
    ["a time as text", { name: "a", ts: "2026" }, "Event 3: ts must be a number."],
    ["half a millisecond", { name: "a", ts: NOW + 0.5 }, "Event 3: ts must be a whole number of milliseconds."],
    ["seconds", { name: "a", ts: Math.floor(NOW / 1000) }, "Event 3: ts is"],
    ["a time before 1980", { name: "a", ts: Date.UTC(1980, 0, 1) - 1 }, "between 1980 and 366 days"],
    ["a time too far ahead", { name: "a", ts: NOW + 366 * DAY + 1 }, "between 1980 and 366 days"],
    ["v that is a number", { name: "a", v: 1 }, "Event 3: v must be a string."],
    ["user that is text", { name: "a", user: "u" }, "Event 3: user must be an object."],
    [
      "six sessions",
      { name: "a", meta: { sessions: { a: 1, b: 1, c: 1, d: 1, e: 1, f: 1 } } },
      "meta.sessions has 6 entries",
    ],
    ["a session that is an object", { name: "a", meta: { sessions: { a: {} } } }, "Event 3: meta.sessions.a"],
  ])("EV-3: refuses %s, naming index and field", (_, event, message) => {
    expect(() => parse(event)).toThrow(expect.objectContaining({ code: "event_invalid" }));
    expect(() => parse(event)).toThrow(message);
  });

  it.each(["inngest/function.failed", "INNGEST/x", "inngest/"])("EV-9: refuses the reserved name %s", (name) => {
    expect(() => parse({ name })).toThrow(expect.objectContaining({ code: "event_name_reserved" }));
  });

  it("EV-2: refuses broken JSON without quoting it", () => {
    expect(() => parseEvent('{"name":"s3cret', 3, MIB, NOW)).toThrow(expect.objectContaining({ code: "body_invalid" }));
    expect(() => parseEvent('{"name":"s3cret', 3, MIB, NOW)).not.toThrow("s3cret");
  });

  it("EV-5: counts the bytes of the compact JSON and names both numbers", () => {
    const event = { name: "a", data: { text: "é".repeat(100) } };
    const bytes = Buffer.byteLength(JSON.stringify(event));
    expect(parseEvent(JSON.stringify(event, null, 8), 0, bytes, NOW).name).toBe("a");
    expect(() => parse(event, bytes - 1)).toThrow(expect.objectContaining({ code: "event_too_large" }));
    expect(() => parse(event, bytes - 1)).toThrow(`Event 3 has ${bytes} bytes; the limit is ${bytes - 1} bytes.`);
  });

  it("EV-3: keeps a key named __proto__ as data", () => {
    const { data } = parseEvent('{"name":"a","data":{"__proto__":{"x":1},"_inngest":1}}', 0, EVENT.bytes.min, NOW);
    expect(JSON.stringify(data)).toBe('{"__proto__":{"x":1}}');
    expect("x" in data).toBe(false);
  });
});
