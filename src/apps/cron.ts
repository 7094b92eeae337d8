/**
 * The cron syntax of triggers (TR-9). Owns which texts are schedules; when one fires is decided elsewhere.
 * Guarantees that an accepted schedule has five fields that the cron library reads in the same sense.
 */
import { Cron } from "croner";
import { messageOf } from "../errors.ts";

/** A schedule in the form the cron library takes. */
interface CronSchedule {
  /** Five fields; `?` and `N/step` are already written out. */
  readonly pattern: string;
  /** IANA name; `UTC` when the text names none. */
  readonly timeZone: string;
}

/** What parsing gave; `reason` continues a sentence that began with the cron's text. */
export type ParsedCron =
  | { readonly ok: true; readonly schedule: CronSchedule }
  | { readonly ok: false; readonly reason: string };

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
  readonly names: readonly string[];
}

const SATURDAY = 6;
const SUNDAY = 7;

const FIELDS: readonly Field[] = [
  { name: "minute", min: 0, max: 59, names: [] },
  { name: "hour", min: 0, max: 23, names: [] },
  { name: "day of month", min: 1, max: 31, names: [] },
  { name: "month", min: 1, max: 12, names: "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ") },
  { name: "day of week", min: 0, max: SATURDAY, names: "SUN MON TUE WED THU FRI SAT".split(" ") },
];

/** Parses `[TZ=zone ]` (or `CRON_TZ=`) followed by five fields or a descriptor such as `@daily`. */
export function parseCron(text: string): ParsedCron {
  const parts = text.trim().split(/\s+/);
  const zone = /^(?:CRON_)?TZ=(.*)$/.exec(parts[0] ?? "")?.[1];
  if (zone !== undefined) parts.shift();
  const timeZone = zone ?? "UTC";
  if (!knownTimeZone(timeZone)) return refused(`names the unknown time zone "${timeZone}"`);
  if (parts.length === 1 && parts[0]?.startsWith("@")) {
    const pattern = DESCRIPTORS.get(parts[0]);
    if (pattern === undefined) return refused(`is none of ${[...DESCRIPTORS.keys()].join(", ")}`);
    return { ok: true, schedule: { pattern, timeZone } };
  }
  if (parts.length !== FIELDS.length) {
    return refused("must have five fields: minute, hour, day of month, month, day of week");
  }
  const fields: string[] = [];
  for (const [at, field] of FIELDS.entries()) {
    const written = writeOut(parts[at] ?? "", field);
    if (written === null) {
      return refused(`has no valid ${field.name} (${field.min} to ${field.max}): "${parts[at]}"`);
    }
    fields.push(written);
  }
  return checked({ pattern: fields.join(" "), timeZone });
}

/** Replaces what the library reads otherwise or not at all; null when an entry is no value, range or step of this field. */
function writeOut(text: string, field: Field): string | null {
  const entries = text.split(",").map((entry) => {
    const parts = /^(?:([*?])|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(entry);
    if (parts === null) return null;
    const [, wildcard, from = "", to, step] = parts;
    if (wildcard !== undefined) return step === undefined ? "*" : `*/${step}`;
    if (!isValue(from, field) || (to !== undefined && !isValue(to, field))) return null;
    const range = to === undefined && step !== undefined ? `${from}-${field.max}` : entry.replace(/\/.*$/, "");
    return step === undefined ? range : `${range}/${step}`;
  });
  return entries.includes(null) ? null : entries.join(",");
}

function isValue(text: string, field: Field): boolean {
  if (!/^\d+$/.test(text)) return field.names.includes(text.toUpperCase());
  const value = Number(text);
  return value >= field.min && (value <= field.max || (value === SUNDAY && field.max === SATURDAY));
}

function checked(schedule: CronSchedule): ParsedCron {
  try {
    // Constructing validates; a paused job without a function never sets a timer.
    new Cron(schedule.pattern, { mode: "5-part", paused: true, timezone: schedule.timeZone });
    return { ok: true, schedule };
  } catch (error) {
    return refused(`is not a valid schedule: ${messageOf(error).replace(/^CronPattern: /, "")}`);
  }
}

/** Offsets such as `+02:00` are no IANA names, though the runtime would take them. */
function knownTimeZone(zone: string): boolean {
  if (/^[+-]/.test(zone)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    // The only thing this can mean is that the name is unknown.
    return false;
  }
}

function refused(reason: string): ParsedCron {
  return { ok: false, reason };
}
