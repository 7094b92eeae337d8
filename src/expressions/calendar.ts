/**
 * Dates and durations as text. Owns parsing and printing; reads no clock. All times are ns since 1970, UTC unless a zone is named.
 */
import { parseDuration } from "../duration.ts";
import { EXPRESSION } from "../limits.ts";

const MILLISECOND = 1_000_000n;
const SECOND = 1_000_000_000n;
const MINUTE = 60n * SECOND;

/** ns per unit of a duration text, as CEL writes them; longer units are those of the engine's own grammar. */
const UNITS: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1000n],
  ["µs", 1000n],
  ["ms", MILLISECOND],
  ["s", SECOND],
  ["m", MINUTE],
  ["h", 60n * MINUTE],
]);

const DURATION = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h)(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))*$/;
const DURATION_PART = /(\d*)(?:\.(\d*))?(ns|us|µs|ms|s|m|h)/g;

/**
 * Parses a duration into ns: `1h30m`, `-1.5s`, `250us` as in CEL, or what the engine takes elsewhere (`7d`, `1 hour`).
 * Null when it is neither.
 */
export function parseLength(text: string): bigint | null {
  if (text.length > EXPRESSION.dateCharacters) return null;
  if (!DURATION.test(text)) {
    const milliseconds = text.trim() === "" ? null : parseDuration(text);
    return milliseconds === null || !Number.isSafeInteger(milliseconds) ? null : BigInt(milliseconds) * MILLISECOND;
  }
  let total = 0n;
  for (const [, whole, fraction, unit] of text.matchAll(DURATION_PART)) {
    const size = UNITS.get(unit ?? "") ?? 0n;
    total += BigInt(whole || "0") * size;
    if (fraction) total += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
  }
  return text.startsWith("-") ? -total : total;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Minutes east of UTC of the zone names that mail dates use; other abbreviations mean different things to different people. */
const ZONES: ReadonlyMap<string, number> = new Map(
  Object.entries({
    Z: 0,
    z: 0,
    UT: 0,
    UTC: 0,
    GMT: 0,
    EST: -300,
    EDT: -240,
    CST: -360,
    CDT: -300,
    MST: -420,
    MDT: -360,
    PST: -480,
    PDT: -420,
  }),
);

const RFC3339 =
  /^(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})[Tt](?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2})(?:\.(?<fraction>\d{1,9}))?(?<zone>[Zz]|[+-]\d{2}:\d{2})$/;

/** The other texts `date()` reads: ISO dates without a zone; RFC 1123, 850 and 822; ANSI C and its relatives with a zone. */
const LENIENT: readonly RegExp[] = [
  RFC3339,
  /^(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})(?:[Tt ](?<hour>\d{2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:\.(?<fraction>\d{1,9}))?)? ?(?<zone>[Zz]|UTC|GMT|[+-]\d{2}:?\d{2})?)?$/,
  /^(?:[A-Z][a-z]{2,8}, )?(?<day>\d{1,2})[ -](?<month>[A-Z][a-z]{2})[ -](?<year>\d{4}|\d{2}) (?<hour>\d{2}):(?<minute>\d{2})(?::(?<second>\d{2}))? (?<zone>[A-Z]{1,3}|[+-]\d{4})$/,
  /^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) {1,2}(?<day>\d{1,2}) (?<hour>\d{2}):(?<minute>\d{2}):(?<second>\d{2}) (?:(?<zone>[A-Z]{1,3}|[+-]\d{4}) )?(?<year>\d{4})$/,
];

/** Parses an RFC 3339 moment into ns, the only text `timestamp()` takes; null when it is not one. */
export function parseMoment(text: string): bigint | null {
  return text.length > EXPRESSION.dateCharacters ? null : momentOf(RFC3339.exec(text));
}

/** Parses any text `date()` takes into ns; null when no form fits. */
export function parseDate(text: string): bigint | null {
  if (text.length > EXPRESSION.dateCharacters) return null;
  for (const shape of LENIENT) {
    const parts = shape.exec(text);
    if (parts !== null) return momentOf(parts);
  }
  return null;
}

function momentOf(parts: RegExpExecArray | null): bigint | null {
  const {
    year,
    month,
    day,
    hour = "00",
    minute = "00",
    second = "00",
    fraction = "",
    zone = "Z",
  } = parts?.groups ?? {};
  if (year === undefined || month === undefined || day === undefined) return null;
  const offset = zoneOffset(zone);
  const monthIndex = /\d/.test(month) ? Number(month) - 1 : MONTHS.indexOf(month);
  if (offset === null || monthIndex < 0) return null;
  // Date.UTC reads years below 100 as 19xx; four hundred years later the calendar is the same.
  const fullYear = year.length === 2 ? Number(year) + (Number(year) < 69 ? 2000 : 1900) : Number(year);
  const time = Date.UTC(fullYear + 400, monthIndex, Number(day), Number(hour), Number(minute), Number(second)) - ERA;
  // A day 31 of June or an hour 24 would have moved the date on instead of being refused.
  const back = new Date(time);
  const moved =
    back.getUTCMonth() !== monthIndex || back.getUTCDate() !== Number(day) || back.getUTCHours() !== Number(hour);
  if (moved || Number(minute) > 59 || Number(second) > 59) return null;
  return BigInt(time) * MILLISECOND + BigInt(fraction.padEnd(9, "0")) - BigInt(offset) * MINUTE;
}

/** ms; four hundred years of the Gregorian calendar. */
const ERA = 146_097 * 86_400_000;

/** Minutes east of UTC of `Z`, `+02:00`, `-0700` or a known abbreviation; null for any other zone. */
export function zoneOffset(zone: string): number | null {
  const named = ZONES.get(zone);
  if (named !== undefined) return named;
  const shape = /^([+-]?)(\d{2}):?(\d{2})$/.exec(zone);
  if (shape === null) return null;
  const minutes = Number(shape[2]) * 60 + Number(shape[3]);
  if (Number(shape[2]) > 23 || Number(shape[3]) > 59) return null;
  return shape[1] === "-" ? -minutes : minutes;
}

/** A moment as RFC 3339 in UTC, with as many decimals as it needs. */
export function formatMoment(nanoseconds: bigint): string {
  const seconds = floorDivide(nanoseconds, SECOND);
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${whole}${decimals(nanoseconds - seconds * SECOND)}Z`;
}

/** A duration in seconds: `3600s`, `-1.5s`. */
export function formatDuration(nanoseconds: bigint): string {
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  return `${nanoseconds < 0n ? "-" : ""}${size / SECOND}${decimals(size % SECOND)}s`;
}

function decimals(nanoseconds: bigint): string {
  return nanoseconds === 0n ? "" : `.${String(nanoseconds).padStart(9, "0").replace(/0+$/, "")}`;
}

/** Division that rounds down, so that moments before 1970 have positive remainders. */
export function floorDivide(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}
