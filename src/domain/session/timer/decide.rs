//! What a user's change does to the clock, or why it does not apply.

use super::{Timer, Trim, measure, nanos_of, running, whole_millis};
use crate::domain::session::MAX_DURATION;
use crate::domain::session::clock::{Nanos, Reading};
use crate::domain::session::event::{EventKind, TimerEvent, What};
use crate::domain::session::rules::{Action, Rule, rule};
use crate::domain::units::{Millis, Timestamp};

/// A clock has at most so many events, but for those that end it: it is replayed from them.
pub(super) const MAX_EVENTS: u32 = 100_000;
/// A clock keeps at most so many trims.
const MAX_TRIMS: usize = 1_000;

/// A change that a user can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Let the clock stand.
    Pause,
    /// Let it go on.
    Resume,
    /// End the session.
    Complete,
    /// Plan another duration, in all; `None` is an open end.
    Plan(Option<Millis>),
    /// Take out what was counted from one moment to another.
    Trim {
        /// The first moment.
        from: Timestamp,
        /// The moment after the last.
        to: Timestamp,
    },
    /// Put back what the trim of that number took out.
    Untrim(u32),
    /// Count the gap that the event of that number left.
    CountGap(u32),
}

impl Change {
    const fn action(self) -> Action {
        match self {
            Self::Pause => Action::Pause,
            Self::Resume => Action::Resume,
            Self::Complete => Action::Complete,
            Self::Plan(_) => Action::Plan,
            Self::Trim { .. } | Self::Untrim(_) | Self::CountGap(_) => Action::Correct,
        }
    }
}

/// Why a change does not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotNow {
    /// The session has ended.
    #[error("the session is completed and cannot be {}", .0.name())]
    Completed(Action),
    /// More has run than that.
    #[error("the session has run for {0} ms already: `duration` must be more")]
    Shorter(u64),
    /// It would have run for longer than planned.
    #[error("the session would have run for longer than planned: give it a longer `duration` first (at most {} ms, 5 hours)", MAX_DURATION.0)]
    BeyondPlan,
    /// The clock did not run then.
    #[error("the session's clock did not run in that stretch")]
    NothingToTrim,
    /// It has changed too often.
    #[error("the session's clock has changed {MAX_EVENTS} times: complete it and start another")]
    TooManyEvents,
    /// There are too many trims.
    #[error("a session keeps at most {MAX_TRIMS} trims: take one back first")]
    TooManyTrims,
    /// No event of that number trimmed anything.
    #[error("the session has no trim of that number; `told` lists them")]
    NoSuchTrim,
    /// No event of that number left a gap that can be counted.
    #[error("the session has no gap of that number that could be counted; `told` lists them")]
    NoSuchGap,
}

impl Timer {
    /// Decides what a change does now: the events that it brings, or none where it is already so.
    ///
    /// # Errors
    /// It does not apply to the session as it is.
    pub fn decide(&self, change: Change, now: Reading) -> Result<Vec<TimerEvent>, NotNow> {
        match rule(self.status, change.action()) {
            Rule::Already => return Ok(Vec::new()),
            Rule::Refused => return Err(NotNow::Completed(change.action())),
            Rule::To(_) | Rule::Stays => {}
        }
        if self.last.seq >= MAX_EVENTS && change != Change::Complete {
            return Err(NotNow::TooManyEvents);
        }
        let what = match change {
            Change::Pause => What::Paused,
            Change::Resume => What::Resumed,
            Change::Complete => What::Completed,
            Change::Plan(limit) => return self.plan(limit, now),
            Change::Trim { from, to } => return self.trim(from, to, now),
            Change::Untrim(seq) => {
                let rest: Vec<Trim> = self
                    .trims
                    .iter()
                    .filter(|trim| trim.seq != seq)
                    .copied()
                    .collect();
                if rest.len() == self.trims.len() {
                    let is_back = self.was_taken_back(seq, |kind| kind == EventKind::Trimmed);
                    return if is_back {
                        Ok(Vec::new())
                    } else {
                        Err(NotNow::NoSuchTrim)
                    };
                }
                let back = self.trimmed.0 - measure(&rest).0;
                self.has_room(Nanos(back), now)?;
                What::Untrimmed(seq)
            }
            Change::CountGap(seq) => match self.gaps.iter().find(|gap| gap.seq == seq) {
                Some(gap) => {
                    self.has_room(gap.missing.length, now)?;
                    What::GapCounted(seq)
                }
                None if self.was_taken_back(seq, EventKind::is_interruption) => return Ok(Vec::new()),
                None => return Err(NotNow::NoSuchGap),
            },
        };
        Ok(vec![self.next(what, now)])
    }

    fn plan(&self, limit: Option<Millis>, now: Reading) -> Result<Vec<TimerEvent>, NotNow> {
        if limit == self.limit {
            return Ok(Vec::new());
        }
        let elapsed = self.elapsed(now);
        if limit.is_some_and(|limit| nanos_of(limit) <= elapsed) {
            return Err(NotNow::Shorter(whole_millis(elapsed).0));
        }
        Ok(vec![self.next(What::Extended(limit), now)])
    }

    /// Trims what ran between two moments: mostly one event; more where the wall clock was set in between.
    fn trim(&self, from: Timestamp, to: Timestamp, now: Reading) -> Result<Vec<TimerEvent>, NotNow> {
        let open = self.open.map(|open| running(open, now));
        let mut intervals: Vec<(Nanos, Nanos)> = Vec::new();
        let mut axis = 0_i64;
        for stretch in self.stretches.iter().copied().chain(open) {
            let inside = |moment: Timestamp| {
                let offset = Nanos::from_millis(moment.0.saturating_sub(stretch.began.0));
                axis + offset.0.clamp(0, stretch.length.0)
            };
            let (first, last) = (inside(from), inside(to));
            if first < last {
                match intervals.last_mut() {
                    Some((_, end)) if end.0 == first => end.0 = last,
                    _ => intervals.push((Nanos(first), Nanos(last))),
                }
            }
            axis += stretch.length.0;
        }
        if intervals.is_empty() {
            return Err(NotNow::NothingToTrim);
        }
        let mut trims = self.trims.clone();
        let mut events = Vec::new();
        for (from, to) in intervals {
            let before = measure(&trims);
            trims.push(Trim { seq: 0, from, to });
            // What is taken out already is not taken out again: repeating a trim is harmless.
            if measure(&trims) > before {
                let mut event = self.next(What::Trimmed(from, to), now);
                event.seq += u32::try_from(events.len()).unwrap_or(0);
                events.push(event);
            }
        }
        if self.trims.len() + events.len() > MAX_TRIMS {
            return Err(NotNow::TooManyTrims);
        }
        Ok(events)
    }

    fn was_taken_back(&self, seq: u32, is_kind: impl Fn(EventKind) -> bool) -> bool {
        let mut told = self.told.iter();
        told.any(|told| told.event.seq == seq && told.undone && is_kind(told.event.what.kind()))
    }

    fn has_room(&self, more: Nanos, now: Reading) -> Result<(), NotNow> {
        let after = self.counted(now).0.saturating_add(more.0);
        if self.limit.is_some_and(|limit| after > nanos_of(limit).0) {
            return Err(NotNow::BeyondPlan);
        }
        Ok(())
    }
}
