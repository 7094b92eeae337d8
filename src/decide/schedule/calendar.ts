/**
 * The calendar of a cron: which instant it ticks at next, and which it ticked at last. Owns the search; what a date's ticks are is `day.ts`'s.
 * Pure: every instant is an argument.
 */

import { DAY } from "../../limits/units.ts";
import { SCHEDULE } from "../../limits.ts";
import { type Cron, parseCron } from "./cron.ts";
import { ticksOn } from "./day.ts";
import { zoneOf } from "./zone.ts";

/** When a cron ticks. Instants are ms since 1970. */
export interface Calendar {
  /** The first tick after the instant; null when none comes within `SCHEDULE.horizon`, as for 30 February. */
  next(after: number): number | null;
  /** The last tick at the instant or before it; null when none came within `SCHEDULE.horizon`. */
  previous(until: number): number | null;
}

/** A local date lies within a day of the one in UTC, and clocks that go back may put ticks of a date a day later. */
const NEIGHBOURS = 2;

/** Dates whose ticks a calendar remembers: as many as one question about a frequent cron looks at. */
const REMEMBERED = 2 * NEIGHBOURS + 2;

const calendars = new Map<string, Calendar | null>();

/**
 * The calendar of a cron as a trigger names it; null when the text is none, which registration refuses. Remembered by text: a calendar
 * is a function of it alone, so what an isolate remembers changes speed and nothing else.
 */
export function calendarOf(text: string): Calendar | null {
  const known = calendars.get(text);
  if (known !== undefined) return known;
  const parsed = parseCron(text);
  const calendar = parsed.ok ? createCalendar(parsed.cron) : null;
  if (calendars.size >= SCHEDULE.calendars) calendars.clear();
  calendars.set(text, calendar);
  return calendar;
}

function createCalendar(cron: Cron): Calendar | null {
  const zone = zoneOf(cron.timeZone);
  if (zone === null) return null;
  const remembered = new Map<number, readonly number[]>();
  const ticksOf = (date: number): readonly number[] => {
    const known = remembered.get(date);
    if (known !== undefined) return known;
    const ticks = ticksOn(cron, zone, date);
    if (remembered.size >= REMEMBERED) remembered.clear();
    remembered.set(date, ticks);
    return ticks;
  };
  const firstAfter = (date: number, instant: number): number | null => {
    const ticks = ticksOf(date);
    return (ticks.at(-1) ?? instant) > instant ? (ticks.find((tick) => tick > instant) ?? null) : null;
  };
  const lastUntil = (date: number, instant: number): number | null => {
    const ticks = ticksOf(date);
    return (ticks[0] ?? Number.POSITIVE_INFINITY) <= instant
      ? (ticks.findLast((tick) => tick <= instant) ?? null)
      : null;
  };

  // Where clocks go back over midnight a date has ticks among those of the next one: of both, the nearer tick counts.
  return {
    next(after) {
      const today = Math.floor(after / DAY) * DAY;
      for (let days = -NEIGHBOURS; days <= SCHEDULE.horizon; days++) {
        const tick = firstAfter(today + days * DAY, after);
        if (tick !== null) return Math.min(tick, firstAfter(today + (days + 1) * DAY, after) ?? tick);
      }
      return null;
    },
    previous(until) {
      const today = Math.floor(until / DAY) * DAY;
      for (let days = NEIGHBOURS; days >= -SCHEDULE.horizon; days--) {
        const tick = lastUntil(today + days * DAY, until);
        if (tick !== null) return Math.max(tick, lastUntil(today + (days - 1) * DAY, until) ?? tick);
      }
      return null;
    },
  };
}
