//! What a projection says.

use serde::{Deserialize, Serialize};

use super::Amount;
use super::track_record::Score;
use crate::domain::units::Millis;

/// A range that holds the truth with a named probability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Band<A> {
    /// Its lower end.
    pub low: A,
    /// Its upper end.
    pub high: A,
}

impl<A: Amount> Band<A> {
    /// Whether the truth lies in it.
    #[must_use]
    pub fn holds(&self, truth: A) -> bool {
        (self.low.units()..=self.high.units()).contains(&truth.units())
    }
}

/// What a session will have used at its end.
///
/// No value is below what is spent already. The bands are what is to be shown: with half of a session to go, the middle
/// of them is honestly off by a factor of up to three on the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outlook<A> {
    /// What is spent so far, exactly.
    pub spent: A,
    /// What is expected in a minute from now on.
    pub per_minute: A,
    /// The total that is as likely to be exceeded as not.
    pub expected: A,
    /// Where the total lies with 50 %.
    pub band_50: Band<A>,
    /// Where it lies with 80 %.
    pub band_80: Band<A>,
    /// Where it lies with 95 %.
    pub band_95: Band<A>,
    /// How far the expected total can be relied on.
    pub confidence: Confidence,
    /// How many calls of the session stand behind it.
    pub calls: u64,
    /// How many of the user's finished sessions stand behind it; none where only the built-in usual does.
    pub past_sessions: usize,
}

/// How far an expected total can be relied on, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Confidence {
    /// The order of magnitude, at best.
    Low,
    /// Off by half, at times.
    Medium,
    /// Close.
    High,
}

/// So many calls are few.
const FEW_CALLS: u64 = 5;
/// The 80 % band is narrow up to this share of the expected total …
const NARROW: f64 = 0.5;
/// … and usable up to this.
const USABLE: f64 = 1.2;

impl Confidence {
    pub(super) fn of<A: Amount>(calls: u64, expected: A, band_80: Band<A>) -> Self {
        let width = band_80.high.units().saturating_sub(band_80.low.units()) as f64;
        let relative = width / expected.units().max(1) as f64;
        match relative {
            _ if calls < FEW_CALLS => Self::Low,
            _ if relative <= NARROW => Self::High,
            _ if relative <= USABLE => Self::Medium,
            _ => Self::Low,
        }
    }

    /// One word lower where the bands that were shown have not held as often as they promised.
    #[must_use]
    pub fn given(self, score: Score) -> Self {
        match self {
            Self::High if score.is_poor() => Self::Medium,
            Self::Medium if score.is_poor() => Self::Low,
            word => word,
        }
    }
}

/// When a limit is met, in active time from now on. `None` is "not within a day".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimeToLimit {
    /// One of ten sessions meets it earlier.
    pub early: Option<Millis>,
    /// Half of them do.
    pub expected: Option<Millis>,
    /// Nine of ten do.
    pub late: Option<Millis>,
}

impl TimeToLimit {
    /// It is met already.
    pub(super) const REACHED: Self = Self {
        early: Some(Millis(0)),
        expected: Some(Millis(0)),
        late: Some(Millis(0)),
    };
}
