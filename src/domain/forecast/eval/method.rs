//! Ways of forecasting: Moonlock's own, and two that others use, to be held against it.

use std::f64::consts::LN_2;

use crate::domain::forecast::{Amount, CallUse, Chance, End, Forecast, Outlook, Prior, minutes};
use crate::domain::units::{Millis, Tokens};

/// What a session's total is foretold to be: its quantiles at 2.5, 10, 50, 90 and 97.5 %.
pub type Quantiles = [f64; 5];

/// Standard normal quantiles of the same probabilities.
const Z: Quantiles = [
    -1.959_963_984_540_054,
    -1.281_551_565_544_600_4,
    0.0,
    1.281_551_565_544_600_4,
    1.959_963_984_540_054,
];

/// A way of forecasting all tokens of a session.
pub trait Method {
    /// Takes a finished call at the session's active time.
    fn observe(&mut self, call: CallUse, at: Millis);

    /// The total at the end; nothing before anything is known.
    fn quantiles(&self, at: Millis, end: Millis) -> Option<Quantiles>;

    /// How likely it is that a budget is used up by the end.
    fn overrun(&self, at: Millis, end: Millis, budget: Tokens) -> Option<Chance>;

    /// In how many minutes a limit is met: the earliest of ten, the middle and the latest of ten; without end for "not
    /// within a day".
    fn limit(&self, at: Millis, limit: Tokens) -> Option<[f64; 3]>;
}

/// Moonlock's own.
#[derive(Clone, Debug)]
pub struct OwnTokens(pub Forecast);

impl Default for OwnTokens {
    fn default() -> Self {
        Self(Forecast::new(&Prior::default()))
    }
}

/// The quantiles of an outlook.
#[must_use]
pub fn quantiles<A: Amount>(outlook: &Outlook<A>) -> Quantiles {
    [
        outlook.band_95.low,
        outlook.band_80.low,
        outlook.expected,
        outlook.band_80.high,
        outlook.band_95.high,
    ]
    .map(|amount| amount.units() as f64)
}

impl Method for OwnTokens {
    fn observe(&mut self, call: CallUse, at: Millis) {
        self.0.observe(call, at);
    }

    fn quantiles(&self, at: Millis, end: Millis) -> Option<Quantiles> {
        self.0.total(at, End::Planned(end)).as_ref().map(quantiles)
    }

    fn overrun(&self, at: Millis, end: Millis, budget: Tokens) -> Option<Chance> {
        self.0.tokens_overrun(at, End::Planned(end), budget)
    }

    fn limit(&self, at: Millis, limit: Tokens) -> Option<[f64; 3]> {
        let time = self.0.tokens_limit(at, limit)?;
        Some([time.early, time.expected, time.late].map(|time| time.map_or(f64::INFINITY, minutes)))
    }
}

/// Any other of a forecast's outlooks, of which only the total is scored.
pub struct Any<F>(pub Forecast, pub F);

impl<F: Fn(&Forecast, Millis, Millis) -> Option<Quantiles>> Method for Any<F> {
    fn observe(&mut self, call: CallUse, at: Millis) {
        self.0.observe(call, at);
    }

    fn quantiles(&self, at: Millis, end: Millis) -> Option<Quantiles> {
        (self.1)(&self.0, at, end)
    }

    fn overrun(&self, _at: Millis, _end: Millis, _budget: Tokens) -> Option<Chance> {
        None
    }

    fn limit(&self, _at: Millis, _limit: Tokens) -> Option<[f64; 3]> {
        None
    }
}

/// What others do: a rate, held on to the end, with the spread of calls that come by chance.
#[derive(Clone, Debug)]
struct Rate {
    spent: f64,
    /// Sum of the squares of the calls' sizes.
    squares: f64,
    calls: f64,
}

impl Rate {
    const fn new() -> Self {
        Self {
            spent: 0.0,
            squares: 0.0,
            calls: 0.0,
        }
    }

    fn take(&mut self, call: CallUse) {
        self.spent += call.total.0 as f64;
        self.squares += (call.total.0 as f64).powi(2);
        self.calls += 1.0;
    }

    /// Mean and standard deviation of what comes in so many minutes, if calls come by chance, of the sizes seen (a
    /// compound Poisson process).
    fn to_come(&self, per_minute: f64, left: f64) -> (f64, f64) {
        let size = self.spent / self.calls;
        let calls = per_minute * left / size;
        (per_minute * left, (calls * self.squares / self.calls).sqrt())
    }

    fn quantiles(&self, per_minute: f64, left: f64) -> Option<Quantiles> {
        let (mean, deviation) = self.to_come(per_minute, left);
        (self.calls > 0.0).then(|| Z.map(|z| self.spent + (mean + z * deviation).max(0.0)))
    }

    fn overrun(&self, per_minute: f64, left: f64, budget: Tokens) -> Option<Chance> {
        let (mean, deviation) = self.to_come(per_minute, left);
        let missing = budget.0 as f64 - self.spent;
        (self.calls > 0.0).then(|| match missing {
            ..=0.0 => Chance::CERTAIN,
            _ if deviation <= 0.0 => Chance::NEVER,
            _ => Chance::below((mean - missing) / deviation),
        })
    }

    fn limit(&self, per_minute: f64, limit: Tokens) -> Option<[f64; 3]> {
        let minutes = (limit.0 as f64 - self.spent).max(0.0) / per_minute;
        (self.calls > 0.0).then_some([minutes; 3])
    }
}

fn left(at: Millis, end: Millis) -> f64 {
    minutes(Millis(end.0.saturating_sub(at.0)))
}

/// The session's average so far, for ever.
#[derive(Clone, Debug)]
pub struct Average(Rate);

impl Default for Average {
    fn default() -> Self {
        Self(Rate::new())
    }
}

impl Average {
    fn per_minute(&self, at: Millis) -> f64 {
        self.0.spent / minutes(at).max(f64::MIN_POSITIVE)
    }
}

impl Method for Average {
    fn observe(&mut self, call: CallUse, _at: Millis) {
        self.0.take(call);
    }

    fn quantiles(&self, at: Millis, end: Millis) -> Option<Quantiles> {
        self.0.quantiles(self.per_minute(at), left(at, end))
    }

    fn overrun(&self, at: Millis, end: Millis, budget: Tokens) -> Option<Chance> {
        self.0.overrun(self.per_minute(at), left(at, end), budget)
    }

    fn limit(&self, at: Millis, limit: Tokens) -> Option<[f64; 3]> {
        self.0.limit(self.per_minute(at), limit)
    }
}

/// An exponentially weighted average of the last minutes, for ever: what was used ten minutes ago counts half.
#[derive(Clone, Debug)]
pub struct Weighted {
    rate: Rate,
    last: f64,
    recent: f64,
}

impl Default for Weighted {
    fn default() -> Self {
        Self {
            rate: Rate::new(),
            last: 0.0,
            recent: 0.0,
        }
    }
}

impl Weighted {
    const TAU: f64 = 10.0 / LN_2;

    fn per_minute(&self, at: Millis) -> f64 {
        let now = minutes(at).max(self.last);
        let covered = Self::TAU * (1.0 - (-now / Self::TAU).exp());
        self.recent * (-(now - self.last) / Self::TAU).exp() / covered.max(f64::MIN_POSITIVE)
    }
}

impl Method for Weighted {
    fn observe(&mut self, call: CallUse, at: Millis) {
        let now = minutes(at).max(self.last);
        self.recent = self.recent * (-(now - self.last) / Self::TAU).exp() + call.total.0 as f64;
        self.last = now;
        self.rate.take(call);
    }

    fn quantiles(&self, at: Millis, end: Millis) -> Option<Quantiles> {
        self.rate.quantiles(self.per_minute(at), left(at, end))
    }

    fn overrun(&self, at: Millis, end: Millis, budget: Tokens) -> Option<Chance> {
        self.rate.overrun(self.per_minute(at), left(at, end), budget)
    }

    fn limit(&self, at: Millis, limit: Tokens) -> Option<[f64; 3]> {
        self.rate.limit(self.per_minute(at), limit)
    }
}
