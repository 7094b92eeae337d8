import { describe, expect, it } from "vitest";
import { judge, keptEvent, type Verdict } from "../../../../src/decide/waits/wait.ts";
import { WAITS } from "../../../../src/limits.ts";
import { anEvent, aWait, NOW } from "./fixtures.ts";

const USER = "event.data.userId == async.data.userId";

describe("judge", () => {
  it.each<[string, string | null, object, object, Verdict]>([
    ["EX-41: without a condition every event of the name is the one", null, {}, { any: 1 }, "match"],
    ["EX-42: equal in both events", USER, { userId: 1 }, { userId: 1 }, "match"],
    ["EX-42: not equal", USER, { userId: 1 }, { userId: 2 }, "no"],
    ["XP-4: a field that neither event has", USER, {}, {}, "no"],
    [
      "EX-43: both parts of the condition",
      `${USER} && async.data.plan == 'pro'`,
      { userId: 1 },
      { userId: 1, plan: "pro" },
      "match",
    ],
    ["EX-43: one part only", `${USER} && async.data.plan == 'pro'`, { userId: 1 }, { userId: 1, plan: "free" }, "no"],
    ["XP-2: `event` is the trigger event", "event.name == 'app/started' && async.name == 'app/paid'", {}, {}, "match"],
    ["XP-8: macros work in waits", "async.data.ids.exists(x, x == event.data.id)", { id: 2 }, { ids: [1, 2] }, "match"],
    ["XP-16: a runtime error", "async.data.n + 1 > 2", {}, { n: [] }, "no"],
    ["XP-16: a result that is no boolean", "async.data.name", {}, { name: "x" }, "no"],
    ["XP-3: what does not compile", "async.data.x ==", {}, {}, "no"],
  ])("%s", (_, expression, trigger, incoming, verdict) => {
    expect(judge(aWait(expression, { ...trigger }), anEvent({ ...incoming }), NOW)).toBe(verdict);
  });

  it("EX-45: only events received since the step was reached count", () => {
    expect(judge(aWait(null), anEvent({}, { receivedAt: NOW - 1 }), NOW)).toBe("no");
    expect(judge(aWait(null), anEvent({}, { receivedAt: NOW }), NOW)).toBe("match");
  });

  it("EX-45: the run's own trigger events never count", () => {
    const wait = aWait(null, {}, { triggers: ["first", "second"] });
    expect(judge(wait, anEvent({}, { internalId: "second" }), NOW)).toBe("no");
    expect(judge(wait, anEvent({}, { internalId: "third" }), NOW)).toBe("match");
  });

  it("EV-11: an event of the future counts at once", () => {
    const event = anEvent();
    expect(judge(aWait(null), { ...event, payload: { ...event.payload, ts: NOW + 3_600_000 } }, NOW)).toBe("match");
  });

  it("leaves it to the run when the trigger event is not at hand and the condition may need it", () => {
    expect(judge(aWait(USER, {}, { event: null }), anEvent({ userId: 1 }), NOW)).toBe("ask");
    expect(judge(aWait(null, {}, { event: null }), anEvent({ userId: 1 }), NOW)).toBe("match");
    expect(judge(aWait(USER, {}, { event: null }), anEvent({}, { receivedAt: NOW - 1 }), NOW)).toBe("no");
  });

  it.each(["date(async.data.at) > now_minus('1m')", "timestamp(async.data.at) > now()"])(
    "leaves a match that depends on the clock to the run, which judges later: %s",
    (expression) => {
      const at = new Date(NOW + 1000).toISOString();
      expect(judge(aWait(expression), anEvent({ at }), NOW)).toBe("ask");
      expect(judge(aWait(expression), anEvent({ at: "1999-01-01T00:00:00Z" }), NOW)).toBe("no");
    },
  );
});

describe("keptEvent", () => {
  it("keeps what judging needs, up to the limit in bytes", () => {
    const event = { ...aWait(USER).event };
    const bytes = new TextEncoder().encode(JSON.stringify({ ...event, data: { text: "" } })).byteLength;
    const filled = (text: string) => keptEvent(aWait(USER, { text }));
    expect(filled("x".repeat(WAITS.boundBytes - bytes))).toHaveLength(WAITS.boundBytes);
    expect(filled("x".repeat(WAITS.boundBytes - bytes + 1))).toBeNull();
    expect(filled("ü".repeat((WAITS.boundBytes - bytes) / 2 + 1))).toBeNull();
  });

  it("keeps nothing that is not needed", () => {
    expect(keptEvent(aWait(null, { userId: 1 }))).toBeNull();
    expect(keptEvent(aWait(USER, {}, { event: null }))).toBeNull();
  });
});
