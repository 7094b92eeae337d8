import { describe, expect, it } from "vitest";
import { compile } from "../../../src/expressions/expression.ts";
import type { Json } from "../../../src/json.ts";
import { faultOf, NOW, resultOf } from "./samples.ts";

/** The moment a source gives, as text. */
function moment(source: string, data: Json = {}): unknown {
  return resultOf(`string(${source})`, data);
}

describe("XP-7: timestamp and duration", () => {
  it.each([
    ["timestamp('2024-01-01T00:00:00Z')", "2024-01-01T00:00:00Z"],
    ["timestamp('2024-01-01T02:00:00.123456789+02:00')", "2024-01-01T00:00:00.123456789Z"],
    ["timestamp('0001-01-01T00:00:00Z')", "0001-01-01T00:00:00Z"],
    ["timestamp('1969-12-31T23:59:59.5Z')", "1969-12-31T23:59:59.5Z"],
    ["timestamp(60)", "1970-01-01T00:01:00Z"],
    ["timestamp(60.0)", "1970-01-01T00:01:00Z"],
    ["timestamp(timestamp(60))", "1970-01-01T00:01:00Z"],
    ["timestamp(0) + duration('1h')", "1970-01-01T01:00:00Z"],
    ["duration('1h') + timestamp(0)", "1970-01-01T01:00:00Z"],
    ["timestamp(3600) - duration('30m')", "1970-01-01T00:30:00Z"],
    ["timestamp(60) - timestamp(0)", "60s"],
    ["duration('1h30m')", "5400s"],
    ["duration('-1.5s')", "-1.5s"],
    ["duration('250us') + duration('1ns')", "0.000250001s"],
    ["duration('7d')", "604800s"],
    ["duration('1 hour')", "3600s"],
  ])("%s is %s", (source, expected) => {
    expect(moment(source)).toBe(expected);
  });
  it("a date in an event compares with a literal one", () => {
    const source = "timestamp(event.data.at) > timestamp('2024-01-01T00:00:00Z')";
    expect(resultOf(source, { at: "2025-01-01T00:00:00Z" })).toBe(true);
    expect(resultOf(source, { at: "2023-01-01T00:00:00Z" })).toBe(false);
  });
  it.each([
    "timestamp('2024-01-01')",
    "timestamp('2024-02-30T00:00:00Z')",
    "timestamp('2024-01-01T24:00:00Z')",
    "timestamp('2024-01-01T00:60:00Z')",
    "timestamp('x')",
    "timestamp(1.5)",
    "timestamp(true)",
    "timestamp(999999999999)",
    "duration('1x')",
    "duration('')",
    "duration(5)",
    "duration('99999999999h')",
  ])("%s is a runtime error", (source) => {
    expect(faultOf(source)).not.toBe("");
  });
});

describe("protocol 7.2: date", () => {
  const day = "2006-01-02T00:00:00Z";
  const noon = "2006-01-02T15:04:05Z";
  it.each<[string, string]>([
    ["2006-01-02T15:04:05Z", noon],
    ["2006-01-02T17:04:05+02:00", noon],
    ["2006-01-02T15:04:05", noon],
    ["2006-01-02 15:04:05", noon],
    ["2006-01-02", day],
    ["Mon, 02 Jan 2006 15:04:05 GMT", noon],
    ["Mon, 02 Jan 2006 08:04:05 MST", noon],
    ["Mon, 02 Jan 2006 08:04:05 -0700", noon],
    ["02 Jan 06 15:04 UTC", "2006-01-02T15:04:00Z"],
    ["02 Jan 06 08:04 -0700", "2006-01-02T15:04:00Z"],
    ["Monday, 02-Jan-06 15:04:05 UTC", noon],
    ["Mon Jan  2 15:04:05 2006", noon],
    ["Mon Jan 2 15:04:05 UTC 2006", noon],
    ["Mon Jan 02 08:04:05 -0700 2006", noon],
    ["02 Jan 70 00:00 UTC", "1970-01-02T00:00:00Z"],
  ])("%s", (text, expected) => {
    expect(moment("date(event.data.at)", { at: text })).toBe(expected);
  });
  it.each<[number, string]>([
    [1_700_000_000, "2023-11-14T22:13:20Z"],
    [1_700_000_000_000, "2023-11-14T22:13:20Z"],
    [1_700_000_000_000_000_000, "2023-11-14T22:13:20Z"],
  ])("%d is seconds, ms or ns by its size", (at, expected) => {
    expect(moment("date(event.data.at)", { at })).toBe(expected);
  });
  it("vector 7.9: a later date is greater", () => {
    expect(resultOf('date(event.data.at) > date("2024-01-01")', { at: "2025-01-01T00:00:00Z" })).toBe(true);
  });
  it.each([
    "tomorrow",
    "2006-13-02",
    "2006-02-29",
    "02 Foo 2006 15:04:05 GMT",
    "Mon, 02 Jan 2006 15:04:05 XYZ",
    "9".repeat(100),
  ])("%s is a runtime error", (at) => {
    expect(faultOf("date(event.data.at)", { at })).toBe('"date" does not know this form of date');
  });
  it("XP-11: a date meets text only after date() or timestamp()", () => {
    expect(resultOf("date('2024-01-01') == '2024-01-01'")).toBe(false);
    expect(faultOf("date('2024-01-01') > '2023-01-01'")).toContain("no order");
  });
});

describe("XP-7: the clock is an argument", () => {
  it.each([
    ["now()", "2025-01-01T00:00:00Z"],
    ["now_plus('1h')", "2025-01-01T01:00:00Z"],
    ["now_minus('7d')", "2024-12-25T00:00:00Z"],
  ])("%s is %s", (source, expected) => {
    expect(NOW).toBe(Date.UTC(2025, 0, 1));
    expect(moment(source)).toBe(expected);
  });
  it("a bad length is a runtime error", () => {
    expect(faultOf("now_plus('soon') > now()")).toContain('"now_plus" wants a duration');
  });
});

describe("CEL's accessors", () => {
  it.each([
    ["getFullYear()", 2009n],
    ["getMonth()", 1n],
    ["getDate()", 13n],
    ["getDayOfMonth()", 12n],
    ["getDayOfWeek()", 5n],
    ["getDayOfYear()", 43n],
    ["getHours()", 23n],
    ["getMinutes()", 31n],
    ["getSeconds()", 30n],
    ["getMilliseconds()", 123n],
    ["getDate('+01:00')", 14n],
    ["getHours('-08:00')", 15n],
    ["getHours('UTC')", 23n],
  ])("%s", (call, expected) => {
    expect(resultOf(`timestamp('2009-02-13T23:31:30.123Z').${call}`)).toBe(expected);
  });
  it.each([
    ["getHours()", 2n],
    ["getMinutes()", 121n],
    ["getSeconds()", 7261n],
    ["getMilliseconds()", 500n],
  ])("of a duration: %s", (call, expected) => {
    expect(resultOf(`duration('2h1m1.5s').${call}`)).toBe(expected);
  });
  it("XP-18: zones by name are refused, because their rules change", () => {
    expect(faultOf("timestamp(0).getHours('Europe/Berlin')")).toContain("an offset such as +02:00");
    expect(compile("duration('1h').getHours()", "key").ok).toBe(true);
  });
  it.each(["duration('1h').getFullYear()", "'a'.getHours()", "duration('1h').getHours('UTC')"])(
    "%s is a runtime error",
    (source) => {
      expect(faultOf(source)).toContain("cannot read");
    },
  );
});
