-- Runs and events that were deleted on request: reports of them that are still under way must not bring them back. Nothing but ids, kept for as
-- long as anything may be under way.
CREATE TABLE erased (
  environment_id TEXT    NOT NULL,
  id             TEXT    NOT NULL,              -- of a run, or internal id of an event
  erased_at      INTEGER NOT NULL,              -- ms since 1970
  PRIMARY KEY (environment_id, id)
) WITHOUT ROWID;
