-- What the user says of a session beside its name; `tags` is a JSON array of texts.
ALTER TABLE sessions ADD COLUMN origin TEXT NOT NULL DEFAULT 'manual';
ALTER TABLE sessions ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE sessions ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN on_sleep TEXT NOT NULL DEFAULT 'pause';

-- What an event of a session's clock carries: see `What::numbers`.
ALTER TABLE timer_events ADD COLUMN first_number INTEGER;
ALTER TABLE timer_events ADD COLUMN second_number INTEGER;

-- What the session had used at the moment.
ALTER TABLE checkpoints ADD COLUMN input INTEGER NOT NULL DEFAULT 0;
ALTER TABLE checkpoints ADD COLUMN cache_read INTEGER NOT NULL DEFAULT 0;
ALTER TABLE checkpoints ADD COLUMN cache_write INTEGER NOT NULL DEFAULT 0;
ALTER TABLE checkpoints ADD COLUMN output INTEGER NOT NULL DEFAULT 0;
ALTER TABLE checkpoints ADD COLUMN reasoning INTEGER NOT NULL DEFAULT 0;
ALTER TABLE checkpoints ADD COLUMN total INTEGER NOT NULL DEFAULT 0;
ALTER TABLE checkpoints ADD COLUMN cost_nano_usd INTEGER;

-- Calls that began while their session was paused. Rare, so that they have no column in `calls`.
CREATE TABLE paused_calls (
    call    BLOB NOT NULL PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions (key),
    tokens  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX paused_calls_session ON paused_calls (session, tokens);

-- Reports by hand that carried a key, so that a repetition counts once. `calls` are their ids, 16 bytes each.
CREATE TABLE reports (
    session     INTEGER NOT NULL REFERENCES sessions (key),
    key         TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    calls       BLOB NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (session, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX reports_at ON reports (at);
