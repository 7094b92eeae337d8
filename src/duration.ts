/**
 * The one duration grammar of the engine (spec/00 "Durations"): numbers with units, added up. Pure.
 * Owns parsing only; limits on what a duration may be are the caller's.
 */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Length of each unit name, ms. A year is 365.25 days. */
const UNITS: ReadonlyMap<string, number> = new Map(
  (
    [
      [1, "ms"],
      [SECOND, "s sec secs second seconds"],
      [MINUTE, "m min mins minute minutes"],
      [HOUR, "h hr hrs hour hours"],
      [DAY, "d day days"],
      [7 * DAY, "w week weeks"],
      [365.25 * DAY, "y yr yrs year years"],
    ] as const
  ).flatMap(([length, names]) => names.split(" ").map((name): [string, number] => [name, length])),
);

const PART = /\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*/gy;

/**
 * Parses `10s`, `18h30m`, `2.5d`, `1 hour` into whole ms (rounded). The empty text is 0; null when the text is not a duration.
 */
export function parseDuration(text: string): number | null {
  if (text.trim() === "") return 0;
  let total = 0;
  PART.lastIndex = 0;
  while (PART.lastIndex < text.length) {
    const part = PART.exec(text);
    const unit = part?.[2] === undefined ? undefined : UNITS.get(part[2]);
    if (part?.[1] === undefined || unit === undefined) return null;
    total += Number(part[1]) * unit;
  }
  return Math.round(total);
}

// A date without a zone means UTC, as everywhere in the engine; Date.parse alone would take it as local time.
const ISO_DATE = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

/** Parses an ISO 8601 date (UTC when it names no zone) into ms since 1970; null when the text is not one. */
export function parseMoment(text: string): number | null {
  const shape = ISO_DATE.exec(text);
  if (shape === null) return null;
  const time = Date.parse(shape[1] === undefined && text.includes("T") ? `${text}Z` : text);
  return Number.isNaN(time) ? null : time;
}
