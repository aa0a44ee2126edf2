//! A session whose clock runs while nothing is asked.

use super::Signal;
use crate::domain::units::Millis;

/// A session without calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idle {
    /// The active time of the last call; nothing if there was none.
    pub since: Millis,
}

/// Tells when a session has had no call for ten minutes of active time: a notice, not an alarm. Pauses of that length
/// are ordinary work, about one an hour in recorded sessions, and no rule tells them from stalls better than a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdleNotice {
    last: Millis,
    is_raised: bool,
}

impl IdleNotice {
    /// How long nothing may happen.
    pub const AFTER: Millis = Millis(600_000);

    /// Takes a call, when it begins or ends.
    pub fn observe(&mut self, at: Millis) -> Option<Signal<Idle>> {
        self.last = self.last.max(at);
        std::mem::take(&mut self.is_raised).then_some(Signal::Clear)
    }

    /// Takes up a notice that was raised before the program's start.
    pub const fn resume(&mut self) {
        self.is_raised = true;
    }

    /// Takes the time.
    pub fn advance(&mut self, at: Millis) -> Option<Signal<Idle>> {
        if self.is_raised || at < self.due() {
            return None;
        }
        self.is_raised = true;
        Some(Signal::Raise(Idle { since: self.last }))
    }

    /// The active time at which it has something to tell, unless a call comes.
    #[must_use]
    pub const fn due(&self) -> Millis {
        Millis(self.last.0.saturating_add(Self::AFTER.0))
    }
}
