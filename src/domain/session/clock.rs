//! A reading of the machine's clocks, taken outside and passed in, and what two of them tell.

use crate::domain::units::Timestamp;

/// Nanoseconds on a clock that only goes forward, or between two of its readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nanos(pub i64);

impl Nanos {
    /// So many milliseconds, as many as fit.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Whole milliseconds, rounded down.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
}

/// The clocks of one instant.
///
/// `boot` counts through the machine's sleep, `mono` does not (Linux: `CLOCK_BOOTTIME`,
/// `CLOCK_MONOTONIC`); `wall` can jump. Readings of two boots must not be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Time since boot, sleep included.
    pub boot: Nanos,
    /// Time since boot, sleep left out.
    pub mono: Nanos,
    /// The wall clock.
    pub wall: Timestamp,
    /// Which boot of the machine this is.
    pub boot_id: BootId,
}

/// A boot of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootId(pub u128);

/// What passed between two readings of one boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// All of it.
    pub total: Nanos,
    /// The part that the machine slept.
    pub asleep: Nanos,
    /// By how many milliseconds the wall clock went further than that; negative if it was set back.
    pub wall_jump_ms: i64,
}

impl Reading {
    /// What passed since an earlier reading; `None` if that was of another boot, or of a clock that stood further.
    #[must_use]
    pub fn since(&self, before: &Self) -> Option<Passed> {
        let total = self.boot.0.checked_sub(before.boot.0)?;
        if self.boot_id != before.boot_id || total < 0 {
            return None;
        }
        let awake = self.mono.0.saturating_sub(before.mono.0);
        let wall = self.wall.0.saturating_sub(before.wall.0);
        Some(Passed {
            total: Nanos(total),
            asleep: Nanos(total.saturating_sub(awake).max(0)),
            wall_jump_ms: wall.saturating_sub(Nanos(total).millis()),
        })
    }

    /// The instant that lies so long before this one, the machine being awake in between.
    #[must_use]
    pub const fn earlier(&self, by: Nanos) -> Self {
        Self {
            boot: Nanos(self.boot.0.saturating_sub(by.0)),
            mono: Nanos(self.mono.0.saturating_sub(by.0)),
            wall: Timestamp(self.wall.0.saturating_sub(by.millis())),
            boot_id: self.boot_id,
        }
    }

    /// The instant that lies so long after this one, the machine being awake in between.
    #[must_use]
    pub const fn later(&self, by: Nanos) -> Self {
        self.earlier(Nanos(by.0.saturating_neg()))
    }

    /// The instant before this one at which the machine fell asleep, if it slept for so long just now.
    #[must_use]
    pub const fn before_sleep(&self, asleep: Nanos) -> Self {
        Self {
            mono: self.mono,
            ..self.earlier(asleep)
        }
    }
}
