import { describe, expect, it } from "vitest";
import { parseDuration, parseMoment } from "../../src/duration.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe("durations (spec/00)", () => {
  it.each([
    ["", 0],
    ["10s", 10_000],
    ["18h30m", 18 * HOUR + 30 * MINUTE],
    ["2.5d", 2.5 * DAY],
    ["1 hour", HOUR],
    ["24hr", DAY],
    ["1h 30m", 90 * MINUTE],
    ["1d1h1m1s", DAY + HOUR + MINUTE + 1000],
    ["250ms", 250],
    ["2 weeks", 14 * DAY],
    ["1y", 365.25 * DAY],
    ["0s", 0],
  ])("%j is %i ms", (text, length) => {
    expect(parseDuration(text)).toBe(length);
  });

  it.each(["10", "s", "-1s", "1 fortnight", "10s!", "1h30", "2030-01-01", "1e3s", "H"])("%j is no duration", (text) => {
    expect(parseDuration(text)).toBeNull();
  });
});

describe("moments", () => {
  it.each([
    ["2030-01-02T03:04:05.678Z", Date.UTC(2030, 0, 2, 3, 4, 5, 678)],
    ["2023-02-01T16:30:00", Date.UTC(2023, 1, 1, 16, 30)],
    ["2030-01-02", Date.UTC(2030, 0, 2)],
    ["2030-01-02T03:04:05+02:00", Date.UTC(2030, 0, 2, 1, 4, 5)],
  ])("%s, UTC unless it says otherwise", (text, time) => {
    expect(parseMoment(text)).toBe(time);
  });

  it.each(["", "10s", "tomorrow", "2030-13-01", "2030"])("%j is no moment", (text) => {
    expect(parseMoment(text)).toBeNull();
  });
});
