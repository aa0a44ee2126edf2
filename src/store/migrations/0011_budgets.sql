-- What a session may cost, which tokens its budget counts, and what happens when it is used up.
ALTER TABLE sessions ADD COLUMN budget_counts TEXT NOT NULL DEFAULT 'all';
ALTER TABLE sessions ADD COLUMN cost_budget_nano_usd INTEGER;
ALTER TABLE sessions ADD COLUMN at_limit TEXT NOT NULL DEFAULT 'alert';

-- Budgets that begin anew every day, week or month. `provider`, `model` and `client` say whose calls they count.
CREATE TABLE budgets (
    id                   BLOB NOT NULL PRIMARY KEY,
    name                 TEXT NOT NULL,
    period               TEXT NOT NULL,
    provider             TEXT,
    model                TEXT,
    client               TEXT,
    token_budget         INTEGER,
    counts               TEXT NOT NULL,
    cost_budget_nano_usd INTEGER,
    at_limit             TEXT NOT NULL,
    created_at           INTEGER NOT NULL,
    revision             INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
