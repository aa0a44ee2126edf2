//! A conversation that asks the same again and again.

use std::collections::VecDeque;

use super::super::CallUse;
use super::{Episode, Signal};
use crate::domain::units::Millis;

/// So many calls …
const CALLS: usize = Loops::CALLS;
/// … within this time …
const WITHIN: Millis = Millis(300_000);
/// … that differ by no more than this share in the middle, sent and received, are a loop.
const SPREAD: f64 = 0.1;
/// A thread that repeats itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loop {
    /// How many calls were alike.
    pub calls: usize,
    /// In how much time.
    pub within: Millis,
}

/// Watches one thread for loops.
///
/// A loop is 25 calls in five minutes whose fresh tokens, and whose generated ones, have a median deviation from their
/// median of at most a tenth of it. Both are needed, and fresh tokens rather than all: a conversation's prompt grows
/// slowly, so that by all tokens most recorded sessions would look like loops; by fresh and generated ones none does.
/// Where no cache serves anything, all tokens are fresh and only the generated ones tell: about one session of eleven
/// would then be taken for a loop. Calls of many conversations at once are no loop: see [`super::Threads`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loops {
    /// Moment, fresh tokens and generated tokens of the last calls, the newest last.
    calls: VecDeque<(Millis, u64, u64)>,
    episode: Episode,
}

impl Loops {
    /// So many calls that are alike are a loop.
    pub const CALLS: usize = 25;

    /// Takes up a loop that was raised before the program's start.
    pub const fn resume(&mut self, at: Millis) {
        self.episode = Episode::resumed(at);
    }

    /// Takes a finished call.
    pub fn observe(&mut self, call: CallUse, at: Millis) -> Option<Signal<Loop>> {
        if self.calls.len() >= CALLS {
            self.calls.pop_front();
        }
        self.calls.push_back((at, call.fresh.0, call.generated.0));
        let seen = self.looks_alike(at);
        self.episode.see(seen, at)
    }

    /// Takes the time, without a call.
    pub fn advance(&mut self, at: Millis) -> Option<Signal<Loop>> {
        self.episode.see(None, at)
    }

    pub(super) const fn stands(&self) -> bool {
        self.episode.stands()
    }

    /// One number of each of the calls; 0 where there are too few.
    fn sizes(&self, of: impl Fn(&(Millis, u64, u64)) -> u64) -> [u64; CALLS] {
        std::array::from_fn(|index| self.calls.get(index).map_or(0, &of))
    }

    fn looks_alike(&self, at: Millis) -> Option<Loop> {
        let first = self.calls.front()?.0;
        let within = Millis(at.0.saturating_sub(first.0));
        let is_loop = self.calls.len() == CALLS
            && within <= WITHIN
            && is_alike(self.sizes(|(_, fresh, _)| *fresh))
            && is_alike(self.sizes(|(_, _, generated)| *generated));
        is_loop.then_some(Loop { calls: CALLS, within })
    }
}

/// Whether the median deviation from the median is small beside it.
fn is_alike(sizes: [u64; CALLS]) -> bool {
    let middle = median(sizes);
    let deviation = median(sizes.map(|size| size.abs_diff(middle)));
    deviation as f64 <= SPREAD * middle as f64
}

fn median(mut sizes: [u64; CALLS]) -> u64 {
    *sizes.select_nth_unstable(CALLS / 2).1
}
