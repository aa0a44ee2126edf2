-- What requests were answered that carried an Idempotency-Key. `headers` is a JSON array of pairs.
CREATE TABLE answers (
    key         TEXT NOT NULL PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    status      INTEGER NOT NULL,
    headers     TEXT NOT NULL,
    body        BLOB NOT NULL,
    at          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX answers_at ON answers (at);
