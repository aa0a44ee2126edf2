//! Tokens that the user reports by hand, and how a repeated report is recognised.

use super::call::{CallEnd, CallStart};
use super::ids::{CallId, SessionId};
use super::units::{Millis, Timestamp};

/// The longest key that marks a report, in characters.
pub const MAX_KEY: usize = 255;

/// So long a key is remembered.
pub const KEY_LIFE: Millis = Millis(7 * 86_400_000);

/// What the client calls a report, so that it can say it again without harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportKey {
    /// The key, unique within the session.
    pub key: Box<str>,
    /// A hash of what was reported: the same key for something else is a mistake.
    pub fingerprint: [u8; 32],
}

/// Calls that are reported together, under one key or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its key.
    pub key: Option<ReportKey>,
    /// The calls; each began and ended at once.
    pub calls: Vec<(CallStart, CallEnd)>,
}

/// What is kept of a report that had a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The session.
    pub session: SessionId,
    /// The key and what it stood for.
    pub key: ReportKey,
    /// The ids that its calls got.
    pub calls: Vec<CallId>,
    /// When it came.
    pub at: Timestamp,
}
