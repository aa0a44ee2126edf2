-- Windows belong to a credential at a provider: two keys have two sets of them. Nothing was ever written to the table
-- as it was before.
DROP TABLE provider_windows;

-- `credential` is the fingerprint of what the requests were authorized with, as hexadecimal digits; '' is nobody.
-- `deciding` is 1 for the window of which the provider says that it decides.
CREATE TABLE provider_windows (
    provider      TEXT NOT NULL,
    credential    TEXT NOT NULL,
    name          TEXT NOT NULL,
    kind          TEXT NOT NULL,
    period_ms     INTEGER,
    limit_value   INTEGER,
    remaining     INTEGER,
    used_permille INTEGER,
    standing      TEXT,
    deciding      INTEGER NOT NULL,
    resets_at     INTEGER,
    seen_at       INTEGER NOT NULL,
    PRIMARY KEY (provider, credential, name)
) STRICT, WITHOUT ROWID;
