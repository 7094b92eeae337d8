import { describe, expect, it } from "vitest";
import { EVENT } from "../../../src/limits.ts";
import { eventsOf } from "../../../src/webhooks/transform.ts";

const NOW = Date.UTC(2026, 10, 21);
const of = (value: unknown, maxEventBytes = 1024 * 1024) =>
  eventsOf(JSON.stringify(value), { now: NOW, maxEventBytes });
const absent = { data: {}, id: null, ts: null, v: null, user: {}, sessions: null };

describe("EV-30: events of a result", () => {
  it.each([
    ["an object", { name: "a" }, [{ ...absent, name: "a" }]],
    [
      "an array",
      [{ name: "a" }, { name: "b", data: { x: [1] } }],
      [
        { ...absent, name: "a" },
        { ...absent, name: "b", data: { x: [1] } },
      ],
    ],
    ["an empty array", [], []],
    [
      "every field",
      { name: "a", data: {}, id: "i", ts: NOW, v: "1", user: { u: 1 } },
      [{ ...absent, name: "a", id: "i", ts: NOW, v: "1", user: { u: 1 } }],
    ],
    ["an empty id and no time", { name: "a", id: "", ts: 0 }, [{ ...absent, name: "a" }]],
  ])("%s", (_, value, events) => {
    expect(of(value)).toEqual({ ok: true, events });
  });

  it("nothing gives none", () => {
    expect(eventsOf(null, { now: NOW, maxEventBytes: 1024 })).toEqual({ ok: true, events: [] });
  });

  it.each<[string, unknown, string, RegExp]>([
    ["no name", {}, "event_invalid", /^Event 0: name /],
    ["a name that is no text", { name: 1 }, "event_invalid", /^Event 0: name must be a string/],
    ["data that is a list", { name: "a", data: [] }, "event_invalid", /^Event 0: data must be an object/],
    ["a time that is a text", { name: "a", ts: "2026-11-21" }, "event_invalid", /^Event 0: ts must be a number/],
    ["a time in seconds", { name: "a", ts: NOW / 1000 }, "event_invalid", /^Event 0: ts is /],
    ["a user that is none", { name: "a", user: "u" }, "event_invalid", /^Event 0: user must be an object/],
    ["a second one that is null", [{ name: "a" }, null], "event_invalid", /^Event 1 must be an object/],
    ["a list in a list", [[{ name: "a" }]], "event_invalid", /^Event 0 must be an object/],
    ["a reserved name", { name: "inngest/x" }, "event_name_reserved", /^Event 0/],
    ["too many events", Array(EVENT.perRequest + 1).fill({ name: "a" }), "too_many_events", /5001 events/],
    [
      "too large an event",
      { name: "a", data: { x: "x".repeat(1024 * 1024) } },
      "event_too_large",
      /^Event 0 has 1048604 bytes/,
    ],
    ["a text", "event", "event_invalid", /returned "event", which is no event/],
    ["a number", 7, "event_invalid", /returned 7,/],
    ["true", true, "event_invalid", /returned true,/],
    ["a long text", "x".repeat(1e6), "event_invalid", /returned "x{99}…, which/],
  ])("EV-32: %s is a failure that names it", (_, value, name, message) => {
    const result = of(value);
    expect(result).toMatchObject({ ok: false, failure: { name, message: expect.stringMatching(message) } });
  });

  it("EV-5: one nested too deep is a failure", () => {
    const nested = `{"name":"a","data":{"x":${"[".repeat(200)}${"]".repeat(200)}}}`;
    expect(eventsOf(nested, { now: NOW, maxEventBytes: 1024 })).toMatchObject({
      ok: false,
      failure: { name: "event_invalid", message: expect.stringContaining("nested deeper") },
    });
  });
});
