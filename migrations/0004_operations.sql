-- What is done to many runs at once: bulk cancellations. A projection of what the operations' objects know, for lists.
CREATE TABLE operations (
  environment_id TEXT NOT NULL,
  kind           TEXT NOT NULL,              -- cancel
  id             TEXT NOT NULL,              -- ULID
  status         TEXT NOT NULL,              -- running, completed, stopped
  body           TEXT NOT NULL,              -- JSON: the operation with its progress
  PRIMARY KEY (environment_id, kind, id)
) WITHOUT ROWID;
