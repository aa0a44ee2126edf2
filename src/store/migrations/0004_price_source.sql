-- By whose word a call cost what it cost, and as of which day; both refer to `names`. NULL beside a cost: the row was
-- written before these columns were there.
ALTER TABLE calls ADD COLUMN price_source INTEGER;
ALTER TABLE calls ADD COLUMN price_date INTEGER;
