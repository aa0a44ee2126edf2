//! A reading of the machine's clocks, taken outside and passed in.

use crate::domain::units::Timestamp;

/// Nanoseconds on a clock that only goes forward.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nanos(pub i64);

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
