/**
 * Questions to begin with (OB-22). Pure. A test asks each of them.
 */

/** A question with what it is for. */
export interface Template {
  readonly id: string;
  readonly name: string;
  readonly sql: string;
}

/** The templates. */
export const TEMPLATES: readonly Template[] = [
  {
    id: "events-by-name",
    name: "Events of the last day by name",
    sql: `SELECT name, count(*) AS events
FROM events
WHERE received_at > toUnixTimestamp(subtractDays(now(), 1)) * 1000
GROUP BY name
ORDER BY events DESC`,
  },
  {
    id: "events-per-hour",
    name: "Events per hour",
    sql: `SELECT toStartOfHour(fromUnixTimestamp64Milli(received_at)) AS hour, count(*) AS events
FROM events
GROUP BY hour
ORDER BY hour DESC
LIMIT 168`,
  },
  {
    id: "failures-by-function",
    name: "Failed runs by function and error",
    sql: `SELECT simpleJSONExtractString(data, 'function_id') AS function,
  JSONExtractString(data, 'error', 'name') AS error,
  count(*) AS failures
FROM events
WHERE name = 'inngest/function.failed'
GROUP BY function, error
ORDER BY failures DESC`,
  },
  {
    id: "run-durations",
    name: "Durations of completed runs",
    sql: `SELECT function, count(*) AS runs,
  median(ended_at - started_at) AS p50,
  quantile(0.95)(ended_at - started_at) AS p95,
  max(ended_at - started_at) AS longest
FROM runs
WHERE status = 'Completed'
GROUP BY function
ORDER BY p95 DESC`,
  },
  {
    id: "failure-rate",
    name: "Failure rate by function",
    sql: `SELECT function, count(*) AS runs, countIf(status = 'Failed') AS failed,
  round(100 * countIf(status = 'Failed') / count(*), 1) AS percent
FROM runs
WHERE ended_at IS NOT NULL
GROUP BY function
ORDER BY percent DESC`,
  },
  {
    id: "waiting-time",
    name: "How long runs waited to begin",
    sql: `SELECT toStartOfHour(fromUnixTimestamp64Milli(queued_at)) AS hour,
  round(avg(started_at - queued_at)) AS average,
  quantile(0.95)(started_at - queued_at) AS p95
FROM runs
WHERE started_at IS NOT NULL
GROUP BY hour
ORDER BY hour DESC`,
  },
];
