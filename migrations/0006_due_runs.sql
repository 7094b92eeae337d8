-- When each unfinished run expects to be looked at, so that the sweep finds one whose alarm was lost (faults.md #8). The index holds only
-- unfinished runs: one that is written once, at its end, costs nothing more.
ALTER TABLE runs ADD COLUMN due_at INTEGER;      -- ms since 1970; NULL once it has ended
UPDATE runs SET due_at = queued_at WHERE status IN ('queued', 'running');
CREATE INDEX runs_by_due ON runs (environment_id, due_at) WHERE due_at IS NOT NULL;
-- The operations that go on, for the same reason.
CREATE INDEX operations_by_running ON operations (environment_id, kind, id) WHERE status = 'running';
