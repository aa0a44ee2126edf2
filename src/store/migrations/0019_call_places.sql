-- In which quarters of an hour, by their ids, there are calls with a value: see calls/places.rs. A row may say too much, never
-- too little. It is filled from `calls` at the next start.
CREATE TABLE call_places (
    kind  INTEGER NOT NULL,
    value INTEGER NOT NULL,
    block INTEGER NOT NULL,
    PRIMARY KEY (kind, value, block)
) STRICT, WITHOUT ROWID;
