-- Runs that are run again. Both indexes hold only such runs: all others cost nothing more.
ALTER TABLE runs ADD COLUMN replay_id TEXT;      -- the replay that started it; NULL for all others
CREATE INDEX runs_by_original ON runs (environment_id, original_run_id, run_id) WHERE original_run_id IS NOT NULL;
CREATE INDEX runs_by_replay ON runs (environment_id, replay_id) WHERE replay_id IS NOT NULL;
