//! Many more calls in a minute than a thread's minutes have had.

use super::{Episode, Signal};
use crate::domain::units::Millis;

/// Seconds that are looked back on.
const SECONDS: usize = 60;
/// Active minutes after which one counts half for what is usual.
const HALF_LIFE: f64 = 20.0;
/// Calls in a minute that has any, and their variance, before the thread has shown its own.
const USUAL: f64 = 3.06;
const USUAL_VARIANCE: f64 = 4.16;
/// The deviation is taken to be at least this share of the mean.
const LEAST_DEVIATION: f64 = 0.35;
/// So many minutes that had calls tell what a thread's own minutes have. …
const FIRST_MINUTES: u32 = 3;
/// … Before, only a call a second is a burst: a program that asks often from the start does not run away.
const ONE_A_SECOND: f64 = 60.0;
/// Deviations above the mean at which a minute is a burst.
const THRESHOLD: f64 = 5.0;

/// A burst of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// Calls in the last 60 seconds.
    pub calls: u32,
    /// What the thread's minutes have at most, as a rule: more than this is a burst.
    pub usual_most: u32,
}

/// Watches for bursts of calls.
///
/// Of each minute that had calls the mean and variance of their number are kept, exponentially weighted:
/// `δ = k − μ; μ ← μ + α·δ; v ← (1−α)(v + α·δ²)`. A burst is `(k₆₀ − μ) / max(√v, 0.35·μ) ≥ 5`, where `k₆₀` are the
/// calls of the last 60 seconds, looked at with each call; in a thread's first three minutes it is 60 of them. It and the jumps of size together are raised falsely about
/// once in ten hours of recorded work; at 4.4 it would be over twice as often, for a tenth more of the small bursts.
#[derive(Clone, Debug, PartialEq)]
pub struct Bursts {
    /// Calls of each of the last 60 seconds, by the second modulo 60, and their sum.
    seconds: [u32; SECONDS],
    sum: u32,
    /// The newest of these seconds.
    second: u64,
    /// Calls of the running minute.
    in_minute: u32,
    /// Minutes that had calls, but for the running one; no more than matter.
    minutes: u32,
    mean: f64,
    variance: f64,
    episode: Episode,
}

impl Default for Bursts {
    fn default() -> Self {
        Self {
            seconds: [0; SECONDS],
            sum: 0,
            second: 0,
            in_minute: 0,
            minutes: 0,
            mean: USUAL,
            variance: USUAL_VARIANCE,
            episode: Episode::default(),
        }
    }
}

impl Bursts {
    /// Takes a finished call.
    pub fn observe(&mut self, at: Millis) -> Option<Signal<Burst>> {
        self.forget_until(at.0 / 1_000);
        let slot = (self.second % SECONDS as u64) as usize;
        self.seconds[slot] = self.seconds[slot].saturating_add(1);
        self.sum = self.sum.saturating_add(1);
        self.in_minute = self.in_minute.saturating_add(1);
        let usual_most = self.usual_most();
        let seen = (f64::from(self.sum) >= usual_most).then_some(Burst {
            calls: self.sum,
            usual_most: usual_most as u32,
        });
        self.episode.see(seen, at)
    }

    fn usual_most(&self) -> f64 {
        let usual_most = self.mean + THRESHOLD * self.variance.sqrt().max(LEAST_DEVIATION * self.mean);
        match self.minutes {
            FIRST_MINUTES.. => usual_most,
            _ => usual_most.max(ONE_A_SECOND),
        }
    }

    pub(super) const fn stands(&self) -> bool {
        self.episode.stands()
    }

    /// Takes up an alarm that was raised before the program's start.
    pub const fn resume(&mut self, at: Millis) {
        self.episode = Episode::resumed(at);
    }

    /// Takes the time, without a call.
    pub fn advance(&mut self, at: Millis) -> Option<Signal<Burst>> {
        self.episode.see(None, at)
    }

    fn forget_until(&mut self, second: u64) {
        let passed = second.saturating_sub(self.second);
        if passed == 0 {
            return;
        }
        if second / SECONDS as u64 != self.second / SECONDS as u64 {
            self.close_minute();
        }
        for later in 1..=passed.min(SECONDS as u64) {
            let slot = ((self.second + later) % SECONDS as u64) as usize;
            self.sum = self.sum.saturating_sub(std::mem::take(&mut self.seconds[slot]));
        }
        self.second = second;
    }

    fn close_minute(&mut self) {
        let calls = std::mem::take(&mut self.in_minute);
        if calls > 0 {
            self.minutes = FIRST_MINUTES.min(self.minutes + 1);
            let alpha = 1.0 - 0.5_f64.powf(HALF_LIFE.recip());
            let off = f64::from(calls) - self.mean;
            self.mean += alpha * off;
            self.variance = (1.0 - alpha) * (self.variance + alpha * off * off);
        }
    }
}
