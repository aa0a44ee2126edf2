//! The session's clock: a fold over events, never a counter of ticks.
//!
//! Elapsed time is a sum of differences of clock readings in integer nanoseconds, so nothing accumulates. The clock
//! runs along an axis of its own, which only grows: closed stretches, then the open one. Trims are intervals of that
//! axis that are not counted, so that each can be taken back.
//!
//! What happens to the machine has a policy (see [`Timer::notice`] and [`Timer::recover`]): whatever interrupts the
//! clock leaves it standing at the last moment that is certain, says so, and leaves it to the user to go on, and to have
//! the gap counted. A jump of the wall clock changes nothing.

use super::clock::{Nanos, Reading};
use super::event::{EventKind, TimerEvent, What};
use super::rules::{Action, Rule, rule};
use super::{MAX_DURATION, Status};
use crate::domain::call::named;
use crate::domain::units::{Millis, Timestamp};

/// A machine that slept for less than this did not sleep: the two clocks are read one after the other.
const SLEEP: Nanos = Nanos(2_000_000_000);
/// A wall clock that went further by less than this was not set, but corrected.
const JUMP_MS: i64 = 2_000;
/// Moonlock looks at the clock every second. If it did not for so long, it stood still.
const STALL: Nanos = Nanos(30_000_000_000);
/// So many of the newest events that the user should know of are shown.
const TOLD: usize = 10;
/// A clock has at most so many events, but for those that end it: it is replayed from them.
const MAX_EVENTS: u32 = 100_000;
/// A clock keeps at most so many trims.
const MAX_TRIMS: usize = 1_000;

named! {
    /// What the machine's sleep does to a session whose clock runs.
    OnSleep {
        /// It pauses it, from the moment when the machine fell asleep.
        Pause = "pause",
        /// The clock goes on.
        Count = "count",
    }
}

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

    /// The event that ends the session if its time is used up, dated back to the moment it was.
    #[must_use]
    pub fn expire(&self, now: Reading) -> Option<TimerEvent> {
        let late = now.boot.0 - self.deadline()?.0;
        (late >= 0).then(|| self.next(What::LimitReached, now.earlier(Nanos(late))))
    }

    /// The event that ends the session at an earlier moment, at which it was last active.
    #[must_use]
    pub fn end_at(&self, moment: Reading) -> Option<TimerEvent> {
        let not_before = self.open.unwrap_or(self.last.at);
        let at = match self.open {
            Some(open) if moment.since(&open).is_some() => moment,
            _ => not_before,
        };
        (self.status != Status::Completed).then(|| self.next(What::Completed, at))
    }

    /// What the clocks did between two looks at them, to a clock that runs.
    ///
    /// | what | seen as | then |
    /// |---|---|---|
    /// | the machine slept | `boot` went over 2 s further than `mono` | paused when it fell asleep, or counted, as the session says |
    /// | Moonlock stood still | no look for 30 s, without sleep | paused at the look before |
    /// | the wall clock was set | `wall` went over 2 s further or less than `boot` | noted; the clock goes on |
    #[must_use]
    pub fn notice(&self, before: &Reading, now: &Reading, on_sleep: OnSleep) -> Vec<TimerEvent> {
        let Some(passed) = now.since(before).filter(|_| self.open.is_some()) else {
            return Vec::new();
        };
        let mut events = Vec::new();
        let mut add = |what, at| {
            let mut event = self.next(what, at);
            event.seq += u32::try_from(events.len()).unwrap_or(0);
            events.push(event);
        };
        let interruption = if passed.asleep > SLEEP {
            match on_sleep {
                OnSleep::Pause => Some((What::Suspended(passed.asleep), now.before_sleep(passed.asleep))),
                OnSleep::Count => {
                    add(What::SleptThrough(passed.asleep), *now);
                    None
                }
            }
        } else if passed.total > STALL {
            Some((What::Stalled(passed.total), *before))
        } else {
            None
        };
        if let Some((what, at)) = interruption {
            match self.expire(at) {
                Some(expired) => return vec![expired],
                None => add(what, at),
            }
        }
        if passed.wall_jump_ms.abs() > JUMP_MS {
            add(What::ClockJumped(Nanos::from_millis(passed.wall_jump_ms)), *now);
        }
        events
    }

    /// The event that stops a running clock when Moonlock starts: nobody looked at it meanwhile.
    ///
    /// It stands since the last moment that is known to be inside the open stretch: the heartbeat, or an event. After a
    /// restart of the machine its clocks have begun anew, and only the wall clock tells for how long.
    #[must_use]
    pub fn recover(&self, now: Reading, heartbeat: Option<Reading>) -> Option<TimerEvent> {
        let open = self.open?;
        let alive = [Some(self.last.at), heartbeat]
            .into_iter()
            .flatten()
            .filter(|moment| moment.since(&open).is_some())
            .fold(
                open,
                |latest, moment| {
                    if moment.boot > latest.boot { moment } else { latest }
                },
            );
        if let Some(expired) = self.expire(alive) {
            return Some(expired);
        }
        let what = match now.since(&alive) {
            Some(passed) => What::Recovered(passed.total),
            None => What::Rebooted(Nanos::from_millis(now.wall.0.saturating_sub(alive.wall.0).max(0))),
        };
        Some(self.next(what, alive))
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
    let mut intervals: Vec<_> = trims.iter().map(|trim| (trim.from.0, trim.to.0)).collect();
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
