-- What happened, counted by the minute: a row per function that did something in it, written with the reports of its runs. Rows of function ''
-- count events that came with no report. All counts only rise.
CREATE TABLE metric_minutes (
  environment_id   TEXT    NOT NULL,
  minute           INTEGER NOT NULL,            -- minutes since 1970
  function_id      TEXT    NOT NULL,
  function_slug    TEXT    NOT NULL,
  app_id           TEXT    NOT NULL,
  received         INTEGER NOT NULL,            -- events, the engine's own aside
  scheduled        INTEGER NOT NULL,            -- runs
  started          INTEGER NOT NULL,
  completed        INTEGER NOT NULL,
  failed           INTEGER NOT NULL,
  cancelled        INTEGER NOT NULL,
  skipped          INTEGER NOT NULL,
  rate_limited     INTEGER NOT NULL,
  dropped          INTEGER NOT NULL,            -- runs that ended before they started
  calls_scheduled  INTEGER NOT NULL,            -- calls of the app
  calls_succeeded  INTEGER NOT NULL,
  calls_errored    INTEGER NOT NULL,
  calls_failed     INTEGER NOT NULL,
  steps            INTEGER NOT NULL,            -- that have a result
  step_bytes       INTEGER NOT NULL,
  busy             INTEGER NOT NULL,            -- ms that the calls took which ended
  latency          INTEGER NOT NULL,            -- ms from event to first call, of all runs that started
  within_10        INTEGER NOT NULL,            -- runs whose first call came within so many ms
  within_25        INTEGER NOT NULL,
  within_50        INTEGER NOT NULL,
  within_100       INTEGER NOT NULL,
  within_250       INTEGER NOT NULL,
  within_500       INTEGER NOT NULL,
  within_1000      INTEGER NOT NULL,
  within_2500      INTEGER NOT NULL,
  within_5000      INTEGER NOT NULL,
  within_10000     INTEGER NOT NULL,
  within_60000     INTEGER NOT NULL,
  PRIMARY KEY (environment_id, minute, function_id)
) WITHOUT ROWID;

-- What a run had done when it reported last, so that the next report counts only what is new. JSON: minute to counts.
ALTER TABLE runs ADD COLUMN activity TEXT;
