/**
 * The text that a scrape gets, shared by scrapes of the same moment (API-28). Owns the one thing an isolate remembers of metrics: a figure that
 * is a few seconds old.
 */
import { METRICS } from "../limits.ts";
import { COLUMNS } from "./columns.ts";
import { unfinishedRuns } from "./gauges.ts";
import { prometheusText } from "./prometheus.ts";
import { sumsByDay } from "./read.ts";

const DAY = 24 * 60 * 60 * 1000;

const remembered = new WeakMap<D1Database, Map<string, { readonly at: number; readonly text: string }>>();

/** Counters of yesterday and today and gauges of this moment; `now` in ms. */
export async function scrape(db: D1Database, environmentId: string, now: number): Promise<string> {
  const texts = remembered.get(db) ?? new Map<string, { at: number; text: string }>();
  remembered.set(db, texts);
  const known = texts.get(environmentId);
  if (known !== undefined && Math.abs(now - known.at) < METRICS.age) return known.text;
  // Yesterday's counters stay, so that what was counted after the last scrape before midnight is seen.
  const from = Math.floor(now / DAY) * DAY - DAY;
  const [days, unfinished] = await Promise.all([
    sumsByDay(db, environmentId, from, COLUMNS),
    unfinishedRuns(db, environmentId, now),
  ]);
  const text = prometheusText(days, unfinished);
  texts.set(environmentId, { at: now, text });
  return text;
}
