-- What the calls of finished sessions made of them: see courses.rs. `made_of` is the sessions' revision and sums when it was
-- made; NULL where it stands in the place of calls that are gone.
CREATE TABLE courses (
    session INTEGER NOT NULL PRIMARY KEY,
    made_of TEXT,
    effort  TEXT NOT NULL,
    track   BLOB NOT NULL
) STRICT;
