/**
 * The ticks of one local date. Owns what happens when clocks change (TR-11): a wall time that they skip ticks once, at the first instant
 * after the gap; a wall time that comes twice ticks the first time only, unless the hour field is `*` or a step. Pure.
 */
import { DAY, HOUR, MINUTE } from "../../limits/units.ts";
import type { Cron } from "./cron.ts";
import type { Zone } from "./zone.ts";

/** ms; no zone was ever further from UTC than this. */
const FARTHEST = 16 * HOUR;

/**
 * The instants at which the cron ticks on a local date, ascending, each once. The date is its midnight, written in ms as if it were UTC.
 * A tick that the clocks skipped may come out after the date's end.
 */
export function ticksOn(cron: Cron, zone: Zone, date: number): readonly number[] {
  if (!matches(cron, date)) return [];
  const [from, until] = [date - FARTHEST, date + DAY + FARTHEST];
  const [before, after] = [zone(from), zone(until)];
  const walls = cron.hours.flatMap((hour) => cron.minutes.map((minute) => date + hour * HOUR + minute * MINUTE));
  // Clocks are never changed twice within so few days: the same offset at both ends is the offset of the whole date.
  if (before === after) return walls.map((wall) => wall - before);
  const change = firstChange(zone, from, until);
  const ticks = new Set<number>();
  for (const wall of walls) {
    const [first, second] = [wall - before, wall - after];
    const comesBefore = first < change;
    const comesAfter = second >= change;
    if (comesBefore) ticks.add(first);
    if (comesAfter && (!comesBefore || cron.repeats)) ticks.add(second);
    if (!comesBefore && !comesAfter) ticks.add(change);
  }
  return [...ticks].sort((a, b) => a - b);
}

function matches({ months, days, weekdays, eitherDay }: Cron, date: number): boolean {
  const day = new Date(date);
  if (!months.has(day.getUTCMonth() + 1)) return false;
  const [ofMonth, ofWeek] = [days.has(day.getUTCDate()), weekdays.has(day.getUTCDay())];
  return eitherDay ? ofMonth || ofWeek : ofMonth && ofWeek;
}

/** The first minute of `(from, until]` that does not have the offset of `from`; that of `until` must be another one. */
function firstChange(zone: Zone, from: number, until: number): number {
  const before = zone(from);
  let [low, high] = [from, until];
  while (high - low > MINUTE) {
    const middle = low + Math.floor((high - low) / (2 * MINUTE)) * MINUTE;
    if (zone(middle) === before) low = middle;
    else high = middle;
  }
  return high;
}
