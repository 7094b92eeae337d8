/**
 * The cron syntax of triggers (TR-9). Owns which texts are schedules and which values their fields stand for; when they fire is
 * `calendar.ts`'s. Pure. Guarantees that an accepted cron has at least one value in every field and a zone the runtime knows.
 */
import { zoneOf } from "./zone.ts";

/** A parsed cron. Values ascend; days and months count from 1, weekdays from Sunday, which is 0. */
export interface Cron {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  /** Both day fields are restricted: a date that matches one of them is enough. */
  readonly eitherDay: boolean;
  /** The hour field is `*` or has a step: in the hour that a clock going back repeats, it fires again (TR-11). */
  readonly repeats: boolean;
  /** IANA name; `UTC` when the text names none. */
  readonly timeZone: string;
}

/** What parsing gave; `reason` continues a sentence that began with the cron's text. */
export type ParsedCron = { readonly ok: true; readonly cron: Cron } | { readonly ok: false; readonly reason: string };

const DESCRIPTORS: ReadonlyMap<string, string> = new Map([
  ["@yearly", "0 0 1 1 *"],
  ["@annually", "0 0 1 1 *"],
  ["@monthly", "0 0 1 * *"],
  ["@weekly", "0 0 * * 0"],
  ["@daily", "0 0 * * *"],
  ["@midnight", "0 0 * * *"],
  ["@hourly", "0 * * * *"],
]);

interface Field {
  readonly name: string;
  readonly min: number;
  /** The largest value, and where `N/step` ends; 7 is Sunday besides. */
  readonly max: number;
  /** Names of the values, from `min` on. */
  readonly names: readonly string[];
}

const SATURDAY = 6;
const SUNDAY = 7;

const MINUTE: Field = { name: "minute", min: 0, max: 59, names: [] };
const HOUR: Field = { name: "hour", min: 0, max: 23, names: [] };
const DAY: Field = { name: "day of month", min: 1, max: 31, names: [] };
const MONTH: Field = {
  name: "month",
  min: 1,
  max: 12,
  names: "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" "),
};
const WEEKDAY: Field = { name: "day of week", min: 0, max: SATURDAY, names: "SUN MON TUE WED THU FRI SAT".split(" ") };

/** Parses `[TZ=zone ]` (or `CRON_TZ=`) followed by five fields or a descriptor such as `@daily`. */
export function parseCron(text: string): ParsedCron {
  const parts = text.trim().split(/\s+/);
  const zone = /^(?:CRON_)?TZ=(.*)$/.exec(parts[0] ?? "")?.[1];
  if (zone !== undefined) parts.shift();
  const timeZone = zone ?? "UTC";
  if (zoneOf(timeZone) === null) return refused(`names the unknown time zone "${timeZone}"`);
  const [first = ""] = parts;
  if (parts.length !== 1 || !first.startsWith("@")) return parseFields(parts, timeZone);
  const written = DESCRIPTORS.get(first);
  if (written === undefined) return refused(`is none of ${[...DESCRIPTORS.keys()].join(", ")}`);
  return parseFields(written.split(" "), timeZone);
}

function parseFields(parts: readonly string[], timeZone: string): ParsedCron {
  const [minute, hour, day, month, weekday, ...others] = parts;
  if (minute === undefined || hour === undefined || day === undefined || month === undefined || weekday === undefined) {
    return refused(FORM);
  }
  if (others.length > 0) return refused(FORM);
  const minutes = valuesOf(minute, MINUTE);
  const hours = valuesOf(hour, HOUR);
  const days = valuesOf(day, DAY);
  const months = valuesOf(month, MONTH);
  const weekdays = valuesOf(weekday, WEEKDAY);
  if (minutes === null) return invalid(minute, MINUTE);
  if (hours === null) return invalid(hour, HOUR);
  if (days === null) return invalid(day, DAY);
  if (months === null) return invalid(month, MONTH);
  if (weekdays === null) return invalid(weekday, WEEKDAY);
  return {
    ok: true,
    cron: {
      minutes: [...minutes].sort((a, b) => a - b),
      hours: [...hours].sort((a, b) => a - b),
      days,
      months,
      weekdays,
      eitherDay: isRestricted(day) && isRestricted(weekday),
      repeats: /[*?/]/.test(hour),
      timeZone,
    },
  };
}

const FORM = "must have five fields: minute, hour, day of month, month, day of week";

/** The values a field stands for; null when one of its entries is no value, range or step of this field. */
function valuesOf(text: string, field: Field): Set<number> | null {
  const values = new Set<number>();
  for (const entry of text.split(",")) {
    const range = rangeOf(entry, field);
    if (range === null) return null;
    for (let value = range.from; value <= range.to; value += range.step) {
      values.add(field === WEEKDAY && value === SUNDAY ? 0 : value);
    }
  }
  return values;
}

function rangeOf(
  entry: string,
  field: Field,
): { readonly from: number; readonly to: number; readonly step: number } | null {
  const parts = /^(?:([*?])|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(entry);
  if (parts === null) return null;
  const [, wildcard, first = "", last, every] = parts;
  const step = Number(every ?? 1);
  // A step that never leads to a second value was not meant.
  if (step < 1 || step > field.max - field.min + 1) return null;
  if (wildcard !== undefined) return { from: field.min, to: field.max, step };
  const from = numberOf(first, field);
  // `N/step` goes on to the field's end.
  const to = last !== undefined ? numberOf(last, field) : every === undefined ? from : field.max;
  return from === null || to === null || from > to ? null : { from, to, step };
}

function numberOf(text: string, field: Field): number | null {
  if (!/^\d+$/.test(text)) {
    const at = field.names.indexOf(text.toUpperCase());
    return at === -1 ? null : field.min + at;
  }
  const value = Number(text);
  return value >= field.min && (value <= field.max || (field === WEEKDAY && value === SUNDAY)) ? value : null;
}

/** Whether a day field leaves out days on purpose: a list that contains a plain wildcard does not. */
function isRestricted(text: string): boolean {
  return !text.split(",").some((entry) => /^[*?](?:\/0*1)?$/.test(entry));
}

function invalid(text: string, { name, min, max }: Field): ParsedCron {
  return refused(`has no valid ${name} (${min} to ${max}): "${text}"`);
}

function refused(reason: string): ParsedCron {
  return { ok: false, reason };
}
