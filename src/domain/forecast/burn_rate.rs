//! How fast a session burns, now.

use std::f64::consts::LN_2;

use serde::Serialize;

use super::{CallUse, minutes};
use crate::domain::units::{Millis, NanoUsd, Tokens};

/// What is used in a minute: an exponentially weighted mean of the session's last active minutes.
///
/// With τ = half-life / ln 2, each use decays as `exp(−Δ/τ)`, and their sum is divided by the minutes that the weights
/// cover, `τ·(1 − exp(−t/τ))`, so that a young session is not taken for a slow one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BurnRate {
    /// The active minute of the last call.
    last: f64,
    calls: f64,
    tokens: f64,
    cost: f64,
    is_priced: bool,
}

/// A burn rate, as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pace {
    /// Tokens a minute.
    pub tokens: Tokens,
    /// Money a minute; `None` while no call had a price.
    pub cost: Option<NanoUsd>,
    /// Calls an hour.
    pub calls_per_hour: u64,
    /// The half-life of the window that this is the mean of.
    pub half_life: Millis,
}

impl BurnRate {
    /// What was used this long ago counts half.
    pub const HALF_LIFE: Millis = Millis(300_000);
    /// A session younger than this is taken to be so old: one call at its beginning is no rate.
    const YOUNGEST: f64 = 1.0;

    fn tau() -> f64 {
        minutes(Self::HALF_LIFE) / LN_2
    }

    fn faded(&self, now: f64) -> f64 {
        (-(now - self.last) / Self::tau()).exp()
    }

    /// Takes a finished call.
    pub fn observe(&mut self, call: CallUse, at: Millis) {
        let now = minutes(at).max(self.last);
        let faded = self.faded(now);
        let cost = call.cost.map_or(0, |cost| cost.0.max(0));
        self.calls = self.calls * faded + 1.0;
        self.tokens = self.tokens * faded + call.total.0 as f64;
        self.cost = self.cost * faded + cost as f64;
        self.is_priced |= call.cost.is_some();
        self.last = now;
    }

    /// The rate at an active time; nothing before the first call.
    #[must_use]
    pub fn at(&self, at: Millis) -> Option<Pace> {
        if self.calls <= 0.0 {
            return None;
        }
        let now = minutes(at).max(self.last);
        let covered = Self::tau() * (1.0 - (-now.max(Self::YOUNGEST) / Self::tau()).exp());
        let share = self.faded(now) / covered;
        Some(Pace {
            tokens: Tokens((self.tokens * share).round() as u64),
            cost: self
                .is_priced
                .then(|| NanoUsd((self.cost * share).round() as i64)),
            calls_per_hour: (self.calls * share * 60.0).round() as u64,
            half_life: Self::HALF_LIFE,
        })
    }
}
