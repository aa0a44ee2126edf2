//! What time and the machine do to the clock: its end, a sleep, a standstill, a restart.

use super::Timer;
use crate::domain::call::named;
use crate::domain::session::Status;
use crate::domain::session::clock::{Nanos, Reading};
use crate::domain::session::event::{TimerEvent, What};
use crate::domain::units::Timestamp;

/// A machine that slept for less than this did not sleep: the two clocks are read one after the other.
const SLEEP: Nanos = Nanos(2_000_000_000);
/// A wall clock that went further by less than this was not set, but corrected.
const JUMP_MS: i64 = 2_000;
/// Moonlock looks at the clock every second. If it did not for so long, it stood still.
const STALL: Nanos = Nanos(30_000_000_000);

named! {
    /// What the machine's sleep does to a session whose clock runs.
    OnSleep {
        /// It pauses it, from the moment when the machine fell asleep.
        Pause = "pause",
        /// The clock goes on.
        Count = "count",
    }
}

impl Timer {
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
        let alive = self.alive(heartbeat)?;
        if let Some(expired) = self.expire(alive) {
            return Some(expired);
        }
        let what = match now.since(&alive) {
            Some(passed) => What::Recovered(passed.total),
            None => What::Rebooted(Nanos::from_millis(now.wall.0.saturating_sub(alive.wall.0).max(0))),
        };
        Some(self.next(what, alive))
    }

    /// The clocks when something of the session was written down, of which only the wall clock is known. They went on from
    /// the last moment that is known to be inside the open stretch; who writes later than Moonlock stands still by another
    /// clock says nothing of it.
    #[must_use]
    pub fn written_at(&self, heartbeat: Option<Reading>, wall: Timestamp) -> Option<Reading> {
        let alive = self.alive(heartbeat)?;
        let later = Nanos::from_millis(wall.0.saturating_sub(alive.wall.0));
        (later > Nanos(0) && later < STALL).then(|| alive.later(later))
    }

    /// The last moment that is known to be inside the open stretch.
    fn alive(&self, heartbeat: Option<Reading>) -> Option<Reading> {
        let open = self.open?;
        let moments = [Some(self.last.at), heartbeat].into_iter().flatten();
        let inside = moments.filter(|moment| moment.since(&open).is_some());
        // Of two at the same instant the later one: it knows where the wall clock was set to in between.
        Some(inside.fold(open, |latest, moment| {
            if moment.boot >= latest.boot {
                moment
            } else {
                latest
            }
        }))
    }
}
