-- Times are UTC epoch milliseconds, money is billionths of a US dollar, NULL is "not known".

PRAGMA application_id = 0x4d4f4f4e;

-- Text that repeats: providers, models, clients, conversations, the names of enumerations, shapes of usage
-- objects. Rows are only ever added, so that an id can be cached for good. No foreign key points here: a call
-- refers to a dozen names, and checking each on every insert costs more than the insert.
CREATE TABLE names (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- `name` is NULL while the session is known only because a call or a heartbeat referred to it.
CREATE TABLE sessions (
    key                INTEGER PRIMARY KEY,
    id                 BLOB NOT NULL UNIQUE,
    name               TEXT,
    created_at         INTEGER NOT NULL DEFAULT 0,
    duration_ms        INTEGER,
    token_budget       INTEGER,
    revision           INTEGER NOT NULL DEFAULT 0,
    status             TEXT NOT NULL DEFAULT 'active',
    heartbeat_boot_ns  INTEGER,
    heartbeat_mono_ns  INTEGER,
    heartbeat_wall_ms  INTEGER,
    heartbeat_boot_id  BLOB
) STRICT;

CREATE INDEX sessions_open ON sessions (id) WHERE status <> 'completed';

-- Append only: a session's clock is replayed from these.
CREATE TABLE timer_events (
    session INTEGER NOT NULL REFERENCES sessions (key),
    seq     INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    boot_ns INTEGER NOT NULL,
    mono_ns INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL,
    boot_id BLOB NOT NULL,
    PRIMARY KEY (session, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoints (
    id           BLOB NOT NULL PRIMARY KEY,
    session      INTEGER NOT NULL REFERENCES sessions (key),
    at           INTEGER NOT NULL,
    elapsed_ms   INTEGER,
    phase        TEXT NOT NULL,
    prompt_count INTEGER,
    metadata     TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX checkpoints_session ON checkpoints (session);

-- Calls that have ended. The key is a UUIDv7, so rows are appended and the newest stand at the end.
-- INTEGER columns without a unit refer to `names`, `session` to `sessions.key`; NULL there is Unassigned.
-- `raw_usage` is TEXT as it came, or a BLOB: the id of its shape and its numbers (see raw_usage.rs).
CREATE TABLE calls (
    id                     BLOB NOT NULL PRIMARY KEY,
    started_at             INTEGER NOT NULL,
    session                INTEGER,
    attribution            INTEGER NOT NULL,
    provider               INTEGER NOT NULL,
    price_provider         INTEGER,
    operation              INTEGER NOT NULL,
    request_model          INTEGER,
    conversation           INTEGER,
    client                 INTEGER,
    asked                  INTEGER,
    asked_by               INTEGER,
    outcome                INTEGER NOT NULL,
    status                 INTEGER,
    model                  INTEGER,
    source                 INTEGER,
    error                  INTEGER,
    streamed               INTEGER NOT NULL,
    ttft_ms                INTEGER,
    duration_ms            INTEGER NOT NULL,
    request_id             TEXT,
    input_tokens           INTEGER,
    cache_read_tokens      INTEGER,
    cache_write_5m_tokens  INTEGER,
    cache_write_1h_tokens  INTEGER,
    audio_in_tokens        INTEGER,
    image_in_tokens        INTEGER,
    output_tokens          INTEGER,
    reasoning_tokens       INTEGER,
    audio_out_tokens       INTEGER,
    image_out_tokens       INTEGER,
    unsplit_tokens         INTEGER,
    web_searches           INTEGER,
    provider_cost_nano_usd INTEGER,
    cost_nano_usd          INTEGER,
    raw_usage              ANY
) STRICT, WITHOUT ROWID;

-- Every index ends in the primary key: this one serves a session's calls, newest first.
CREATE INDEX calls_session ON calls (session);

-- Calls under way. Apart from `calls`, so that no row there grows after it was written (which would leave its
-- pages half empty) and so that finding them after a crash takes no scan.
CREATE TABLE running_calls (
    id             BLOB NOT NULL PRIMARY KEY,
    started_at     INTEGER NOT NULL,
    session        INTEGER,
    attribution    INTEGER NOT NULL,
    provider       INTEGER NOT NULL,
    price_provider INTEGER,
    operation      INTEGER NOT NULL,
    request_model  INTEGER,
    conversation   INTEGER,
    client         INTEGER,
    asked          INTEGER,
    asked_by       INTEGER
) STRICT, WITHOUT ROWID;

-- Sums over `calls`, changed in the transaction that changes `calls`. Three levels hold the same sums:
-- 0 by quarters of an hour, 1 by UTC days, 2 over all time (bucket 0). A key column of 0 is "none".
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
    PRIMARY KEY (level, bucket, session, provider, model, client, operation, source, outcome)
) STRICT, WITHOUT ROWID;

CREATE INDEX rollups_session ON rollups (session, level, bucket);

CREATE TABLE alerts (
    id         BLOB NOT NULL PRIMARY KEY,
    rule       TEXT NOT NULL,
    message    TEXT NOT NULL,
    raised_at  INTEGER NOT NULL,
    cleared_at INTEGER
) STRICT, WITHOUT ROWID;

-- The providers' own limits, as their replies' headers last said.
CREATE TABLE provider_windows (
    provider    TEXT NOT NULL,
    name        TEXT NOT NULL,
    seen_at     INTEGER NOT NULL,
    limit_value INTEGER,
    remaining   INTEGER,
    resets_at   INTEGER,
    PRIMARY KEY (provider, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
