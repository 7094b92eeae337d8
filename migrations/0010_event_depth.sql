-- How many runs led to an event, one after the other: a chain that does not end by itself is stopped.
ALTER TABLE events ADD COLUMN depth INTEGER;     -- NULL: it came from outside
