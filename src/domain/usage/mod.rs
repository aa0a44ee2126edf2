//! What a reply used.
//!
//! [`parts`] is the one model that every provider's usage is turned into: parts that do not overlap.

pub mod parts;
