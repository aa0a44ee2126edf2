//! One quantity of one session, projected to the session's end.

use std::f64::consts::LN_2;
use std::marker::PhantomData;

use super::constants::Constants;
use super::outlook::{Band, Confidence, Outlook, TimeToLimit};
use super::prior::{Length, Usual};
use super::{Amount, Chance, millis, minutes};
use crate::domain::units::Millis;

/// Standard normal quantiles: half of all values lie within the first, 80 % within the second, 95 % within the third.
const Z_50: f64 = 0.674_489_750_196_081_7;
const Z_80: f64 = 1.281_551_565_544_600_4;
const Z_95: f64 = 1.959_963_984_540_054;

/// A time to a limit is looked for in this many minutes …
const LONGEST: f64 = 1_440.0;
/// … from this on …
const SHORTEST: f64 = 0.05;
/// … by halving so often.
const HALVINGS: u32 = 40;
/// The spread of what is to come is that of this many minutes, if less are left.
const SHORTEST_SPREAD: f64 = 0.1;

/// When a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// When it has run for this long.
    Planned(Millis),
    /// When its user ends it.
    Open,
}

/// What is left of a session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rest {
    /// Minutes, in the middle.
    pub(super) minutes: f64,
    /// The variance of their logarithm.
    pub(super) variance: f64,
}

impl Rest {
    /// The rest of a session that has run for `at`.
    ///
    /// Where the end is open, the length is lognormal on the condition that the session has lasted until now.
    pub(super) fn of(end: End, length: Length, at: Millis) -> Self {
        match end {
            End::Planned(end) => Self {
                minutes: minutes(Millis(end.0.saturating_sub(at.0))),
                variance: 0.0,
            },
            End::Open => {
                let now = minutes(at).max(SHORTEST);
                let gone = Chance::below((now.ln() - length.mean) / length.deviation).get();
                let left =
                    |share: f64| (length.quantile(1.0 - (1.0 - gone) * share, now) - now).max(SHORTEST);
                let (early, late) = (left(0.9), left(0.1));
                Self {
                    minutes: left(0.5),
                    variance: ((late / early).ln() / (2.0 * Z_80)).powi(2),
                }
            }
        }
    }
}

impl Length {
    /// The minutes that a session does not exceed with this probability, found by halving between `now` and a day.
    fn quantile(self, probability: f64, now: f64) -> f64 {
        let (mut low, mut high) = (now, LONGEST.max(2.0 * now));
        for _ in 0..HALVINGS {
            let middle = low.midpoint(high);
            if Chance::below((middle.ln() - self.mean) / self.deviation).get() < probability {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }
}

/// One quantity of one session. Constant in size and in work for each call.
///
/// With τ = half-life / ln 2, at active minute `t`, the last call at `t'`:
///
/// - calls: `f ← f·exp(−Δ/τ) + 1` with each, `λ = (K·λ₀ + f·exp(−(t−t')/τ)) / (K + τ·(1 − exp(−t/τ)))` a minute;
/// - size: `s = (m·s̄ + n₀·s₀) / (m + n₀)`, s̄ the mean of the last calls, exponentially weighted over `ns`, `m = min(n, ns)`;
/// - rest: with `h` minutes left its logarithm is normal around `ln(λ·s·h)` with variance `a + b/max(h, 0.1) + d/(n+1)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection<A> {
    constants: Constants,
    usual: Usual,
    spent: u64,
    calls: u64,
    /// The active minute of the last call.
    last: f64,
    /// Calls, each weighted by how long ago it was, as of then.
    recent: f64,
    /// Weighted sum of sizes, and of their weights.
    sizes: f64,
    weights: f64,
    amount: PhantomData<A>,
}

impl<A: Amount> Projection<A> {
    pub(super) const fn new(constants: Constants, usual: Usual) -> Self {
        Self {
            constants,
            usual,
            spent: 0,
            calls: 0,
            last: 0.0,
            recent: 0.0,
            sizes: 0.0,
            weights: 0.0,
            amount: PhantomData,
        }
    }

    /// Takes a finished call. One that is told late counts as of the last.
    pub(super) fn observe(&mut self, amount: A, at: Millis) {
        let now = minutes(at).max(self.last);
        let keep = 1.0 - self.constants.size_calls.recip();
        self.recent = self.recent * (-(now - self.last) / self.tau()).exp() + 1.0;
        self.sizes = self.sizes * keep + amount.units() as f64 / self.constants.size_calls;
        self.weights = self.weights * keep + self.constants.size_calls.recip();
        self.spent = self.spent.saturating_add(amount.units());
        self.calls += 1;
        self.last = now;
    }

    /// Takes from the session's sums what is spent, in how many calls.
    pub(super) const fn set_spent(&mut self, units: u64, calls: u64) {
        self.spent = units;
        self.calls = calls;
    }

    /// Says what size is usual, where that is learnt on the way.
    pub(super) const fn expect_size(&mut self, units: f64) {
        self.usual.size = units;
    }

    fn tau(&self) -> f64 {
        self.constants.half_life / LN_2
    }

    /// What is spent so far.
    #[must_use]
    pub fn spent(&self) -> A {
        A::from_units(self.spent)
    }

    /// How many calls were taken.
    #[must_use]
    pub const fn calls(&self) -> u64 {
        self.calls
    }

    /// Units a minute from now on.
    pub(super) fn rate(&self, at: Millis) -> f64 {
        let (constants, tau) = (&self.constants, self.tau());
        let now = minutes(at).max(self.last);
        let watched = tau * (1.0 - (-now / tau).exp());
        let recent = self.recent * (-(now - self.last) / tau).exp();
        let calls =
            (constants.usual_minutes * self.usual.rate + recent) / (constants.usual_minutes + watched);
        let seen = (self.calls as f64).min(constants.size_calls);
        let mean = if self.calls == 0 {
            0.0
        } else {
            self.sizes / self.weights
        };
        let size = (seen * mean + constants.usual_calls * self.usual.size) / (seen + constants.usual_calls);
        calls * size
    }

    /// The standard deviation of the logarithm of what is to come.
    fn deviation(&self, rest: Rest) -> f64 {
        let constants = &self.constants;
        let variance = constants.variance
            + constants.variance_short / rest.minutes.max(SHORTEST_SPREAD)
            + constants.variance_young / (self.calls as f64 + 1.0)
            + rest.variance;
        variance.sqrt()
    }

    fn plus(&self, units: f64) -> A {
        A::from_units(self.spent.saturating_add(units.round() as u64))
    }

    /// What the session will have used at its end.
    pub(super) fn outlook(&self, at: Millis, rest: Rest, past_sessions: usize) -> Outlook<A> {
        let rate = self.rate(at);
        let (to_come, deviation) = (rate * rest.minutes, self.deviation(rest));
        let band = |z: f64| Band {
            low: self.plus(to_come * (-z * deviation).exp()),
            high: self.plus(to_come * (z * deviation).exp()),
        };
        let (expected, band_80) = (self.plus(to_come), band(Z_80));
        Outlook {
            spent: self.spent(),
            per_minute: A::from_units(rate.round() as u64),
            expected,
            band_50: band(Z_50),
            band_80,
            band_95: band(Z_95),
            confidence: Confidence::of(self.calls, expected, band_80),
            calls: self.calls,
            past_sessions,
        }
    }

    /// How likely it is that the session has used up a budget by its end.
    pub(super) fn overrun(&self, at: Millis, rest: Rest, budget: A) -> Chance {
        let left = budget.units().saturating_sub(self.spent);
        match left {
            0 => Chance::CERTAIN,
            _ if rest.minutes <= 0.0 => Chance::NEVER,
            _ => self.reaches(self.rate(at), left as f64, rest),
        }
    }

    /// `Φ(ln(r·h / left) / σ)`.
    fn reaches(&self, rate: f64, left: f64, rest: Rest) -> Chance {
        Chance::below((rate * rest.minutes / left).ln() / self.deviation(rest))
    }

    /// When a limit is met, whether the session lasts that long or not.
    pub(super) fn time_to(&self, at: Millis, limit: A) -> TimeToLimit {
        let left = limit.units().saturating_sub(self.spent);
        if left == 0 {
            return TimeToLimit::REACHED;
        }
        let (rate, left) = (self.rate(at), left as f64);
        let expected = left / rate;
        TimeToLimit {
            early: self.reached_with(0.1, rate, left),
            expected: (expected <= LONGEST).then(|| millis(expected)),
            late: self.reached_with(0.9, rate, left),
        }
    }

    fn reached_with(&self, probability: f64, rate: f64, left: f64) -> Option<Millis> {
        let reaches = |minutes: f64| {
            let rest = Rest {
                minutes,
                variance: 0.0,
            };
            self.reaches(rate, left, rest).get() >= probability
        };
        if !reaches(LONGEST) {
            return None;
        }
        let (mut low, mut high) = (SHORTEST, LONGEST);
        for _ in 0..HALVINGS {
            let middle = low.midpoint(high);
            if reaches(middle) {
                high = middle;
            } else {
                low = middle;
            }
        }
        Some(millis(high))
    }
}
