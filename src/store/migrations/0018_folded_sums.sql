-- The coarse levels of the sums take a quarter of an hour up when it is over; the setting says until where they have: see
-- rollups/folding.rs. Until now they held all that the quarters did.
UPDATE settings
SET value = '4 ' || (SELECT coalesce(max(bucket), 0) + 900000 FROM rollups WHERE level = 0)
WHERE key = 'sums' AND value = '3';
