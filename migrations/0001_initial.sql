-- History and catalog of every environment. The environment id leads every key (isolation, SE-8).
-- Tables are WITHOUT ROWID and indexes few, because each index entry is a written row and rows written are the bill.

CREATE TABLE events (
  environment_id   TEXT    NOT NULL,
  internal_id      TEXT    NOT NULL,            -- ULID
  name             TEXT    NOT NULL,
  received_at      INTEGER NOT NULL,            -- ms since 1970, like every time here
  source           TEXT    NOT NULL,
  deduplication_id TEXT,                        -- the sender's id, when it gave one
  payload          TEXT,                        -- JSON as functions see it; NULL when split into payload_parts
  outcomes         TEXT    NOT NULL,            -- JSON array, one entry per function that considered the event
  duplicate        INTEGER NOT NULL DEFAULT 0,
  routed           INTEGER NOT NULL,            -- 0 while its fan-out is still pending
  internal         INTEGER NOT NULL,            -- 1 for the engine's own events
  PRIMARY KEY (environment_id, internal_id)
) WITHOUT ROWID;

CREATE INDEX events_by_name ON events (environment_id, name, internal_id) WHERE internal = 0;
CREATE INDEX events_by_sender_id ON events (environment_id, deduplication_id, internal_id) WHERE deduplication_id IS NOT NULL;

-- Payloads too large for one row of the database.
CREATE TABLE payload_parts (
  environment_id TEXT    NOT NULL,
  internal_id    TEXT    NOT NULL,
  part           INTEGER NOT NULL,
  body           BLOB    NOT NULL,              -- UTF-8 bytes of the payload's JSON
  PRIMARY KEY (environment_id, internal_id, part)
) WITHOUT ROWID;

CREATE TABLE runs (
  environment_id   TEXT    NOT NULL,
  run_id           TEXT    NOT NULL,            -- ULID
  app_id           TEXT    NOT NULL,
  function_id      TEXT    NOT NULL,
  function_slug    TEXT    NOT NULL,
  function_version INTEGER NOT NULL,
  status           TEXT    NOT NULL,            -- queued, running, completed, failed, cancelled, skipped
  queued_at        INTEGER NOT NULL,
  started_at       INTEGER,
  ended_at         INTEGER,
  event_ids        TEXT    NOT NULL,            -- JSON array of internal ids
  event_name       TEXT    NOT NULL,
  original_run_id  TEXT,
  parent_run_id    TEXT,
  cron             TEXT,
  cancel_reason    TEXT,
  skip_reason      TEXT,
  output           TEXT,                        -- JSON; NULL while unfinished, or when only the run's object holds it
  sequence         INTEGER NOT NULL,            -- of two reports the higher is newer
  PRIMARY KEY (environment_id, run_id)
) WITHOUT ROWID;

CREATE INDEX runs_by_function ON runs (environment_id, function_id, run_id);

CREATE TABLE apps (
  environment_id TEXT    NOT NULL,
  id             TEXT    NOT NULL,              -- UUID derived from environment and name
  name           TEXT    NOT NULL,              -- the client id
  url            TEXT    NOT NULL,
  method         TEXT    NOT NULL,              -- serve
  sdk            TEXT    NOT NULL,              -- js:v4.24.0
  framework      TEXT,
  platform       TEXT,
  app_version    TEXT,
  capabilities   TEXT    NOT NULL,              -- JSON object
  checksum       TEXT    NOT NULL,
  synced_at      INTEGER NOT NULL,
  error          TEXT,                          -- why the last call or sync of a known app failed
  archived_at    INTEGER,
  PRIMARY KEY (environment_id, id)
) WITHOUT ROWID;

CREATE TABLE functions (
  environment_id TEXT    NOT NULL,
  id             TEXT    NOT NULL,              -- UUID derived from environment, app and slug
  app_id         TEXT    NOT NULL,
  slug           TEXT    NOT NULL,
  name           TEXT    NOT NULL,
  version        INTEGER NOT NULL,              -- rises with the name or the configuration, not with the URL
  url            TEXT    NOT NULL,              -- where calls go
  configuration  TEXT    NOT NULL,              -- JSON, normalised, without the URL
  archived_at    INTEGER,
  PRIMARY KEY (environment_id, id)
) WITHOUT ROWID;

CREATE TABLE syncs (
  environment_id TEXT    NOT NULL,
  id             TEXT    NOT NULL,              -- ULID
  app_id         TEXT,                          -- NULL: could not be tied to an app
  origin         TEXT    NOT NULL,              -- app, dashboard, cli, rest, poll, connect
  result         TEXT    NOT NULL,              -- success, unchanged, failed
  url            TEXT,
  sdk            TEXT,
  app_version    TEXT,
  message        TEXT,
  changes        TEXT    NOT NULL,              -- JSON: functions added, changed field by field, removed; warnings
  created_at     INTEGER NOT NULL,
  PRIMARY KEY (environment_id, id)
) WITHOUT ROWID;

-- Isolates cache the catalog and compare this number.
CREATE TABLE catalog_versions (
  environment_id TEXT    NOT NULL PRIMARY KEY,
  version        INTEGER NOT NULL
) WITHOUT ROWID;
