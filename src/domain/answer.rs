//! What a request was answered that carried an `Idempotency-Key`: said again, it gets the same answer and does nothing.

use super::report::KEY_LIFE;
use super::units::Timestamp;

/// An answer that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The request's key.
    pub key: Box<str>,
    /// A hash of the request: the same key for something else is a mistake.
    pub fingerprint: [u8; 32],
    /// The HTTP status.
    pub status: u16,
    /// The headers that say more than the body does, by their names.
    pub headers: Vec<(Box<str>, Box<str>)>,
    /// The body.
    pub body: Vec<u8>,
    /// When it was given.
    pub at: Timestamp,
}

impl Answer {
    /// The moment before which answers are forgotten.
    #[must_use]
    pub const fn oldest(now: Timestamp) -> Timestamp {
        Timestamp(now.0.saturating_sub_unsigned(KEY_LIFE.0))
    }
}
