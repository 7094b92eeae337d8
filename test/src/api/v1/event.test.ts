import { expect, test } from "vitest";
import { eventJson } from "../../../../src/api/v1/event.ts";
import type { StoredEvent } from "../../../../src/history/message.ts";

const stored: StoredEvent = {
  event: {
    internalId: "01J00000000000000000000001",
    receivedAt: Date.UTC(2026, 10, 21, 2),
    source: "js:v4.24.0",
    deduplicationId: "cart-1",
    payload: { name: "cart/done", data: { n: 1 }, id: "cart-1", ts: 1_700_000_000_000, user: { plan: "pro" } },
  },
  outcomes: [],
  duplicate: false,
  routed: true,
};

test("API-7: the event object has every promised field", () => {
  expect(eventJson("env", stored)).toEqual({
    internal_id: "01J00000000000000000000001",
    account_id: "00000000-0000-4000-a000-000000000000",
    environment_id: "env",
    source: "js:v4.24.0",
    source_id: null,
    received_at: "2026-11-21T02:00:00.000Z",
    id: "cart-1",
    name: "cart/done",
    data: { n: 1 },
    user: { plan: "pro" },
    ts: 1_700_000_000_000,
    v: null,
    duplicate: false,
    parked: false,
    outcomes: [],
  });
});

test("EV-12: outcomes name the function, and the run or the reason", () => {
  const fn = { functionId: "f", functionSlug: "shop-pay" };
  const shown = eventJson("env", {
    ...stored,
    outcomes: [
      { ...fn, outcome: "started", runId: "01J00000000000000000000009" },
      { ...fn, outcome: "skipped", reason: "rate_limited" },
      { ...fn, outcome: "expression_error", reason: "no such function" },
    ],
  });
  const shared = { function_id: "f", function_slug: "shop-pay" };
  expect(shown["outcomes"]).toEqual([
    { ...shared, outcome: "started", reason: null, run_id: "01J00000000000000000000009" },
    { ...shared, outcome: "skipped", reason: "rate_limited", run_id: null },
    { ...shared, outcome: "expression_error", reason: "no such function", run_id: null },
  ]);
});

test("EV-37: sessions are shown when the event has any, and `v` when it was given", () => {
  const payload = { ...stored.event.payload, v: "2026-11-21.1", meta: { sessions: { cart: "c1" } } };
  expect(eventJson("env", { ...stored, event: { ...stored.event, payload } })).toMatchObject({
    v: "2026-11-21.1",
    meta: { sessions: { cart: "c1" } },
  });
});
