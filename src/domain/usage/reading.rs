//! What reading a reply gives.

use super::once::{Once, Share};
use super::parts::Parts;
use crate::domain::call::Source;

/// What a reply said about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The model that answered.
    pub model: Option<Box<str>>,
    /// What the call used.
    pub parts: Parts,
    /// The provider's own usage object; where a stream spread it over two events, an array of both.
    pub raw_usage: Option<Box<str>>,
    /// [`Source::Exact`] or [`Source::Partial`]; `None` where the reply has no numbers.
    pub source: Option<Source>,
    /// The kind of error that the reply names, be it a refusal or an error inside a reply that began well.
    pub error: Option<Box<str>>,
    /// Whether a reply with a good status reports an error all the same.
    pub stream_error: StreamError,
    /// Whether the reply's end was seen.
    ///
    /// Where a dialect has no last event, the model's own word that it has finished counts.
    pub terminal: bool,
    /// What its usage is recognised by, where it can be fetched again.
    pub once: Option<Once>,
    /// What other models used in the same reply, which is not in `parts`.
    pub others: Vec<Share>,
    /// What was wrong with the reply.
    pub flaws: Flaws,
}

/// Whether an error stood inside a reply whose status was good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StreamError {
    /// None did.
    #[default]
    Absent,
    /// The provider reported one.
    Reported,
}

/// What was wrong with a reply. The bytes went to the client all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flaws {
    /// Something that should have been JSON was not.
    pub malformed_json: bool,
    /// A usage object or a field in it was not what it should be: negative, a text, absurdly large.
    pub malformed_usage: bool,
    /// A value was too large to be looked at.
    pub too_large: bool,
}

impl Flaws {
    /// Whether there is any.
    #[must_use]
    pub fn any(self) -> bool {
        self != Self::default()
    }
}
