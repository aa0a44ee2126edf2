//! Calls that are older than they are kept: their rows go, and every sum stays as it is.

use super::super::ids::CallId;
use super::super::record::Record;
use super::super::units::Timestamp;
use super::{Effect, State};

/// A piece of the calls that go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forgetting {
    /// They began before this moment.
    pub before: Timestamp,
    /// The first of them.
    pub first: CallId,
    /// The last.
    pub last: CallId,
}

impl State {
    pub(super) fn forget_calls(&mut self, piece: Forgetting, effects: &mut Vec<Effect>) {
        let Forgetting { before, first, last } = piece;
        // Whoever read some of them, to move them or to say more of them, has to read them again.
        self.rewritten += 1;
        self.moves += 1;
        self.remembered.forget_before(before);
        effects.push(Effect::Write(Record::CallsForgotten { before, first, last }));
    }
}
