//! What can be forecast: whole numbers that only grow.

use crate::domain::units::{NanoUsd, Tokens};

/// A quantity that a session uses up, in whole units.
pub trait Amount: Copy {
    /// The units; nothing where it is negative.
    fn units(self) -> u64;
    /// That many units, or the most there can be.
    fn from_units(units: u64) -> Self;
}

impl Amount for Tokens {
    fn units(self) -> u64 {
        self.0
    }

    fn from_units(units: u64) -> Self {
        Self(units)
    }
}

impl Amount for NanoUsd {
    fn units(self) -> u64 {
        u64::try_from(self.0).unwrap_or(0)
    }

    fn from_units(units: u64) -> Self {
        Self(i64::try_from(units).unwrap_or(i64::MAX))
    }
}
