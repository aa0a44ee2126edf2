//! The session's clock: a fold over events, never a counter of ticks.
//!
//! Elapsed time is a sum of differences of clock readings in integer nanoseconds, so nothing accumulates.
//! Sleep counts as work (the readings are of the clock that counts through it); a jump of the wall clock
//! changes nothing; a new boot closes the open segment at the last heartbeat and pauses the session.

use super::Status;
use super::clock::{Nanos, Reading};
use crate::domain::call::named;
use crate::domain::units::{Millis, Timestamp};

named! {
    /// What happened to a session's clock.
    EventKind {
        /// It began to run.
        Started = "started",
        /// The user stopped it for a while.
        Paused = "paused",
        /// The user let it go on.
        Resumed = "resumed",
        /// The user ended the session.
        Completed = "completed",
        /// The planned duration was used up.
        LimitReached = "limit_reached",
        /// The machine was restarted while it ran; it stands since the last heartbeat.
        Rebooted = "rebooted",
    }
}

/// One event of a session's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerEvent {
    /// Its number within the session, from 1.
    pub seq: u32,
    /// What happened.
    pub kind: EventKind,
    /// When it took effect.
    pub at: Reading,
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
}

/// A completed session cannot be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the session is completed and cannot be paused or resumed")]
pub struct AlreadyCompleted;

/// The clock of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    limit: Option<Nanos>,
    status: Status,
    /// Sum of the closed segments.
    closed: Nanos,
    /// Start of the segment that runs.
    open: Option<Reading>,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    seq: u32,
}

impl Timer {
    /// Starts a clock, and gives the event that says so.
    #[must_use]
    pub fn start(duration: Option<Millis>, now: Reading) -> (Self, TimerEvent) {
        let event = TimerEvent {
            seq: 1,
            kind: EventKind::Started,
            at: now,
        };
        let mut timer = Self {
            limit: duration.map(limit_of),
            status: Status::Active,
            closed: Nanos(0),
            open: None,
            started_at: now.wall,
            ended_at: None,
            seq: 0,
        };
        timer.apply(event);
        (timer, event)
    }

    /// Rebuilds a clock from its events, in order; `None` if there are none.
    #[must_use]
    pub fn replay(duration: Option<Millis>, events: &[TimerEvent]) -> Option<Self> {
        let (first, rest) = events.split_first()?;
        let (mut timer, _) = Self::start(duration, first.at);
        timer.seq = first.seq;
        for event in rest {
            timer.apply(*event);
        }
        Some(timer)
    }

    /// Takes an event into account.
    pub fn apply(&mut self, event: TimerEvent) {
        self.seq = event.seq;
        match event.kind {
            EventKind::Started | EventKind::Resumed => {
                self.open = Some(event.at);
                self.status = Status::Active;
            }
            EventKind::Paused | EventKind::Rebooted => {
                self.close(event.at);
                self.status = Status::Paused;
            }
            EventKind::Completed | EventKind::LimitReached => {
                self.close(event.at);
                self.status = Status::Completed;
                self.ended_at = Some(event.at.wall);
            }
        }
    }

    fn close(&mut self, at: Reading) {
        self.closed = self.elapsed(at);
        self.open = None;
    }

    /// Decides what a change does now: an event, or nothing where it is already so.
    ///
    /// # Errors
    /// A completed session can be neither paused nor resumed.
    pub fn decide(&self, change: Change, now: Reading) -> Result<Option<TimerEvent>, AlreadyCompleted> {
        let kind = match (self.status, change) {
            (Status::Active, Change::Pause) => EventKind::Paused,
            (Status::Paused, Change::Resume) => EventKind::Resumed,
            (Status::Active | Status::Paused, Change::Complete) => EventKind::Completed,
            (Status::Active, Change::Resume)
            | (Status::Paused, Change::Pause)
            | (Status::Completed, Change::Complete) => return Ok(None),
            (Status::Completed, Change::Pause | Change::Resume) => return Err(AlreadyCompleted),
        };
        Ok(Some(self.next(kind, now)))
    }

    /// The event that ends the session if its time is used up, dated back to the moment it was.
    #[must_use]
    pub fn expire(&self, now: Reading) -> Option<TimerEvent> {
        let deadline = self.deadline()?;
        let late = now.boot.0 - deadline.0;
        (late >= 0).then(|| {
            let late_ms = late / 1_000_000;
            let at = Reading {
                boot: deadline,
                mono: Nanos(now.mono.0 - late),
                wall: Timestamp(now.wall.0 - late_ms),
                boot_id: now.boot_id,
            };
            self.next(EventKind::LimitReached, at)
        })
    }

    /// The event that pauses a running session which this boot did not start.
    ///
    /// `heartbeat` is the last reading known to be inside the open segment.
    #[must_use]
    pub fn recover(&self, now: Reading, heartbeat: Option<Reading>) -> Option<TimerEvent> {
        let open = self.open?;
        if open.boot_id == now.boot_id {
            return None;
        }
        let at = heartbeat
            .filter(|beat| beat.boot_id == open.boot_id && beat.boot >= open.boot)
            .unwrap_or(open);
        Some(self.next(EventKind::Rebooted, at))
    }

    fn next(&self, kind: EventKind, at: Reading) -> TimerEvent {
        TimerEvent {
            seq: self.seq + 1,
            kind,
            at,
        }
    }

    /// The time the session has run for, never more than planned.
    #[must_use]
    pub fn elapsed(&self, now: Reading) -> Nanos {
        let running = self.open.map_or(0, |open| (now.boot.0 - open.boot.0).max(0));
        let elapsed = self.closed.0 + running;
        Nanos(self.limit.map_or(elapsed, |limit| elapsed.min(limit.0)))
    }

    /// When the planned time is used up, on the clock that counts through sleep; `None` if it does not run
    /// or has no end.
    #[must_use]
    pub fn deadline(&self) -> Option<Nanos> {
        let (open, limit) = (self.open?, self.limit?);
        Some(Nanos(open.boot.0 + (limit.0 - self.closed.0)))
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
}

/// Whole milliseconds, as they are shown.
#[must_use]
pub fn whole_millis(nanos: Nanos) -> Millis {
    Millis(u64::try_from(nanos.0 / 1_000_000).unwrap_or(0))
}

fn limit_of(duration: Millis) -> Nanos {
    Nanos(
        i64::try_from(duration.0)
            .unwrap_or(i64::MAX)
            .saturating_mul(1_000_000),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::session::clock::BootId;
    use proptest::prelude::*;

    fn at_ms(ms: i64) -> Reading {
        Reading {
            boot: Nanos(ms * 1_000_000),
            mono: Nanos(ms * 1_000_000),
            wall: Timestamp(1_700_000_000_000 + ms),
            boot_id: BootId(1),
        }
    }

    fn change(timer: &mut Timer, change: Change, now: Reading) {
        if let Some(event) = timer.decide(change, now).unwrap() {
            timer.apply(event);
        }
    }

    #[test]
    fn paused_time_does_not_count() {
        let (mut timer, _) = Timer::start(None, at_ms(0));
        change(&mut timer, Change::Pause, at_ms(1_000));
        assert_eq!(whole_millis(timer.elapsed(at_ms(9_000))), Millis(1_000));
        change(&mut timer, Change::Resume, at_ms(9_000));
        assert_eq!(whole_millis(timer.elapsed(at_ms(9_500))), Millis(1_500));
        change(&mut timer, Change::Complete, at_ms(10_000));
        assert_eq!(whole_millis(timer.elapsed(at_ms(99_000))), Millis(2_000));
        assert_eq!(timer.ended_at(), Some(at_ms(10_000).wall));
    }

    #[test]
    fn repeating_a_change_is_harmless_and_a_completed_session_stays_so() {
        let (mut timer, _) = Timer::start(None, at_ms(0));
        assert_eq!(timer.decide(Change::Resume, at_ms(1)), Ok(None));
        change(&mut timer, Change::Pause, at_ms(1));
        assert_eq!(timer.decide(Change::Pause, at_ms(2)), Ok(None));
        change(&mut timer, Change::Complete, at_ms(3));
        assert_eq!(timer.decide(Change::Complete, at_ms(4)), Ok(None));
        assert_eq!(timer.decide(Change::Resume, at_ms(4)), Err(AlreadyCompleted));
    }

    #[test]
    fn the_limit_ends_the_session_at_the_moment_it_was_reached() {
        let (mut timer, _) = Timer::start(Some(Millis(1_000)), at_ms(500));
        assert_eq!(timer.expire(at_ms(1_499)), None);
        let event = timer.expire(at_ms(7_000)).unwrap();
        assert_eq!(event.kind, EventKind::LimitReached);
        assert_eq!(event.at, at_ms(1_500));
        timer.apply(event);
        assert_eq!(timer.status(), Status::Completed);
        assert_eq!(whole_millis(timer.elapsed(at_ms(9_000))), Millis(1_000));
    }

    #[test]
    fn a_jump_of_the_wall_clock_changes_nothing() {
        let (timer, _) = Timer::start(None, at_ms(0));
        let mut jumped = at_ms(2_000);
        jumped.wall = Timestamp(0);
        assert_eq!(whole_millis(timer.elapsed(jumped)), Millis(2_000));
    }

    #[test]
    fn a_reboot_pauses_at_the_last_heartbeat() {
        let (mut timer, _) = Timer::start(None, at_ms(1_000));
        let after = Reading {
            boot_id: BootId(2),
            ..at_ms(50)
        };
        assert_eq!(timer.recover(at_ms(2_000), None), None, "the same boot goes on");
        let event = timer.recover(after, Some(at_ms(4_000))).unwrap();
        timer.apply(event);
        assert_eq!(timer.status(), Status::Paused);
        assert_eq!(whole_millis(timer.elapsed(after)), Millis(3_000));
    }

    proptest! {
        /// Any order of changes at any moments: the clock equals a naive sum, and replaying its events
        /// gives the same clock.
        #[test]
        fn elapsed_equals_a_naive_integrator(steps in prop::collection::vec((0_u8..3, 0_i64..10_000_000_000_000), 0..60)) {
            let mut now = 0_i64;
            let reading = |boot: i64| Reading { boot: Nanos(boot), ..at_ms(0) };
            let (mut timer, first) = Timer::start(None, reading(0));
            let mut events = vec![first];
            let (mut naive, mut running, mut done) = (0_i64, true, false);
            for (what, passed) in steps {
                now += passed;
                if running { naive += passed; }
                let change = [Change::Pause, Change::Resume, Change::Complete][usize::from(what)];
                match timer.decide(change, reading(now)) {
                    Ok(Some(event)) => {
                        timer.apply(event);
                        events.push(event);
                        running = change == Change::Resume;
                        done = change == Change::Complete;
                    }
                    Ok(None) => {}
                    Err(AlreadyCompleted) => prop_assert!(done),
                }
                prop_assert_eq!(timer.elapsed(reading(now)), Nanos(naive));
            }
            prop_assert_eq!(Timer::replay(None, &events), Some(timer));
        }
    }
}
