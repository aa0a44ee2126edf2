-- How far the estimates of each model's calls were off: pairs of estimate and truth, a JSON array of arrays of two.
CREATE TABLE calibration (
    model     TEXT NOT NULL,
    side      TEXT NOT NULL,
    kind      TEXT NOT NULL,
    pairs     TEXT NOT NULL,
    learnt_at INTEGER NOT NULL,
    PRIMARY KEY (model, side, kind)
) STRICT, WITHOUT ROWID;
