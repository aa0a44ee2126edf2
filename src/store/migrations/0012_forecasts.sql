-- What was foretold of a session while it ran, and what came of it (NULL until it has ended); JSON, both.
CREATE TABLE forecasts (
    session INTEGER NOT NULL PRIMARY KEY REFERENCES sessions (key),
    shown   TEXT NOT NULL,
    settled TEXT
) STRICT;
