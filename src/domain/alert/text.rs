//! Numbers as sentences have them.

use std::fmt;

use crate::domain::units::{Millis, NanoUsd};

/// A whole number, its thousands apart: `1,234,567`.
pub(crate) struct Grouped(pub(crate) u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// Money in dollars and cents, with more digits where it is less than a cent: `$1,234.50`, `$0.0042`.
pub(crate) struct Dollars(pub(crate) NanoUsd);

impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.0;
        let sign = if nanos < 0 { "-" } else { "" };
        let nanos = nanos.unsigned_abs();
        if (1..10_000_000).contains(&nanos) {
            let rounded = (nanos + 50_000) / 100_000;
            return write!(f, "{sign}$0.{rounded:04}");
        }
        let cents = nanos.saturating_add(5_000_000) / 10_000_000;
        write!(f, "{sign}${}.{:02}", Grouped(cents / 100), cents % 100)
    }
}

/// A stretch of time, as one or two words: `45 s`, `12 min`, `2 h 5 min`, `3 d 4 h`.
pub(crate) struct Span(pub(crate) Millis);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = (self.0.0 + 500) / 1_000;
        if seconds < 90 {
            return write!(f, "{seconds} s");
        }
        let minutes = (seconds + 30) / 60;
        if minutes < 60 {
            return write!(f, "{minutes} min");
        }
        let ((large, small), names) = if minutes < 24 * 60 {
            ((minutes / 60, minutes % 60), ("h", "min"))
        } else {
            let hours = (minutes + 30) / 60;
            ((hours / 24, hours % 24), ("d", "h"))
        };
        write!(f, "{large} {}", names.0)?;
        if small > 0 {
            write!(f, " {small} {}", names.1)?;
        }
        Ok(())
    }
}

/// How likely something foretold is, from whole per cent: `84 %`, and never certain: `<1 %`, `>99 %`.
pub(crate) struct Odds(pub(crate) u8);

impl fmt::Display for Odds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("<1 %"),
            percent @ 1..=99 => write!(f, "{percent} %"),
            100.. => f.write_str(">99 %"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_foretold_is_certain() {
        for (percent, expected) in [
            (0, "<1 %"),
            (1, "1 %"),
            (84, "84 %"),
            (99, "99 %"),
            (100, ">99 %"),
        ] {
            assert_eq!(Odds(percent).to_string(), expected);
        }
    }

    #[test]
    fn numbers_read_well() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345, "12,345"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(Grouped(number).to_string(), expected);
        }
        for (nanos, expected) in [
            (0, "$0.00"),
            (4_200_000, "$0.0042"),
            (10_000_000, "$0.01"),
            (1_234_500_000_000, "$1,234.50"),
            (999_999_999, "$1.00"),
            (-2_500_000_000, "-$2.50"),
            (i64::MAX, "$9,223,372,036.85"),
        ] {
            assert_eq!(Dollars(NanoUsd(nanos)).to_string(), expected);
        }
        let minute = 60_000;
        for (millis, expected) in [
            (0, "0 s"),
            (45_400, "45 s"),
            (12 * minute, "12 min"),
            (60 * minute, "1 h"),
            (125 * minute, "2 h 5 min"),
            (26 * 60 * minute, "1 d 2 h"),
        ] {
            assert_eq!(Span(Millis(millis)).to_string(), expected);
        }
    }
}
