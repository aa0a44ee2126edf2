-- What an alert is about, how bad it is, and what the user did with it. `scope` is as `Scope` writes it, `level` the
-- threshold in percent that was passed, or 0.
ALTER TABLE alerts ADD COLUMN scope TEXT NOT NULL DEFAULT 'moonlock';
ALTER TABLE alerts ADD COLUMN level INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alerts ADD COLUMN severity TEXT NOT NULL DEFAULT 'warning';
ALTER TABLE alerts ADD COLUMN worsened_at INTEGER;
ALTER TABLE alerts ADD COLUMN acknowledged_at INTEGER;
ALTER TABLE alerts ADD COLUMN snoozed_until INTEGER;
ALTER TABLE alerts ADD COLUMN muted INTEGER NOT NULL DEFAULT 0;

-- Until now an alert stood no longer than its program ran, though its row did not say so.
UPDATE alerts SET cleared_at = raised_at WHERE cleared_at IS NULL;

CREATE INDEX alerts_standing ON alerts (id) WHERE cleared_at IS NULL;

-- Rules of which the user wants to hear nothing.
CREATE TABLE muted_rules (
    rule TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
