//! The fallback: what a call used where its provider did not say, counted from its text.
//!
//! [`estimate()`] takes a call's request and reply as they were kept, and what the provider did say. It counts the
//! prompt by the rules of the request's dialect and the model (`prompt`), and the reply by what came of it
//! (`reply`), corrects both by what was learnt from calls of the same model whose usage is known ([`calibration`]),
//! and leaves alone every number that the provider gave. The counting of text is injected ([`Count`]): this module
//! knows which encoding a model uses, not how it cuts.
//!
//! What cannot be seen from outside (hidden reasoning, a conversation that the provider keeps) makes a number a lower
//! bound, and [`Side::bound`] says so.

pub mod calibration;
pub mod encoding;
mod json;
mod media;
mod merge;
mod model;
mod need;
mod prompt;
mod reply;
mod side;
mod tally;
mod tools;

pub use merge::{estimate, pairs};
pub use need::{can_be_counted, can_teach, is_needed};

use self::calibration::Correction;
use self::encoding::Encoding;
use super::call::{Source, named};
use super::operation::Operation;
use super::units::Tokens;
use super::usage::parts::Parts;

/// Counts the tokens of a text, special tokens being plain text.
pub trait Count {
    /// Counts all of `text`, in bounded time; never fails.
    fn count(&self, encoding: Encoding, text: &str) -> Counted;
}

/// A text's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// How many.
    pub tokens: u64,
    /// How they were counted.
    pub how: How,
}

/// How a text was counted; the worst of several counts for them all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// All of it, by the encoding.
    #[default]
    Whole,
    /// Its beginning by the encoding, the rest by its length.
    Extrapolated,
    /// By its length alone.
    Guess,
}

/// A call whose usage is to be estimated. One that the provider refused used nothing, and is none.
#[derive(Clone, Copy, Debug)]
pub struct CallBody<'call> {
    /// What was asked.
    pub operation: Operation,
    /// The request's body, after content decoding.
    pub request: Kept<'call>,
    /// The reply's body, after content decoding.
    pub reply: Kept<'call>,
    /// Whether the reply came to its end.
    pub ending: Ending,
    /// The model that was asked for.
    pub request_model: Option<&'call str>,
    /// The model that answered, if the reply names one.
    pub reply_model: Option<&'call str>,
    /// What the provider did say.
    pub said: &'call Parts,
}

/// A body, of which only the beginning may have been kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept<'call> {
    /// What was kept.
    pub bytes: &'call [u8],
    /// How long the whole was.
    pub length: u64,
}

impl<'call> Kept<'call> {
    /// A body that was kept whole.
    #[must_use]
    pub const fn whole(bytes: &'call [u8]) -> Self {
        Self {
            bytes,
            length: bytes.len() as u64,
        }
    }
}

/// Whether a reply came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It did.
    Whole,
    /// It was broken off: the provider may have generated more than came.
    Cut,
}

/// What a call is thought to have used.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// The parts: the provider's own numbers where there are any, estimates for the rest. What was estimated of the
    /// prompt is `input` and `audio_in`, as if nothing had been in a cache.
    pub parts: Parts,
    /// [`Source::Estimated`], or [`Source::Partial`] where some numbers are the provider's; `None` where neither the
    /// provider nor the text tells anything.
    pub source: Option<Source>,
    /// How the prompt was estimated; `None` if it was not.
    pub input: Option<Side>,
    /// How the reply was estimated; `None` if it was not.
    pub output: Option<Side>,
}

/// What takes the place of an ended call's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimated {
    /// Its parts.
    pub parts: Parts,
    /// [`Source::Estimated`] or [`Source::Partial`].
    pub source: Source,
    /// Where the truth is thought to lie.
    pub intervals: Intervals,
}

/// Where the truth of the estimated sides of a call is thought to lie; `None` for a side that was not estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Intervals {
    /// The whole prompt.
    pub input: Option<Interval>,
    /// All that was generated.
    pub output: Option<Interval>,
}

impl Intervals {
    /// Whether anything of it is a lower bound: the truth may be more than that, without a limit.
    #[must_use]
    pub fn is_lower_bound(&self) -> bool {
        let mut sides = [self.input, self.output].into_iter().flatten();
        sides.any(|interval| interval.high.is_none())
    }
}

/// From where to where the truth is thought to lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// At least this.
    pub low: Tokens,
    /// At most this; `None` where the estimate is a lower bound.
    pub high: Option<Tokens>,
}

/// One estimated side of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    /// The estimate.
    pub tokens: Tokens,
    /// The truth is thought to be at least this, in nine of ten cases.
    pub low: Tokens,
    /// And at most this; `None` where the estimate is a lower bound.
    pub high: Option<Tokens>,
    /// What could not be seen.
    pub unseen: Vec<Unseen>,
    /// What the estimate rests on.
    pub basis: Basis,
}

/// What an estimate rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Basis {
    /// The encoding that text was counted with.
    pub encoding: Encoding,
    /// The tokens of text by that encoding.
    pub text: Tokens,
    /// The estimate by the built-in rules, before the correction.
    pub uncorrected: Tokens,
    /// How text was counted.
    pub how: How,
    /// What kind of call this is held against.
    pub kind: Kind,
    /// What was learnt from other calls; `None` while too few are known, or where it would not help.
    pub correction: Option<Correction>,
}

named! {
    /// Calls that are alike enough to be held against each other.
    #[derive(PartialOrd, Ord)]
    Kind {
        /// Text alone.
        Text = "text",
        /// With tools.
        Tools = "tools",
        /// With images, sound or films.
        Media = "media",
    }
}

/// How an estimate relates to the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// It is near it.
    Near,
    /// It may be off in either direction: something was replaced by a usual value.
    Uncertain,
    /// The truth is at least this.
    AtLeast,
}

/// Something that costs tokens and cannot be seen in the call's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unseen {
    /// The model reasoned, or may have, without showing it in full.
    Reasoning,
    /// The provider put something before the model that it keeps itself: a conversation, a cache, a prompt by its id.
    StoredContext,
    /// A file, by its id or in a format that is not read.
    File,
    /// An image, sound or film whose size cannot be seen: a usual one was taken.
    RemoteMedia,
    /// Images, sound or films were generated or are in a place that is not read.
    Media,
    /// What the provider puts around tools is its own, and has changed: more than is known of it may stand there. It
    /// is alike for the calls of a model at a time, so that they teach a better number, but no upper bound.
    Frame,
    /// The provider's own tools read something.
    ServerTool,
    /// The reply was broken off.
    End,
    /// Only the beginning of the body was kept.
    Rest,
}

impl Unseen {
    const fn bound(self) -> Bound {
        match self {
            Self::RemoteMedia => Bound::Uncertain,
            _ => Bound::AtLeast,
        }
    }
}

impl Side {
    /// How the estimate relates to the truth.
    #[must_use]
    pub fn bound(&self) -> Bound {
        bound(&self.unseen)
    }
}

fn bound(unseen: &[Unseen]) -> Bound {
    let bounds = || unseen.iter().map(|what| what.bound());
    if bounds().any(|bound| bound == Bound::AtLeast) {
        Bound::AtLeast
    } else if unseen.is_empty() {
        Bound::Near
    } else {
        Bound::Uncertain
    }
}

#[cfg(test)]
mod tests;
