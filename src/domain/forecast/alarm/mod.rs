//! What is unusual about a session that runs: small state machines, each of which raises and clears one alarm.
//!
//! Their times are the session's active times, so that a pause neither raises nor clears anything.

mod burst;
mod idle;
mod looping;
mod overrun;
mod size;
#[cfg(test)]
mod tests;
mod threads;

pub use burst::{Burst, Bursts};
pub use idle::{Idle, IdleNotice};
pub use looping::{Loop, Loops};
pub use overrun::{Level, Overrun, OverrunWatch};
pub use size::{SizeJump, SizeJumps};
pub use threads::{Alarms, Thread, Threads};

use crate::domain::units::Millis;

/// What a rule tells when something changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal<N> {
    /// It holds now, with the numbers for the message.
    Raise(N),
    /// It holds no longer.
    Clear,
}

/// An alarm lasts at least this long: what comes and goes is one alarm.
const EPISODE: Millis = Millis(600_000);

/// A stretch of time in which an alarm stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Episode {
    last_seen: Option<Millis>,
}

impl Episode {
    /// One that stands since before the program's start, as if it had just been seen.
    const fn resumed(at: Millis) -> Self {
        Self { last_seen: Some(at) }
    }

    const fn stands(self) -> bool {
        self.last_seen.is_some()
    }

    /// Takes what a rule sees. An episode ends ten minutes after it was last seen.
    fn see<N>(&mut self, seen: Option<N>, at: Millis) -> Option<Signal<N>> {
        match (self.last_seen, seen) {
            (None, Some(numbers)) => {
                self.last_seen = Some(at);
                Some(Signal::Raise(numbers))
            }
            (Some(_), Some(_)) => {
                self.last_seen = Some(at);
                None
            }
            (Some(last), None) if at.0.saturating_sub(last.0) >= EPISODE.0 => {
                self.last_seen = None;
                Some(Signal::Clear)
            }
            (_, None) => None,
        }
    }
}
