-- Environments beside the one of the deployment's own secrets, and the keys that are stored. Values of keys are sealed (SE-14); they are found
-- by their hash, and no row holds one in clear.

CREATE TABLE environments (
  id           TEXT    NOT NULL PRIMARY KEY,    -- UUID
  kind         TEXT    NOT NULL,                -- custom, branch
  name         TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  synced_at    INTEGER NOT NULL,                -- latest sync of a branch, or its creation
  auto_archive INTEGER NOT NULL DEFAULT 1,      -- 0: a branch that is not synced stays
  archived_at  INTEGER
) WITHOUT ROWID;

CREATE UNIQUE INDEX environments_by_name ON environments (kind, name);

CREATE TABLE event_keys (
  id             TEXT    NOT NULL PRIMARY KEY,  -- ULID
  environment_id TEXT    NOT NULL,              -- all branches share theirs
  name           TEXT    NOT NULL,
  hash           TEXT    NOT NULL UNIQUE,       -- SHA-256 of the key, hex
  sealed         TEXT    NOT NULL,
  filters        TEXT    NOT NULL,              -- JSON: names, ips, origins, each with allow and deny
  created_at     INTEGER NOT NULL,
  disabled_at    INTEGER,
  used_at        INTEGER                        -- to within some minutes
) WITHOUT ROWID;

CREATE INDEX event_keys_by_environment ON event_keys (environment_id, id);

CREATE TABLE signing_keys (
  id             TEXT    NOT NULL PRIMARY KEY,  -- ULID
  environment_id TEXT    NOT NULL,
  state          TEXT    NOT NULL,              -- next, current, previous: at most one of each
  hash           TEXT    NOT NULL UNIQUE,       -- SHA-256 of the key's hashed form, hex
  sealed         TEXT    NOT NULL,
  created_at     INTEGER NOT NULL
) WITHOUT ROWID;

CREATE UNIQUE INDEX signing_keys_by_environment ON signing_keys (environment_id, state);

CREATE TABLE api_keys (
  id             TEXT    NOT NULL PRIMARY KEY,  -- ULID
  environment_id TEXT,                          -- NULL: of the account, the request names the environment
  name           TEXT    NOT NULL,
  scope          TEXT    NOT NULL,              -- read, write, admin
  hash           TEXT    NOT NULL UNIQUE,       -- SHA-256 of the key, hex
  origins        TEXT    NOT NULL,              -- JSON array: pages that may use it (API-26)
  created_at     INTEGER NOT NULL,
  expires_at     INTEGER,
  used_at        INTEGER                        -- to within some minutes
) WITHOUT ROWID;

-- A webhook is an event key with a transform.
CREATE TABLE webhooks (
  key_id     TEXT    NOT NULL PRIMARY KEY,      -- of event_keys, and the webhook's id
  transform  TEXT    NOT NULL,                  -- JavaScript
  response   TEXT                               -- JSON: what providers are answered; NULL: as EV-1 says
) WITHOUT ROWID;

-- Deliveries that became no event, to be looked at and run again (EV-32).
CREATE TABLE webhook_deliveries (
  key_id      TEXT    NOT NULL,
  id          TEXT    NOT NULL,                 -- ULID
  error       TEXT    NOT NULL,                 -- sealed JSON: name, message, stack
  bytes       INTEGER NOT NULL,                 -- of the request as JSON
  whole       INTEGER NOT NULL,                 -- 0: too large, the request is without its body
  request     TEXT    NOT NULL,                 -- sealed JSON: headers, query and the body as it came
  replayed_at INTEGER,                          -- when it was first run again and became events
  PRIMARY KEY (key_id, id)
) WITHOUT ROWID;
