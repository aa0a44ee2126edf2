-- How long a session's clock had run at its last event, and since when it runs on, if it does. Lists are sorted by it; the
-- truth is in the events. NULL in the first until the next start.
ALTER TABLE sessions ADD COLUMN elapsed_ms INTEGER;
ALTER TABLE sessions ADD COLUMN runs_since INTEGER;
