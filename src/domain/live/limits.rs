//! The providers' own limits.

use super::super::record::Record;
use super::super::session::clock::Reading;
use super::super::units::Timestamp;
use super::super::wire::{Change, LimitsView};
use super::{Effect, State};

impl State {
    /// Writes and tells what has changed since it was last done: with every call something does, and nobody needs
    /// to know it that often.
    pub(super) fn settle_limits(&mut self, now: Reading, effects: &mut Vec<Effect>) {
        for set in self.limits.changes(now.wall) {
            let view = set.view(now.wall);
            effects.push(Effect::Write(Record::Limits(Box::new(set))));
            self.windows_told(&view, now, effects);
            self.publish(None, Change::Limits(view), now, effects);
        }
    }

    /// Whether a provider told of something that is not written yet.
    #[must_use]
    pub const fn has_new_limits(&self) -> bool {
        self.limits.has_changes()
    }

    /// What the providers last told of their limits.
    #[must_use]
    pub fn limits(&self, now: Timestamp) -> Vec<LimitsView> {
        self.limits.views(now)
    }
}
