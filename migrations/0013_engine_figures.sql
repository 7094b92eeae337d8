-- How the engine itself does (OB-19), in the rows that are written anyway.
ALTER TABLE metric_minutes ADD COLUMN step_calls INTEGER NOT NULL DEFAULT 0;          -- calls that followed a step
ALTER TABLE metric_minutes ADD COLUMN step_latency INTEGER NOT NULL DEFAULT 0;        -- ms from that step's result to the call, of all of them
ALTER TABLE metric_minutes ADD COLUMN late_timers INTEGER NOT NULL DEFAULT 0;         -- sleeps, time-outs, retries, delayed starts
ALTER TABLE metric_minutes ADD COLUMN messages_retried INTEGER NOT NULL DEFAULT 0;    -- messages of queues that had to be sent or delivered again
ALTER TABLE metric_minutes ADD COLUMN replies_discarded INTEGER NOT NULL DEFAULT 0;   -- calls whose answer came too late to count
