import { describe, expect, it } from "vitest";
import { acceptEvents, sourceOf } from "../../../src/events/accept.ts";
import { isUlid, ulidTime } from "../../../src/ids.ts";

const NOW = Date.UTC(2026, 10, 21);
const LIMITS = { now: NOW, maxEventBytes: 1024 };
const SEED = { "x-inngest-event-id-seed": "1700000000000,AAECAwQFBgcICQ==" };

const accept = (body: unknown, headers: Record<string, string> = {}) =>
  acceptEvents(JSON.stringify(body), new Headers(headers), LIMITS);

describe("acceptEvents", () => {
  it("EV-1: gives one event per element, in input order, none for an empty array", () => {
    expect(accept([{ name: "a" }, { name: "b" }, { name: "a" }]).map(({ payload }) => payload.name)).toEqual([
      "a",
      "b",
      "a",
    ]);
    expect(accept({ name: "one" })).toHaveLength(1);
    expect(accept([])).toEqual([]);
  });

  it("EV-6: makes rising ULIDs of the receive time", () => {
    const ids = accept([{ name: "a" }, { name: "b" }, { name: "c" }]).map(({ internalId }) => internalId);
    expect(ids.every((id) => isUlid(id) && ulidTime(id) === NOW)).toBe(true);
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(3);
  });

  it("EV-3, EV-6: fills in id, ts and user", () => {
    const [event] = accept({ name: "a", id: "", ts: 0 });
    expect(event).toEqual({
      internalId: event?.internalId,
      receivedAt: NOW,
      source: "rest",
      deduplicationId: null,
      payload: { name: "a", data: {}, id: event?.internalId, ts: NOW, user: {} },
    });
  });

  it("EV-6, EV-37: keeps the sender's id, ts, v, user and sessions in the payload", () => {
    const sent = { name: "a", data: { x: 1 }, id: "cart-1", ts: NOW - 5, v: "2026-11-21.1", user: { id: 1 } };
    const [event] = accept({ ...sent, meta: { propagated_sessions: { chat: "c1" } } });
    expect(event?.payload).toEqual({ ...sent, meta: { sessions: { chat: "c1" } } });
    expect(event?.deduplicationId).toBe("cart-1");
    expect(isUlid(event?.internalId ?? "")).toBe(true);
  });

  it("EV-7: a seed decides the ids, counted from 1, and a broken one is ignored", () => {
    const seeded = accept([{ name: "a" }, { name: "b", id: "own" }], SEED).map(({ internalId }) => internalId);
    expect(seeded).toEqual(["01HF7YAT00000G40R40M30E20A", "01HF7YAT00000G40R40M30E20B"]);
    const [event] = accept([{ name: "a" }], { "x-inngest-event-id-seed": "now,whatever" });
    expect(ulidTime(event?.internalId ?? "")).toBe(NOW);
  });

  it("EV-4: one bad event refuses the whole request, naming its index", () => {
    expect(() => accept([{ name: "a" }, { data: {} }, { name: "c" }])).toThrow("Event 1: name must be a string");
  });

  it("EV-5: one event over its limit refuses the whole request", () => {
    expect(() => accept([{ name: "a" }, { name: "b", data: { x: "y".repeat(1024) } }])).toThrow("Event 1 has");
  });
});

it.each([
  [{ "x-inngest-sdk": "inngest-js:v4.24.0", "user-agent": "node" }, "inngest-js:v4.24.0"],
  [{ "user-agent": "inngest-py:v0.5.10" }, "inngest-py:v0.5.10"],
  [{ "x-inngest-sdk": "" }, "rest"],
  [{ "user-agent": "a".repeat(1000) }, "a".repeat(256)],
])("EV-28: the source of %j", (headers, source) => {
  expect(sourceOf(new Headers(Object.entries(headers)))).toBe(source);
});
