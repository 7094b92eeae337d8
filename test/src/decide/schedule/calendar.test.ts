import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Calendar, calendarOf } from "../../../../src/decide/schedule/calendar.ts";
import { changes, everyTick, type Fields, readClock } from "./every-minute.ts";

const DAY = 24 * 60 * 60 * 1000;

function calendar(text: string): Calendar {
  const found = calendarOf(text);
  if (found === null) throw new Error(`${text} is no cron`);
  return found;
}

/** All ticks after one instant and not after another, found from the front. */
function ticksWithin(text: string, after: number, until: number): number[] {
  const ticks: number[] = [];
  const { next } = calendar(text);
  for (let tick = next(after); tick !== null && tick <= until; tick = next(tick)) ticks.push(tick);
  return ticks;
}

/** The same found from the back, earliest first. */
function ticksBackFrom(text: string, after: number, until: number): number[] {
  const ticks: number[] = [];
  const { previous } = calendar(text);
  for (let tick = previous(until); tick !== null && tick > after; tick = previous(tick - 1)) ticks.push(tick);
  return ticks.reverse();
}

/** The first ticks after a day, as RFC 3339 without seconds. */
function firstTicks(text: string, day: string, count: number): string[] {
  const ticks: string[] = [];
  let tick: number | null = Date.parse(`${day}T00:00:00Z`) - 1;
  while (ticks.length < count) {
    tick = calendar(text).next(tick);
    if (tick === null) break;
    ticks.push(`${new Date(tick).toISOString().slice(0, 16)}Z`);
  }
  return ticks;
}

/** A zone, and a year in which its clocks change in a way of their own. */
const ZONES: readonly (readonly [zone: string, year: number, peculiarity: string])[] = [
  ["UTC", 2026, "no changes"],
  ["Europe/Paris", 2026, "an hour at 02:00"],
  ["America/New_York", 2028, "an hour at 02:00, leap year"],
  ["Australia/Lord_Howe", 2026, "half an hour"],
  ["Asia/Kolkata", 2026, "half an hour from whole hours, no changes"],
  ["Asia/Kathmandu", 2026, "a quarter of an hour from whole hours"],
  ["Pacific/Chatham", 2026, "changes at 02:45"],
  ["America/Santiago", 2026, "the gap begins at midnight"],
  ["America/Havana", 2026, "midnight comes twice"],
  ["Africa/Casablanca", 2026, "back during Ramadan"],
  ["Africa/Cairo", 2026, "the gap begins at midnight, and midnight comes twice"],
  ["Antarctica/Troll", 2026, "two hours"],
  ["America/St_Johns", 2008, "changes at one minute past midnight, back over midnight"],
  ["Pacific/Apia", 2011, "a day that never was"],
  ["Asia/Pyongyang", 2018, "half an hour for good"],
];

/** A field's text and what it means, built side by side. */
interface Part {
  readonly text: string;
  readonly values: readonly number[];
  readonly plain: boolean;
  readonly step: boolean;
}

function field(min: number, max: number): fc.Arbitrary<Part> {
  const range = (from: number, to: number, step = 1): number[] =>
    Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, at) => from + at * step);
  const value = fc.integer({ min, max });
  const step = fc.integer({ min: 2, max: Math.min(12, max - min) });
  const pair = fc.tuple(value, value).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  const entry = fc.oneof(
    value.map((n) => ({ text: `${n}`, values: [n], plain: false, step: false })),
    pair.map(([a, b]) => ({ text: `${a}-${b}`, values: range(a, b), plain: false, step: false })),
    fc.tuple(pair, step).map(([[a, b], by]) => ({
      text: `${a}-${b}/${by}`,
      values: range(a, b, by),
      plain: false,
      step: true,
    })),
    step.map((by) => ({ text: `*/${by}`, values: range(min, max, by), plain: false, step: true })),
  );
  const list = fc.array(entry, { minLength: 1, maxLength: 3 }).map((entries) => ({
    text: entries.map(({ text }) => text).join(","),
    values: entries.flatMap(({ values }) => values),
    plain: false,
    step: entries.some(({ step }) => step),
  }));
  const any = fc.constantFrom("*", "?").map((text) => ({ text, values: range(min, max), plain: true, step: false }));
  return fc.oneof({ weight: 2, arbitrary: any }, { weight: 3, arbitrary: list });
}

const crons = fc
  .tuple(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 6))
  .map(([minute, hour, day, month, weekday]) => {
    const fields: Fields = {
      minute: new Set(minute.values),
      hour: new Set(hour.values),
      day: new Set(day.values),
      month: new Set(month.values),
      weekday: new Set(weekday.values),
      dayRestricted: !day.plain,
      weekdayRestricted: !weekday.plain,
      everyHour: hour.plain || hour.step,
    };
    return { text: [minute, hour, day, month, weekday].map(({ text }) => text).join(" "), fields };
  });

const EVERY: Fields = {
  minute: new Set(Array.from({ length: 60 }, (_, at) => at)),
  hour: new Set(Array.from({ length: 24 }, (_, at) => at)),
  day: new Set(Array.from({ length: 31 }, (_, at) => at + 1)),
  month: new Set(Array.from({ length: 12 }, (_, at) => at + 1)),
  weekday: new Set([0, 1, 2, 3, 4, 5, 6]),
  dayRestricted: false,
  weekdayRestricted: false,
  everyHour: true,
};
const only = (...values: number[]) => new Set(values);

/** Crons that fall on and around changes of the clock, which random ones rarely do. */
const NEAR_CHANGES: readonly (readonly [text: string, fields: Fields])[] = [
  ["* * * * *", EVERY],
  ["0 0 * * *", { ...EVERY, minute: only(0), hour: only(0), everyHour: false }],
  ["30 2 * * *", { ...EVERY, minute: only(30), hour: only(2), everyHour: false }],
  ["15,45 1-3 * * *", { ...EVERY, minute: only(15, 45), hour: only(1, 2, 3), everyHour: false }],
  ["0,1,30,59 0,23 * * *", { ...EVERY, minute: only(0, 1, 30, 59), hour: only(0, 23), everyHour: false }],
  ["20 * * * *", { ...EVERY, minute: only(20) }],
  ["50 */2 * * *", { ...EVERY, minute: only(50), hour: only(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22) }],
  [
    "*/10 0-3/1 * * 0,6",
    {
      ...EVERY,
      minute: only(0, 10, 20, 30, 40, 50),
      hour: only(0, 1, 2, 3),
      weekday: only(0, 6),
      weekdayRestricted: true,
    },
  ],
];

/** More ticks than this are compared only around the changes of the clock and at the year's ends. */
const MANY = 10_000;

/** A year of a zone's clock, read once. */
function yearOf(zone: string, year: number) {
  const [from, until] = [Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1)];
  const clock = readClock(zone, from - DAY, until);
  const around = [from, ...changes(clock), until].map((at): readonly [number, number] => [
    Math.max(from, at - 2 * DAY),
    Math.min(until, at + 2 * DAY),
  ]);
  return {
    /** Finds every tick of the year, from the front and from the back, and compares them with those of the model. */
    check(text: string, fields: Fields): void {
      const expected = everyTick(clock, fields);
      for (const [start, end] of expected.length > MANY ? around : [[from, until] as const]) {
        const ticks = expected.filter((tick) => tick >= start && tick < end);
        expect(ticksWithin(`TZ=${zone} ${text}`, start - 1, end - 1)).toEqual(ticks);
        expect(ticksBackFrom(`CRON_TZ=${zone} ${text}`, start - 1, end - 1)).toEqual(ticks);
      }
    },
  };
}

describe("a year in a zone, against the model that reads the clock every minute", () => {
  describe.each(ZONES)("%s in %i: %s", (zone, year) => {
    let known: ReturnType<typeof yearOf> | undefined;
    const check = (text: string, fields: Fields) => {
      known ??= yearOf(zone, year);
      known.check(text, fields);
    };

    it.each(NEAR_CHANGES)("TR-9, TR-11: %s ticks at exactly its instants", { timeout: 60_000 }, check);

    it("TR-9, TR-11: and so does every other cron", { timeout: 60_000 }, () => {
      fc.assert(
        fc.property(crons, ({ text, fields }) => check(text, fields)),
        { numRuns: 6 },
      );
    });
  });
});

describe("the examples of the specification", () => {
  it.each([
    ["TZ=Europe/Paris 0 12 * * 5", "2026-03-21", ["2026-03-27T11:00Z", "2026-04-03T10:00Z"]],
    ["0 9 * * MON", "2026-11-21", ["2026-11-23T09:00Z", "2026-11-30T09:00Z"]],
    ["0 0 13 * FRI", "2026-11-10", ["2026-11-13T00:00Z", "2026-11-20T00:00Z", "2026-11-27T00:00Z"]],
    ["0 0 13 * FRI", "2026-12-12", ["2026-12-13T00:00Z"]],
    ["0 0 * * 7", "2026-11-18", ["2026-11-22T00:00Z"]],
    ["@hourly", "2026-11-18", ["2026-11-18T00:00Z", "2026-11-18T01:00Z"]],
    ["@yearly", "2026-11-18", ["2027-01-01T00:00Z", "2028-01-01T00:00Z"]],
    ["0 0 29 2 *", "2096-03-01", ["2104-02-29T00:00Z", "2108-02-29T00:00Z"]],
    ["0 0 30 2 *", "2026-01-01", []],
  ])("TR-9: %s after %s", (text, day, expected) => {
    expect(firstTicks(text, day, Math.max(expected.length, 1))).toEqual(expected);
  });

  it("TR-9: a cron that never ticks never did", () => {
    expect(calendar("0 0 30 2 *").previous(Date.UTC(2026, 0, 1))).toBeNull();
    expect(calendar("0 0 29 2 *").previous(Date.UTC(2104, 1, 1))).toBe(Date.UTC(2096, 1, 29));
  });

  it("TR-11, row 9: once on both Sundays on which the clocks change", () => {
    const nightly = "TZ=Europe/Paris 30 2 * * *";
    expect(firstTicks(nightly, "2026-03-28", 3)).toEqual([
      "2026-03-28T01:30Z",
      "2026-03-29T01:00Z",
      "2026-03-30T00:30Z",
    ]);
    expect(firstTicks(nightly, "2026-10-24", 3)).toEqual([
      "2026-10-24T00:30Z",
      "2026-10-25T00:30Z",
      "2026-10-26T01:30Z",
    ]);
  });

  it("TR-11: in both hours when the hour is * or a step", () => {
    const night = ["2026-10-25T00:30Z", "2026-10-25T01:30Z", "2026-10-25T02:30Z"];
    expect(firstTicks("TZ=Europe/Paris 30 * * * *", "2026-10-25", 3)).toEqual(night);
    expect(firstTicks("TZ=Europe/Paris 30 */2 * * *", "2026-10-25", 3)).toEqual([
      ...night.slice(0, 2),
      "2026-10-25T03:30Z",
    ]);
    expect(firstTicks("TZ=Europe/Paris 30 2,3 * * *", "2026-10-25", 2)).toEqual([night[0], night[2]]);
  });

  it("what is no cron has no calendar", () => {
    expect(calendarOf("* * *")).toBeNull();
  });
});
