-- Usage that can be fetched more than once: which call counts it. Only calls of operations whose replies can be
-- fetched again have a row here. `key` is made of the provider and its id of the reply (see OnceKey).
CREATE TABLE counted_once (
    key     BLOB NOT NULL PRIMARY KEY,
    call    BLOB NOT NULL,
    settled INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The call that this one's usage is counted with; NULL where it is counted here.
ALTER TABLE calls ADD COLUMN counted_by BLOB;
