//! The user's own prices.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::domain::call::{CallEnd, Outcome};
use crate::domain::units::{NanoUsd, Timestamp, Tokens};

/// So many tokens a rate is for.
const MILLION: u128 = 1_000_000;

/// A price of the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// The mount that it is for; `None` is every mount.
    pub provider: Option<Box<str>>,
    /// The models that it is for.
    pub model: Pattern,
    /// The first day (UTC) on which it holds; `None` is always.
    pub from: Option<Date>,
    /// How much it is.
    pub rates: Rates,
}

impl Price {
    pub(super) fn applies(&self, provider: &str, model: &str, at: Timestamp) -> bool {
        self.provider.as_deref().is_none_or(|own| own == provider)
            && self.starts_at().is_none_or(|start| start <= at)
            && self.model.matches(model)
    }

    /// The larger, the more particular: a whole name before a pattern, a named mount before all, a long pattern
    /// before a short one, a later day before an earlier.
    pub(super) fn rank(&self) -> (bool, bool, usize, Option<Date>) {
        let is_whole = !self.model.has_star();
        (is_whole, self.provider.is_some(), self.model.0.len(), self.from)
    }

    fn starts_at(&self) -> Option<Timestamp> {
        let midnight = self.from?.to_zoned(TimeZone::UTC).ok()?;
        Some(Timestamp(midnight.timestamp().as_millisecond()))
    }
}

/// Models, by a name in which `*` stands for any text. Upper and lower case are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Box<str>);

/// A pattern that no model can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is empty: write a model's name, in which * stands for any text")]
pub struct BadPattern;

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// It is empty.
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.into())).ok_or(BadPattern)
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn has_star(&self) -> bool {
        self.0.contains('*')
    }

    /// Whether a model is one of those.
    #[must_use]
    pub fn matches(&self, model: &str) -> bool {
        let (pattern, model) = (self.0.as_bytes(), model.as_bytes());
        let (mut at, mut next) = (0, 0);
        // Behind the last star, and where its text would end: it takes one byte more whenever the rest does not fit.
        let mut star: Option<(usize, usize)> = None;
        while next < model.len() {
            if pattern.get(at) == Some(&b'*') {
                at += 1;
                star = Some((at, next));
            } else if pattern
                .get(at)
                .is_some_and(|byte| byte.eq_ignore_ascii_case(&model[next]))
            {
                at += 1;
                next += 1;
            } else if let Some((behind, end)) = star {
                at = behind;
                next = end + 1;
                star = Some((behind, next));
            } else {
                return false;
            }
        }
        pattern[at..].iter().all(|byte| *byte == b'*')
    }
}

/// How much a price is: for a million tokens of each kind, and for the request itself.
///
/// What is `None` has the price of the kind that it is a part of, as its field says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Prompt tokens. Without it a call with such tokens has no price.
    pub input: Option<NanoUsd>,
    /// Prompt tokens read from a cache; else as `input`.
    pub cache_read: Option<NanoUsd>,
    /// Prompt tokens written to a cache; else as `input`.
    pub cache_write: Option<NanoUsd>,
    /// Prompt tokens written to a cache for an hour; else as `cache_write`.
    pub cache_write_1h: Option<NanoUsd>,
    /// Prompt tokens that are audio; else as `input`.
    pub audio_input: Option<NanoUsd>,
    /// Generated tokens. Without it a call with such tokens has no price.
    pub output: Option<NanoUsd>,
    /// Generated tokens that are reasoning; else as `output`.
    pub reasoning: Option<NanoUsd>,
    /// Generated tokens that are audio; else as `output`.
    pub audio_output: Option<NanoUsd>,
    /// The request; else nothing.
    pub request: Option<NanoUsd>,
}

impl Rates {
    /// Whether there is no price at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What a call cost, rounded once to the nearest billionth of a dollar; `None` where a part of it has no price.
    ///
    /// A call of which no tokens are known costs the request, if it was completed and that has a price.
    pub(super) fn amount(&self, end: &CallEnd) -> Option<NanoUsd> {
        let parts = &end.parts;
        if parts.total().is_none() {
            return self.request.filter(|_| end.outcome == Outcome::Complete);
        }
        let write = self.cache_write.or(self.input);
        let lines = [
            (parts.input, self.input),
            (parts.cache_read, self.cache_read.or(self.input)),
            (parts.cache_write_5m, write),
            (parts.cache_write_1h, self.cache_write_1h.or(write)),
            (parts.audio_in, self.audio_input.or(self.input)),
            (parts.image_in, self.input),
            (parts.output, self.output),
            (parts.reasoning, self.reasoning.or(self.output)),
            (parts.audio_out, self.audio_output.or(self.output)),
            (parts.image_out, self.output),
            // Nobody knows what these are.
            (parts.unsplit, None),
        ];
        let mut millionths = 0_u128;
        for (tokens, rate) in lines {
            if let Some(Tokens(tokens)) = tokens.filter(|tokens| tokens.0 > 0) {
                let rate = u128::try_from(rate?.0).ok()?;
                millionths += u128::from(tokens) * rate;
            }
        }
        let nanos = i64::try_from((millionths + MILLION / 2) / MILLION).ok()?;
        Some(NanoUsd(nanos) + self.request.unwrap_or_default())
    }
}
