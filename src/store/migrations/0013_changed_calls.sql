-- When a call that had ended was last rewritten (moved, estimated, its numbers given up for another's), or reported of an
-- earlier moment. NULL: never.
ALTER TABLE calls ADD COLUMN changed_at INTEGER;
