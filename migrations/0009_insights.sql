-- Questions in SQL: those that were asked, and those that were saved. Each belongs to one user.
CREATE TABLE insights_queries (
  environment_id TEXT    NOT NULL,
  owner          TEXT    NOT NULL,
  kind           TEXT    NOT NULL,              -- asked, saved
  id             TEXT    NOT NULL,              -- ULID
  name           TEXT    NOT NULL,              -- empty for those asked
  sql            TEXT    NOT NULL,
  PRIMARY KEY (environment_id, owner, kind, id)
) WITHOUT ROWID;
