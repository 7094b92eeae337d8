-- Pauses of functions, made by hand: no sync changes them.
ALTER TABLE functions ADD COLUMN paused_at INTEGER;      -- when the newest pause began; NULL: there was none
ALTER TABLE functions ADD COLUMN paused_running TEXT;    -- what becomes of its runs in progress: hold, cancel
ALTER TABLE functions ADD COLUMN resumed_at INTEGER;     -- when that pause ended; NULL: it is in effect
