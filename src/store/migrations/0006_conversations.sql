-- The clients' own threads that are bound to a session: calls of theirs that name none go there.
CREATE TABLE conversations (
    conversation TEXT NOT NULL PRIMARY KEY,
    session      INTEGER NOT NULL REFERENCES sessions (key),
    bound_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
