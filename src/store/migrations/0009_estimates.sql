-- Where the truth of an estimated side of a call is thought to lie. NULL in both: the side is the provider's word, or
-- not known; in the second alone: the estimate is a lower bound.
ALTER TABLE calls ADD COLUMN input_low INTEGER;
ALTER TABLE calls ADD COLUMN input_high INTEGER;
ALTER TABLE calls ADD COLUMN output_low INTEGER;
ALTER TABLE calls ADD COLUMN output_high INTEGER;
