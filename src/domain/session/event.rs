//! What happens to a session's clock. The events are kept; everything else about it follows from them.

use super::clock::{Nanos, Reading};
use crate::domain::call::named;
use crate::domain::units::Millis;

named! {
    /// The kind of an event.
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
        /// The user planned another duration.
        Extended = "extended",
        /// The user took a mistaken stretch out.
        Trimmed = "trimmed",
        /// The user put it back.
        Untrimmed = "untrimmed",
        /// The user had a gap counted after all.
        GapCounted = "gap_counted",
        /// The machine slept; the clock stands since it fell asleep.
        Suspended = "suspended",
        /// The machine slept; the clock went on, as the user wants it.
        SleptThrough = "slept_through",
        /// Moonlock stood still (a frozen container, a stopped process); the clock stands since then.
        Stalled = "stalled",
        /// Moonlock was not running; the clock stands since the last heartbeat.
        Recovered = "recovered",
        /// The machine was restarted; the clock stands since the last heartbeat.
        Rebooted = "rebooted",
        /// The wall clock was set. It changes nothing about the session's.
        ClockJumped = "clock_jumped",
    }
}

impl EventKind {
    /// Whether the clock stands because of something that nobody asked for.
    #[must_use]
    pub const fn is_interruption(self) -> bool {
        matches!(
            self,
            Self::Suspended | Self::Stalled | Self::Recovered | Self::Rebooted
        )
    }

    /// Whether the user should be told, beside what the session's status says.
    #[must_use]
    pub const fn is_worth_telling(self) -> bool {
        self.is_interruption()
            || matches!(
                self,
                Self::SleptThrough | Self::ClockJumped | Self::Trimmed | Self::GapCounted
            )
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// [`EventKind::Started`].
    Started,
    /// [`EventKind::Paused`].
    Paused,
    /// [`EventKind::Resumed`].
    Resumed,
    /// [`EventKind::Completed`].
    Completed,
    /// [`EventKind::LimitReached`].
    LimitReached,
    /// [`EventKind::Extended`]: the new planned duration; `None` is an open end.
    Extended(Option<Millis>),
    /// [`EventKind::Trimmed`]: from where to where on the clock's own axis, which nothing ever shortens.
    Trimmed(Nanos, Nanos),
    /// [`EventKind::Untrimmed`]: the number of the event that had trimmed.
    Untrimmed(u32),
    /// [`EventKind::GapCounted`]: the number of the event that had left the gap.
    GapCounted(u32),
    /// [`EventKind::Suspended`]: for how long the machine slept.
    Suspended(Nanos),
    /// [`EventKind::SleptThrough`]: the same.
    SleptThrough(Nanos),
    /// [`EventKind::Stalled`]: for how long.
    Stalled(Nanos),
    /// [`EventKind::Recovered`]: for how long Moonlock was away.
    Recovered(Nanos),
    /// [`EventKind::Rebooted`]: the same by the wall clock, the only one that knows.
    Rebooted(Nanos),
    /// [`EventKind::ClockJumped`]: by how much, backwards if negative.
    ClockJumped(Nanos),
}

impl What {
    /// The kind of it.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Started => EventKind::Started,
            Self::Paused => EventKind::Paused,
            Self::Resumed => EventKind::Resumed,
            Self::Completed => EventKind::Completed,
            Self::LimitReached => EventKind::LimitReached,
            Self::Extended(_) => EventKind::Extended,
            Self::Trimmed(..) => EventKind::Trimmed,
            Self::Untrimmed(_) => EventKind::Untrimmed,
            Self::GapCounted(_) => EventKind::GapCounted,
            Self::Suspended(_) => EventKind::Suspended,
            Self::SleptThrough(_) => EventKind::SleptThrough,
            Self::Stalled(_) => EventKind::Stalled,
            Self::Recovered(_) => EventKind::Recovered,
            Self::Rebooted(_) => EventKind::Rebooted,
            Self::ClockJumped(_) => EventKind::ClockJumped,
        }
    }

    /// Its numbers, as they are kept: milliseconds for a planned duration, nanoseconds for the rest.
    #[must_use]
    pub fn numbers(&self) -> [Option<i64>; 2] {
        match *self {
            Self::Started | Self::Paused | Self::Resumed | Self::Completed | Self::LimitReached => {
                [None, None]
            }
            Self::Extended(to) => [to.map(|to| i64::try_from(to.0).unwrap_or(i64::MAX)), None],
            Self::Trimmed(from, to) => [Some(from.0), Some(to.0)],
            Self::Untrimmed(seq) | Self::GapCounted(seq) => [Some(i64::from(seq)), None],
            Self::Suspended(Nanos(nanos))
            | Self::SleptThrough(Nanos(nanos))
            | Self::Stalled(Nanos(nanos))
            | Self::Recovered(Nanos(nanos))
            | Self::Rebooted(Nanos(nanos))
            | Self::ClockJumped(Nanos(nanos)) => [Some(nanos), None],
        }
    }

    /// It, from its kind and its numbers; `None` if they are not those of its kind.
    #[must_use]
    pub fn from_numbers(kind: EventKind, numbers: [Option<i64>; 2]) -> Option<Self> {
        let seq = |number: i64| u32::try_from(number).ok();
        Some(match (kind, numbers) {
            (EventKind::Started, [None, None]) => Self::Started,
            (EventKind::Paused, [None, None]) => Self::Paused,
            (EventKind::Resumed, [None, None]) => Self::Resumed,
            (EventKind::Completed, [None, None]) => Self::Completed,
            (EventKind::LimitReached, [None, None]) => Self::LimitReached,
            (EventKind::Extended, [None, None]) => Self::Extended(None),
            (EventKind::Extended, [Some(to), None]) => Self::Extended(Some(Millis(u64::try_from(to).ok()?))),
            (EventKind::Trimmed, [Some(from), Some(to)]) if 0 <= from && from < to => {
                Self::Trimmed(Nanos(from), Nanos(to))
            }
            (EventKind::Untrimmed, [Some(number), None]) => Self::Untrimmed(seq(number)?),
            (EventKind::GapCounted, [Some(number), None]) => Self::GapCounted(seq(number)?),
            (EventKind::Suspended, [Some(nanos), None]) => Self::Suspended(Nanos(nanos)),
            (EventKind::SleptThrough, [Some(nanos), None]) => Self::SleptThrough(Nanos(nanos)),
            (EventKind::Stalled, [Some(nanos), None]) => Self::Stalled(Nanos(nanos)),
            (EventKind::Recovered, [Some(nanos), None]) => Self::Recovered(Nanos(nanos)),
            // A database of the first version knew of reboots, but not for how long.
            (EventKind::Rebooted, [nanos, None]) => Self::Rebooted(Nanos(nanos.unwrap_or(0))),
            (EventKind::ClockJumped, [Some(nanos), None]) => Self::ClockJumped(Nanos(nanos)),
            _ => return None,
        })
    }
}

/// One event of a session's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerEvent {
    /// Its number within the session, from 1.
    pub seq: u32,
    /// What happened.
    pub what: What,
    /// When it took effect.
    pub at: Reading,
}
