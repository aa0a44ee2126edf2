//! Probabilities, and the normal distribution behind them.

use std::f64::consts::FRAC_1_SQRT_2;

use serde::Serialize;

/// A probability, from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Chance(f64);

impl Chance {
    /// It will not be.
    pub const NEVER: Self = Self(0.0);
    /// It is so.
    pub const CERTAIN: Self = Self(1.0);

    /// The share of a standard normal distribution that lies below `z`. Never all of it: only what has happened is
    /// certain.
    pub(super) fn below(z: f64) -> Self {
        let share = 0.5 * libm::erfc(-z * FRAC_1_SQRT_2);
        if share.is_nan() {
            Self::NEVER
        } else {
            Self(share.clamp(0.0, 1.0 - f64::EPSILON))
        }
    }

    /// From 0 to 1.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }

    /// Whole per cent, as it is shown.
    #[must_use]
    pub fn percent(self) -> u8 {
        (self.0 * 100.0).round() as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_normal_distribution_is_the_known_one() {
        for (z, expected) in [
            (0.0, 0.5),
            (1.281_551_565_5, 0.9),
            (-1.959_963_984_5, 0.025),
            (9.0, 1.0),
            (-40.0, 0.0),
        ] {
            assert!((Chance::below(z).get() - expected).abs() < 1e-9, "{z}");
        }
        assert_eq!(Chance::below(f64::NAN), Chance::NEVER);
        assert_eq!(Chance::below(1.3).percent(), 90);
    }
}
