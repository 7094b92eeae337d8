/**
 * Times as REST v1 writes them (API-3). Pure.
 */

/** ISO 8601 in UTC with milliseconds. `time` is ms since 1970. */
export function isoTime(time: number): string {
  return new Date(time).toISOString();
}

/** {@link isoTime} for moments that may not have come. */
export function isoTimeOrNull(time: number | null): string | null {
  return time === null ? null : isoTime(time);
}
