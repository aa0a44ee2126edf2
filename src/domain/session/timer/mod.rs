//! The session's clock: a fold over events, never a counter of ticks.
//!
//! Elapsed time is a sum of differences of clock readings in integer nanoseconds, so nothing accumulates. The clock
//! runs along an axis of its own, which only grows: closed stretches, then the open one. Trims are intervals of that
//! axis that are not counted, so that each can be taken back.
//!
//! What happens to the machine has a policy (see [`Timer::notice`] and [`Timer::recover`]): whatever interrupts the
//! clock leaves it standing at the last moment that is certain, says so, and leaves it to the user to go on, and to have
//! the gap counted. A jump of the wall clock changes nothing.

mod decide;
mod machine;
mod moments;

use super::Status;
use super::clock::{Nanos, Reading};
use super::event::{EventKind, TimerEvent, What};
use crate::domain::units::{Millis, Timestamp};

pub use decide::{Change, NotNow};
pub use machine::OnSleep;

/// So many of the newest events that the user should know of are shown.
const TOLD: usize = 10;

/// A closed stretch: when it began and for how long the clock ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    began: Timestamp,
    length: Nanos,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Trim {
    seq: u32,
    from: Nanos,
    to: Nanos,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Gap {
    seq: u32,
    missing: Stretch,
}

/// An event that the user should know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// What happened, and when.
    pub event: TimerEvent,
    /// Whether the user took it back: the trim was undone, the gap was counted.
    pub undone: bool,
}

/// The clock of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    limit: Option<Millis>,
    status: Status,
    /// The closed stretches of the axis, and their sum.
    stretches: Vec<Stretch>,
    closed: Nanos,
    /// Start of the stretch that runs.
    open: Option<Reading>,
    /// What is taken out, and how much that is, overlaps counted once.
    trims: Vec<Trim>,
    trimmed: Nanos,
    /// What was not counted and still could be.
    gaps: Vec<Gap>,
    told: Vec<Told>,
    /// Why the clock stands, if it does.
    stands_since: Option<EventKind>,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    last: TimerEvent,
}

impl Timer {
    /// Starts a clock, and gives the event that says so.
    #[must_use]
    pub fn start(duration: Option<Millis>, now: Reading) -> (Self, TimerEvent) {
        let event = TimerEvent {
            seq: 1,
            what: What::Started,
            at: now,
        };
        let timer = Self {
            limit: duration,
            status: Status::Active,
            stretches: Vec::new(),
            closed: Nanos(0),
            open: Some(now),
            trims: Vec::new(),
            trimmed: Nanos(0),
            gaps: Vec::new(),
            told: Vec::new(),
            stands_since: None,
            started_at: now.wall,
            ended_at: None,
            last: event,
        };
        (timer, event)
    }

    /// Rebuilds a clock from its events, in order; `None` if there are none. `duration` is what is planned at the end.
    #[must_use]
    pub fn replay(duration: Option<Millis>, events: &[TimerEvent]) -> Option<Self> {
        let (first, rest) = events.split_first()?;
        let (mut timer, _) = Self::start(duration, first.at);
        timer.last = *first;
        for event in rest {
            timer.apply(*event);
        }
        Some(timer)
    }

    /// Takes an event into account.
    pub fn apply(&mut self, event: TimerEvent) {
        self.last = event;
        if event.what.kind().is_worth_telling() {
            if self.told.len() == TOLD {
                self.told.remove(0);
            }
            self.told.push(Told { event, undone: false });
        }
        match event.what {
            What::Started | What::Resumed => {
                self.open = Some(event.at);
                self.status = Status::Active;
                self.stands_since = None;
            }
            What::Paused => self.stand(event),
            What::Suspended(gap) | What::Stalled(gap) | What::Recovered(gap) => {
                self.stand(event);
                self.gaps.push(Gap {
                    seq: event.seq,
                    missing: Stretch {
                        began: event.at.wall,
                        length: gap,
                    },
                });
            }
            What::Rebooted(_) => self.stand(event),
            What::Completed | What::LimitReached => {
                self.close(event.at);
                self.status = Status::Completed;
                self.ended_at = Some(event.at.wall);
            }
            What::Extended(limit) => self.limit = limit,
            What::Trimmed(from, to) => {
                self.trims.push(Trim {
                    seq: event.seq,
                    from,
                    to,
                });
                self.trimmed = measure(&self.trims);
            }
            What::Untrimmed(seq) => {
                self.trims.retain(|trim| trim.seq != seq);
                self.trimmed = measure(&self.trims);
                self.take_back(seq);
            }
            What::GapCounted(seq) => {
                if let Some(index) = self.gaps.iter().position(|gap| gap.seq == seq) {
                    let Gap { missing, .. } = self.gaps.remove(index);
                    // A running clock goes on behind the gap, so that the axis only grows.
                    if self.open.is_some() {
                        self.close(event.at);
                        self.open = Some(event.at);
                    }
                    self.push(missing);
                }
                self.take_back(seq);
            }
            What::SleptThrough(_) | What::ClockJumped(_) => {}
        }
    }

    fn stand(&mut self, event: TimerEvent) {
        self.close(event.at);
        self.status = Status::Paused;
        self.stands_since = Some(event.what.kind());
    }

    fn close(&mut self, at: Reading) {
        if let Some(open) = self.open.take() {
            self.push(running(open, at));
        }
    }

    fn push(&mut self, stretch: Stretch) {
        self.closed.0 = self.closed.0.saturating_add(stretch.length.0);
        self.stretches.push(stretch);
    }

    fn take_back(&mut self, seq: u32) {
        for told in &mut self.told {
            told.undone |= told.event.seq == seq;
        }
    }

    const fn next(&self, what: What, at: Reading) -> TimerEvent {
        TimerEvent {
            seq: self.last.seq + 1,
            what,
            at,
        }
    }

    /// All that has run and is not taken out.
    fn counted(&self, now: Reading) -> Nanos {
        let running = self.open.map_or(Nanos(0), |open| running(open, now).length);
        Nanos(
            self.closed
                .0
                .saturating_add(running.0)
                .saturating_sub(self.trimmed.0),
        )
    }

    /// The time the session has run for, never more than planned.
    #[must_use]
    pub fn elapsed(&self, now: Reading) -> Nanos {
        let counted = self.counted(now);
        self.limit.map_or(counted, |limit| counted.min(nanos_of(limit)))
    }

    /// When the planned time is used up, on the clock that counts through sleep; `None` if it does not run
    /// or has no end.
    #[must_use]
    pub fn deadline(&self) -> Option<Nanos> {
        let (open, limit) = (self.open?, self.limit?);
        Some(Nanos(
            open.boot.0 + (nanos_of(limit).0 + self.trimmed.0 - self.closed.0),
        ))
    }

    /// How long the session may run in all; `None` is open-ended.
    #[must_use]
    pub const fn duration(&self) -> Option<Millis> {
        self.limit
    }

    /// How much is taken out.
    #[must_use]
    pub const fn trimmed(&self) -> Nanos {
        self.trimmed
    }

    /// The newest events that the user should know of, in order.
    #[must_use]
    pub fn told(&self) -> &[Told] {
        &self.told
    }

    /// Whether the gap that the event of that number left can be counted.
    #[must_use]
    pub fn can_count(&self, seq: u32) -> bool {
        self.gaps.iter().any(|gap| gap.seq == seq)
    }

    /// Whether the clock stands because of something that nobody asked for.
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.status == Status::Paused && self.stands_since.is_some_and(EventKind::is_interruption)
    }

    /// Where the session stands.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }

    /// When the session began.
    #[must_use]
    pub const fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// When the session ended, if it has.
    #[must_use]
    pub const fn ended_at(&self) -> Option<Timestamp> {
        self.ended_at
    }

    /// The last event.
    #[must_use]
    pub const fn last(&self) -> &TimerEvent {
        &self.last
    }
}

/// The stretch from one reading to another.
fn running(from: Reading, to: Reading) -> Stretch {
    Stretch {
        began: from.wall,
        length: Nanos(to.boot.0.saturating_sub(from.boot.0).max(0)),
    }
}

/// How much of the axis lies inside any of these.
fn measure(trims: &[Trim]) -> Nanos {
    measure_until(trims, Nanos(i64::MAX))
}

/// How much of the axis before a point of it lies inside any of these.
fn measure_until(trims: &[Trim], until: Nanos) -> Nanos {
    let cut = |point: Nanos| point.0.min(until.0);
    let mut intervals: Vec<_> = trims.iter().map(|trim| (cut(trim.from), cut(trim.to))).collect();
    intervals.sort_unstable();
    let (mut sum, mut reached) = (0, 0);
    for (from, to) in intervals {
        let from = from.max(reached);
        if from < to {
            sum += to - from;
            reached = to;
        }
    }
    Nanos(sum)
}

/// Whole milliseconds, as they are shown.
#[must_use]
pub fn whole_millis(nanos: Nanos) -> Millis {
    Millis(u64::try_from(nanos.millis()).unwrap_or(0))
}

fn nanos_of(duration: Millis) -> Nanos {
    Nanos::from_millis(i64::try_from(duration.0).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
