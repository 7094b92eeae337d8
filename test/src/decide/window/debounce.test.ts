import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Debounce,
  type DebounceCandidate,
  type DebounceOptions,
  debounceClosesAt,
  joinDebounce,
} from "../../../../src/decide/window/debounce.ts";
import { newUlid } from "../../../../src/ids.ts";
import { WINDOW } from "../../../../src/limits.ts";

const T = 1_700_000_000_000;
const options: DebounceOptions = { version: 1, period: 5000, timeout: null };
const unknown = () => null;

/** An event that came at `at`, with that `ts` unless another is given. */
const event = (at: number, ts = at): DebounceCandidate => ({ id: newUlid(at), ts, receivedAt: at });

/** The window after events that came one by one. */
function windowAfter(events: readonly DebounceCandidate[], given = options): Debounce {
  let open: Debounce | null = null;
  for (const one of events) {
    open = joinDebounce(open, [one], { options: given, placeOf: unknown, now: one.receivedAt }).open;
  }
  if (open === null) throw new Error("events open a window");
  return open;
}

describe("joinDebounce", () => {
  it("FC-24: every event restarts the period; the last one runs", () => {
    const events = [0, 1000, 2000, 3000].map((ms) => event(T + ms));
    const window = windowAfter(events);
    expect(debounceClosesAt(window)).toBe(T + 8000);
    expect(window).toMatchObject({ opener: events[0]?.id, count: 4, winner: events[3] });
  });

  it("FC-24: an older fact that arrives late restarts the period and does not win; of equal ones the last received does", () => {
    const [newer, late] = [event(T, T + 50), event(T + 1000, T + 20)];
    expect(windowAfter([newer, late])).toMatchObject({ winner: newer, lastAt: T + 1000, count: 2 });
    const same = event(T + 2000, T + 50);
    expect(windowAfter([newer, late, same]).winner).toBe(same);
    const first = event(T + 3000, T + 50);
    const second = { ...event(T + 3000, T + 50) };
    expect(joinDebounce(null, [first, second], { options, placeOf: unknown, now: T + 3000 })).toMatchObject({
      wins: 1,
    });
    expect(joinDebounce(null, [second, first], { options, placeOf: unknown, now: T + 3000 })).toMatchObject({
      wins: 0,
    });
  });

  it("FC-25: the bound counts from the first event; what comes after it opens a new window", () => {
    const bounded = { version: 1, period: 2000, timeout: 5000 };
    const events = [0, 1000, 2000, 3000, 4000].map((ms) => event(T + ms));
    const window = windowAfter(events, bounded);
    expect(debounceClosesAt(window)).toBe(T + 5000);
    const next = event(T + 5000);
    const joined = joinDebounce(window, [next], { options: bounded, placeOf: unknown, now: T + 5000 });
    expect(joined).toMatchObject({ closed: { winner: events[4] }, wins: 0, places: [next.id] });
    expect(joined.closed).toBe(window);
    expect(joined.open).toMatchObject({ opener: next.id, openedAt: T + 5000, count: 1, winner: next });
  });

  it("a repeated send changes nothing, while the window is open and when it has closed", () => {
    const send = Array.from({ length: 300 }, () => event(T));
    const { open } = joinDebounce(null, send, { options, placeOf: unknown, now: T });
    const again = joinDebounce(open, send, { options, placeOf: unknown, now: T + 3000 });
    expect(again).toMatchObject({ closed: null, wins: null, places: send.map(() => send[0]?.id) });
    expect(again.open).toBe(open);
    const afterwards = joinDebounce(null, send, { options, placeOf: () => "before", now: T + 9000 });
    expect(afterwards).toEqual({ closed: null, open: null, wins: null, places: send.map(() => "before") });
  });

  it("what it remembers of open windows is bounded, and the newest of it", () => {
    const events = Array.from({ length: WINDOW.seen + 10 }, (_, i) => event(T + i));
    const window = windowAfter(events);
    expect(window.seen).toHaveLength(WINDOW.seen);
    expect(window.seen.at(-1)).toEqual([events.at(-1)?.id, events.at(-1)?.id]);
  });

  it("the newest registration counts", () => {
    const window = windowAfter([event(T)]);
    const shorter = { version: 2, period: 1000, timeout: 1500 };
    const next = joinDebounce(window, [event(T + 100)], { options: shorter, placeOf: unknown, now: T + 100 }).open;
    expect(next === null ? null : debounceClosesAt(next)).toBe(T + 1100);
    const older = joinDebounce(next, [event(T + 200)], { options, placeOf: unknown, now: T + 200 }).open;
    expect(older === null ? null : debounceClosesAt(older)).toBe(T + 1200);
  });

  it("EV-10: a future ts wins and does not keep the window open; an event long under way counts from when it came", () => {
    const ahead = event(T, T + 3_600_000);
    const { open } = joinDebounce(null, [ahead, event(T)], { options, placeOf: unknown, now: T });
    expect(open).toMatchObject({ winner: ahead, lastAt: T });
    const slow = joinDebounce(null, [event(T)], { options, placeOf: unknown, now: T + 60_000 }).open;
    expect(slow === null ? null : debounceClosesAt(slow)).toBe(T + 60_000 + 2500);
  });

  it("a clock that went back keeps no window open for longer than its period", () => {
    const window = windowAfter([event(T)]);
    const { open } = joinDebounce(window, [event(T - 60_000)], { options, placeOf: unknown, now: T - 60_000 });
    expect(open === null ? null : debounceClosesAt(open)).toBe(T - 60_000 + 5000);
  });
});

/** The obvious windows: everything is kept and looked at again. */
class Model {
  readonly windows: { events: (DebounceCandidate & { at: number })[]; over: boolean }[] = [];

  join(candidates: readonly DebounceCandidate[], { period, timeout }: DebounceOptions, now: number): string[] {
    return candidates.map((candidate) => {
      const known = this.windows.find(({ events }) => events.some(({ id }) => id === candidate.id));
      if (known !== undefined) return known.events[0]?.id ?? "";
      this.tick(period, timeout, now);
      if (this.windows.at(-1)?.over !== false) this.windows.push({ events: [], over: false });
      const window = this.windows.at(-1);
      window?.events.push({ ...candidate, at: now });
      return window?.events[0]?.id ?? "";
    });
  }

  tick(period: number, timeout: number | null, now: number): void {
    const last = this.windows.at(-1);
    const times = last?.events.map(({ at }) => at) ?? [];
    if (last === undefined) return;
    if (now >= Math.max(...times) + period || (timeout !== null && now >= Math.min(...times) + timeout))
      last.over = true;
  }

  winners(): string[] {
    return this.windows.map(({ events }) => {
      const sorted = events.toSorted((a, b) => a.ts - b.ts || a.at - b.at || (a.id < b.id ? -1 : 1));
      return sorted.at(-1)?.id ?? "";
    });
  }
}

const call = fc.record({
  events: fc.array(fc.record({ n: fc.integer({ min: 0, max: 25 }), ts: fc.integer({ min: 0, max: 4 }) }), {
    maxLength: 6,
  }),
  wait: fc.integer({ min: 0, max: 4000 }),
  alarm: fc.boolean(),
});
const bounds = fc.option(fc.integer({ min: 1000, max: 9000 }), { nil: null });

it("FC-24, FC-25: does what keeping everything would do, whatever comes", () => {
  fc.assert(
    fc.property(fc.array(call, { maxLength: 40 }), bounds, (calls, timeout) => {
      const given = { version: 1, period: 3000, timeout };
      const model = new Model();
      const ended: Debounce[] = [];
      const members = new Map<string, string>();
      let open: Debounce | null = null;
      let now = T;
      for (const { events, wait, alarm } of calls) {
        now += wait;
        if (alarm) {
          model.tick(given.period, timeout, now);
          if (open !== null && now >= debounceClosesAt(open)) {
            ended.push(open);
            open = null;
          }
        }
        // Ids of one length, so that they are ordered as they count.
        const ids = new Map(events.map(({ n, ts }) => [n, { id: `e${100 + n}`, ts, receivedAt: now }]));
        const candidates = [...ids.values()];
        const joined = joinDebounce(open, candidates, {
          options: given,
          placeOf: (id) => members.get(id) ?? null,
          now,
        });
        if (joined.closed !== null) ended.push(joined.closed);
        if (joined.wins !== null) expect(joined.open?.winner).toBe(candidates[joined.wins]);
        open = joined.open;
        expect(joined.places).toEqual(model.join(candidates, given, now));
        for (const [at, { id }] of candidates.entries()) members.set(id, joined.places[at] ?? "");
      }
      const all = open === null ? ended : [...ended, open];
      expect(all.map(({ winner }) => winner.id)).toEqual(model.winners());
      expect(all.map(({ count }) => count)).toEqual(model.windows.map(({ events }) => events.length));
    }),
  );
});
