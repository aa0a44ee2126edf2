-- A deleted session keeps its row, without a name, for its key must not come again. This says what becomes of the calls
-- that still belong to it ('unassign' or 'delete'), and is NULL when there are none.
ALTER TABLE sessions ADD COLUMN emptying TEXT;

CREATE INDEX sessions_emptying ON sessions (id) WHERE emptying IS NOT NULL;
