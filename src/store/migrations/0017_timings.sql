-- Sums know the conversation, and how long calls took: counts by size (see domain/histogram.rs). Five levels hold the same
-- sums: see rollups.rs. They are made anew from `calls` at the next start, so nothing is taken over.
DROP TABLE rollups;

CREATE TABLE rollups (
    level              INTEGER NOT NULL,
    bucket             INTEGER NOT NULL,
    session            INTEGER NOT NULL,
    provider           INTEGER NOT NULL,
    model              INTEGER NOT NULL,
    client             INTEGER NOT NULL,
    operation          INTEGER NOT NULL,
    source             INTEGER NOT NULL,
    outcome            INTEGER NOT NULL,
    conversation       INTEGER NOT NULL,
    requests           INTEGER NOT NULL,
    errors             INTEGER NOT NULL,
    input              INTEGER NOT NULL,
    cache_read         INTEGER NOT NULL,
    cache_write        INTEGER NOT NULL,
    output             INTEGER NOT NULL,
    reasoning          INTEGER NOT NULL,
    total              INTEGER NOT NULL,
    cost_nano_usd      INTEGER NOT NULL,
    priced_requests    INTEGER NOT NULL,
    unpriced_tokens    INTEGER NOT NULL,
    inexact_tokens     INTEGER NOT NULL,
    unknown_requests   INTEGER NOT NULL,
    duration_ms        INTEGER NOT NULL,
    durations          BLOB NOT NULL,
    ttfts              BLOB NOT NULL,
    PRIMARY KEY (level, bucket, session, provider, model, client, operation, source, outcome, conversation)
) STRICT, WITHOUT ROWID;

CREATE INDEX rollups_session ON rollups (session, level, bucket);

DELETE FROM settings WHERE key = 'sums';
