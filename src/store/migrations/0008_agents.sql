-- The agent inside a conversation that made the call, and the agent that started it; both refer to `names`. NULL: the
-- conversation's own, or not told.
ALTER TABLE calls ADD COLUMN agent INTEGER;
ALTER TABLE calls ADD COLUMN parent_agent INTEGER;
ALTER TABLE running_calls ADD COLUMN agent INTEGER;
ALTER TABLE running_calls ADD COLUMN parent_agent INTEGER;
