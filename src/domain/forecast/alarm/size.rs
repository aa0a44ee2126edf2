//! A call much larger than the ones before it.

use super::{Episode, Signal};
use crate::domain::units::{Millis, Tokens};

/// Tokens of a call before the session has shown its own.
const USUAL: f64 = 88_000.0;
/// So many times the usual is a jump.
const RATIO: f64 = 3.1;
/// The first calls tell what is usual.
const FIRST_CALLS: u64 = 5;
/// What is usual follows a call by this share …
const FOLLOWS: f64 = 0.2;
/// … of a logarithm that is taken to be at least and at most so much: a jump does not become usual at once.
const LEAST: f64 = -1.0;
const MOST: f64 = 0.5;

/// A jump of calls' size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeJump {
    /// The call's tokens.
    pub tokens: Tokens,
    /// What the calls before it had, about.
    pub usual: Tokens,
}

/// Watches for jumps: `r = ln x − l`, raised at `exp(r) ≥ 3.1` from the sixth call on, then `l ← l + clamp(r, −1, ½)/5`.
#[derive(Clone, Debug, PartialEq)]
pub struct SizeJumps {
    level: f64,
    calls: u64,
    episode: Episode,
}

impl Default for SizeJumps {
    fn default() -> Self {
        Self {
            level: USUAL.ln(),
            calls: 0,
            episode: Episode::default(),
        }
    }
}

impl SizeJumps {
    /// Takes a finished call. One without a token has no size.
    pub fn observe(&mut self, tokens: Tokens, at: Millis) -> Option<Signal<SizeJump>> {
        if tokens.0 == 0 {
            return self.advance(at);
        }
        self.calls += 1;
        let above = (tokens.0 as f64).ln() - self.level;
        let seen = (self.calls > FIRST_CALLS && above.exp() >= RATIO).then(|| SizeJump {
            tokens,
            usual: Tokens(self.level.exp().round() as u64),
        });
        self.level += FOLLOWS * above.clamp(LEAST, MOST);
        self.episode.see(seen, at)
    }

    pub(super) const fn stands(&self) -> bool {
        self.episode.stands()
    }

    /// Takes up an alarm that was raised before the program's start.
    pub const fn resume(&mut self, at: Millis) {
        self.episode = Episode::resumed(at);
    }

    /// Takes the time, without a call.
    pub fn advance(&mut self, at: Millis) -> Option<Signal<SizeJump>> {
        self.episode.see(None, at)
    }
}
