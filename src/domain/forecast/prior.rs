//! What is usual, learnt from the user's own finished sessions.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::constants::{COST, Constants, FRESH, LENGTH_DEVIATION, LENGTH_MEAN, TOTAL};
use super::minutes;
use crate::domain::units::{Millis, Tokens};
use crate::domain::wire::Totals;

/// Sessions that are kept; older ones say little about today's work.
pub const MOST_SESSIONS: usize = 20;
/// Fewer sessions than this tell nothing of what is usual.
pub const FEWEST_SESSIONS: usize = 3;
/// The built-in usual weighs as much as so many sessions: a few odd ones do not carry it away.
const PSEUDO_SESSIONS: f64 = 5.0;
/// A session with fewer calls tells neither how often they come nor how large they are.
const FEWEST_CALLS: u64 = 5;
/// Nor does one that lasted less than this.
const SHORTEST: Millis = Millis(60_000);

/// What one finished session used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// Its active time.
    pub active: Millis,
    /// Calls whose usage is known.
    pub calls: u64,
    /// All their tokens.
    pub total: Tokens,
    /// Those that no cache served.
    pub fresh: Tokens,
    /// Their worth: see [`super::CallUse::worth`].
    pub worth: Tokens,
}

impl Finished {
    /// Whether it tells what is usual; it does not if it was too short, or had too few calls.
    #[must_use]
    pub const fn is_telling(&self) -> bool {
        self.calls >= FEWEST_CALLS && self.active.0 >= SHORTEST.0
    }

    /// A session of these sums.
    #[must_use]
    pub fn of(active: Millis, sums: &Totals) -> Self {
        let sent = Tokens(sums.total)
            .saturating_sub(Tokens(sums.cache_read) + Tokens(sums.cache_write) + Tokens(sums.output));
        Self {
            active,
            calls: sums.priced_requests.saturating_add(sums.unpriced_requests),
            total: Tokens(sums.total),
            fresh: Tokens(sums.total.saturating_sub(sums.cache_read)),
            worth: worth(
                sent,
                Tokens(sums.output),
                Tokens(sums.cache_read),
                Tokens(sums.cache_write),
            ),
        }
    }
}

/// What tokens are worth in fresh prompt tokens: see [`super::CallUse::worth`].
pub(super) fn worth(sent: Tokens, generated: Tokens, read: Tokens, written: Tokens) -> Tokens {
    let twentieths = [(sent, 20), (generated, 100), (read, 2), (written, 25)];
    let worth = twentieths.map(|(tokens, price)| Tokens(tokens.0.saturating_mul(price)));
    Tokens(worth.into_iter().sum::<Tokens>().0 / 20)
}

/// What the user's last sessions were like. Serialises to a list of bounded size.
///
/// Only how often calls come, how large they are and how long sessions last is learnt. A budget must not be: it would
/// leak into the check of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Prior {
    /// The newest last.
    sessions: VecDeque<Finished>,
}

/// What is usual for one quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Usual {
    /// Calls a minute.
    pub(super) rate: f64,
    /// Units a call.
    pub(super) size: f64,
}

/// How long sessions last: the logarithm of the minutes is normal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Length {
    pub(super) mean: f64,
    pub(super) deviation: f64,
}

impl Prior {
    /// Takes a finished session. One that was too short to tell anything is left out.
    pub fn learn(&mut self, session: Finished) {
        if !session.is_telling() {
            return;
        }
        while self.sessions.len() >= MOST_SESSIONS {
            self.sessions.pop_front();
        }
        self.sessions.push_back(session);
    }

    /// How many sessions stand behind what is taken for usual; none while only the built-in is.
    #[must_use]
    pub fn sessions(&self) -> usize {
        let known = self.sessions.len().min(MOST_SESSIONS);
        if known < FEWEST_SESSIONS { 0 } else { known }
    }

    fn learnt(&self) -> impl Iterator<Item = &Finished> + Clone {
        self.sessions.iter().rev().take(self.sessions())
    }

    /// The geometric mean of the built-in usual, as often as [`PSEUDO_SESSIONS`] says, and of each session's own.
    fn drawn(&self, built_in: f64, own: impl Fn(&Finished) -> f64) -> f64 {
        let logarithms = self.learnt().map(own).filter(|own| *own > 0.0).map(f64::ln);
        let (sum, count) = logarithms.fold((0.0, 0.0), |(sum, count), own| (sum + own, count + 1.0));
        ((PSEUDO_SESSIONS * built_in.ln() + sum) / (PSEUDO_SESSIONS + count)).exp()
    }

    fn usual(&self, constants: &Constants, units: impl Fn(&Finished) -> u64) -> Usual {
        Usual {
            rate: self.drawn(constants.usual_rate, |session| {
                session.calls as f64 / minutes(session.active.max(SHORTEST))
            }),
            size: self.drawn(constants.usual_size, |session| {
                units(session) as f64 / session.calls.max(1) as f64
            }),
        }
    }

    pub(super) fn total(&self) -> Usual {
        self.usual(&TOTAL, |session| session.total.0)
    }

    pub(super) fn fresh(&self) -> Usual {
        self.usual(&FRESH, |session| session.fresh.0)
    }

    pub(super) fn worth(&self) -> Usual {
        self.usual(&COST, |session| session.worth.0)
    }

    pub(super) fn length(&self) -> Length {
        let typical = self.drawn(LENGTH_MEAN.exp(), |session| minutes(session.active));
        Length {
            mean: typical.ln(),
            deviation: LENGTH_DEVIATION,
        }
    }
}
