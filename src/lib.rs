//! Moonlock: a meter for AI work.
