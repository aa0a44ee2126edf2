//! What the clock showed at a moment of the wall clock.

use super::{Stretch, Timer, measure_until, running, whole_millis};
use crate::domain::session::clock::{Nanos, Reading};
use crate::domain::units::{Millis, Timestamp};

impl Timer {
    /// The time that the session had run for at a moment of the wall clock, without what is taken out; a moment at which
    /// the clock stood is where it stopped before.
    ///
    /// The same for ever, as long as nothing is taken out, put back or counted after all; so that what happened at known
    /// moments can be gone through again. Takes as long as there are stretches after that moment.
    #[must_use]
    pub fn elapsed_at(&self, moment: Timestamp, now: Reading) -> Millis {
        let axis = self.axis_at(moment, now);
        let taken_out = match self.trims.is_empty() {
            true => Nanos(0),
            false => measure_until(&self.trims, axis),
        };
        let counted = whole_millis(Nanos(axis.0.saturating_sub(taken_out.0)));
        self.limit.map_or(counted, |limit| counted.min(limit))
    }

    fn axis_at(&self, moment: Timestamp, now: Reading) -> Nanos {
        let open = self.open.map(|open| running(open, now));
        let mut end = self.closed.0.saturating_add(open.map_or(0, |open| open.length.0));
        let mut stopped: Option<(Timestamp, i64)> = None;
        for Stretch { began, length } in open.into_iter().chain(self.stretches.iter().rev().copied()) {
            let start = end.saturating_sub(length.0);
            let offset = Nanos::from_millis(moment.0.saturating_sub(began.0)).0;
            if (0..=length.0).contains(&offset) {
                return Nanos(start + offset);
            }
            // A gap that was counted later stands behind what ran after it.
            if offset > 0 && stopped.is_none_or(|(latest, _)| began > latest) {
                stopped = Some((began, end));
            }
            end = start;
        }
        Nanos(stopped.map_or(0, |(_, end)| end))
    }
}
