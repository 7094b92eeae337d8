/**
 * A slow model of crons, independent of the calendar: it walks through every minute of a span of time, reads the local clock that `Intl`
 * shows, and applies the words of TR-11. Shares no code with what it checks.
 */

/** The local clock of a zone, minute by minute: wall time in minutes as if it were UTC. */
export interface Walls {
  /** ms since 1970. */
  readonly from: number;
  readonly minutes: Int32Array;
}

const MINUTE = 60_000;
const QUARTER = 15;

/** Reads the clock of a zone for a span; both ends are whole quarters of an hour, ms since 1970. */
export function readClock(timeZone: string, from: number, until: number): Walls {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  });
  const wallAt = (instant: number): number => {
    const parts = /^(\d+)\/(\d+)\/(\d+), (\d+):(\d+)$/.exec(format.format(instant));
    if (parts === null) throw new Error(`${timeZone} shows ${format.format(instant)}`);
    const [, month, day, year, hour, minute] = parts.map(Number) as [number, number, number, number, number, number];
    return Date.UTC(year, month - 1, day, hour, minute) / MINUTE;
  };
  const minutes = new Int32Array((until - from) / MINUTE);
  for (let at = 0; at < minutes.length; at += QUARTER) {
    const [wall, end] = [wallAt(from + at * MINUTE), wallAt(from + (at + QUARTER) * MINUTE)];
    const changes = end - wall !== QUARTER;
    for (let more = 0; more < QUARTER; more++) {
      minutes[at + more] = changes ? wallAt(from + (at + more) * MINUTE) : wall + more;
    }
  }
  return { from, minutes };
}

/** When the clock was changed, ms since 1970. */
export function changes({ from, minutes }: Walls): number[] {
  const found: number[] = [];
  for (let at = 1; at < minutes.length; at++) {
    if ((minutes[at] ?? 0) !== (minutes[at - 1] ?? 0) + 1) found.push(from + at * MINUTE);
  }
  return found;
}

/** What a cron's fields match, in plain words of TR-9. */
export interface Fields {
  readonly minute: ReadonlySet<number>;
  readonly hour: ReadonlySet<number>;
  readonly day: ReadonlySet<number>;
  readonly month: ReadonlySet<number>;
  readonly weekday: ReadonlySet<number>;
  /** Whether the two day fields say anything. */
  readonly dayRestricted: boolean;
  readonly weekdayRestricted: boolean;
  /** Whether the hour field is `*` or a step. */
  readonly everyHour: boolean;
}

/** Every instant of the span at which the cron ticks, ms since 1970. The first day of the span only sets the scene. */
export function everyTick({ from, minutes }: Walls, fields: Fields): number[] {
  const ticks: number[] = [];
  const dates = new Map<number, boolean>();
  const matches = (wall: number): boolean => {
    if (!fields.minute.has(wall % 60) || !fields.hour.has(Math.floor(wall / 60) % 24)) return false;
    const day = Math.floor(wall / 1440);
    const matched = dates.get(day) ?? matchesDate(new Date(day * 1440 * MINUTE), fields);
    dates.set(day, matched);
    return matched;
  };
  let latest = minutes[0] ?? 0;
  for (let at = 1; at < minutes.length; at++) {
    const wall = minutes[at] ?? 0;
    const seenBefore = wall <= latest;
    let ticked = (!seenBefore || fields.everyHour) && matches(wall);
    for (let skipped = latest + 1; skipped < wall; skipped++) ticked ||= matches(skipped);
    if (ticked && at >= 1440) ticks.push(from + at * MINUTE);
    if (!seenBefore) latest = wall;
  }
  return ticks;
}

function matchesDate(date: Date, { day, month, weekday, dayRestricted, weekdayRestricted }: Fields): boolean {
  if (!month.has(date.getUTCMonth() + 1)) return false;
  const [ofMonth, ofWeek] = [day.has(date.getUTCDate()), weekday.has(date.getUTCDay())];
  return dayRestricted && weekdayRestricted ? ofMonth || ofWeek : ofMonth && ofWeek;
}
