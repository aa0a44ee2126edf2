//! What is usual at each moment of a session's own time, among the user's finished ones.

use super::super::call::named;
use super::super::forecast::{FEWEST_SESSIONS, Finished};
use super::super::units::Millis;
use super::super::wire::Totals;
use super::curve::{Curve, Point};

named! {
    /// Where a number lies beside what is usual.
    Place {
        /// Below the middle half.
        Below = "below",
        /// In the middle half.
        Usual = "usual",
        /// Above the middle half.
        Above = "above",
    }
}

/// The middle half of what was found: a quarter of it is below, a quarter above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quartiles {
    /// A quarter is below.
    pub low: i64,
    /// Half of it is below.
    pub median: i64,
    /// Three quarters are below.
    pub high: i64,
}

impl Quartiles {
    /// Those of some numbers; `None` if there are too few to tell.
    #[must_use]
    pub fn of(numbers: impl IntoIterator<Item = i64>) -> Option<Self> {
        let mut numbers: Vec<i64> = numbers.into_iter().collect();
        if numbers.len() < FEWEST_SESSIONS {
            return None;
        }
        numbers.sort_unstable();
        // Between two numbers, in proportion.
        let at = |quarters: usize| {
            let place = (numbers.len() - 1) * quarters;
            let below = i128::from(numbers[place / 4]);
            let above = i128::from(numbers[(place / 4 + 1).min(numbers.len() - 1)]);
            let between = below + (above - below) * (place % 4) as i128 / 4;
            i64::try_from(between).unwrap_or(i64::MAX)
        };
        Some(Self {
            low: at(1),
            median: at(2),
            high: at(3),
        })
    }

    /// Where a number lies beside these.
    #[must_use]
    pub const fn place(self, number: i64) -> Place {
        if number < self.low {
            Place::Below
        } else if number > self.high {
            Place::Above
        } else {
            Place::Usual
        }
    }
}

/// What is usual at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// The moment.
    pub at: Millis,
    /// How many sessions lasted that long. Those that ended before are not in the numbers.
    pub sessions: usize,
    /// Calls that had ended.
    pub calls: Quartiles,
    /// All tokens.
    pub total: Quartiles,
    /// Those that no cache served.
    pub fresh: Quartiles,
    /// Billionths of a US dollar; `None` if too few of the sessions have a price.
    pub cost: Option<Quartiles>,
}

impl Band {
    /// Of what each session had used at a moment; `None` if there are too few.
    fn of(at: Millis, found: &[Point]) -> Option<Self> {
        let of = |units: fn(&Point) -> u64| Quartiles::of(found.iter().map(|point| signed(units(point))));
        Some(Self {
            at,
            sessions: found.len(),
            calls: of(|point| point.calls)?,
            total: of(|point| point.total.0)?,
            fresh: of(|point| point.fresh.0)?,
            cost: Quartiles::of(found.iter().filter_map(|point| Some(point.cost?.0))),
        })
    }
}

/// Whether a finished session tells what is usual: it is neither very short nor nearly without calls.
#[must_use]
pub fn is_telling(active: Millis, sums: &Totals) -> bool {
    Finished::of(active, sums).is_telling()
}

/// What is usual at each point of the axis that all these stand on, for as long as enough of them lasted.
#[must_use]
pub fn bands<'a>(past: impl IntoIterator<Item = &'a Curve>) -> Vec<Band> {
    let on_axis = |curve: &Curve| {
        let step = curve.axis().step().0;
        curve.points().filter(|point| point.at.0 % step == 0).collect()
    };
    let curves: Vec<Vec<Point>> = past.into_iter().map(on_axis).collect();
    let at = |index| {
        let found: Vec<Point> = curves
            .iter()
            .filter_map(|points| points.get(index).copied())
            .collect();
        Band::of(found.first()?.at, &found)
    };
    (0..).map_while(at).collect()
}

/// What is usual at one moment; `None` if too few lasted that long.
#[must_use]
pub fn band_at<'a>(past: impl IntoIterator<Item = &'a Curve>, at: Millis) -> Option<Band> {
    let found: Vec<Point> = past.into_iter().filter_map(|curve| curve.until(at)).collect();
    Band::of(at, &found)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::session::curve::Axis;
    use crate::domain::session::track::Track;
    use crate::domain::units::{NanoUsd, Tokens};
    use crate::domain::usage::parts::Parts;

    #[test]
    fn quartiles_lie_between_the_numbers_and_need_three() {
        let of = |numbers: &[i64]| {
            let found = Quartiles::of(numbers.iter().copied())?;
            Some((found.low, found.median, found.high))
        };
        for (numbers, expected) in [
            (&[][..], None),
            (&[1, 2], None),
            (&[3, 1, 2], Some((1, 2, 2))),
            (&[4, 0, 8], Some((2, 4, 6))),
            (&[0, 10, 20, 30], Some((7, 15, 22))),
            (&[0, 10, 20, 30, 40], Some((10, 20, 30))),
            (&[7, 7, 7, 7, 7, i64::MAX], Some((7, 7, 7))),
            (&[i64::MIN, 0, i64::MAX], Some((i64::MIN / 2, 0, i64::MAX / 2))),
        ] {
            assert_eq!(of(numbers), expected, "{numbers:?}");
        }
    }

    /// One call a second of so many tokens, for some milliseconds.
    fn steady(lasted: u64, tokens: u64, cost: Option<NanoUsd>) -> Curve {
        let mut track = Track::default();
        let parts = Parts {
            input: Some(Tokens(tokens)),
            ..Parts::default()
        };
        for second in 1..=lasted / 1_000 {
            track.add(Millis(second * 1_000), &parts, cost);
        }
        track.curve(Millis(lasted), Axis::new(Millis(600_000)))
    }

    #[test]
    fn a_session_counts_for_as_long_as_it_lasted() {
        let past = [
            steady(10_000, 1, None),
            steady(20_999, 2, None),
            steady(20_999, 3, None),
            steady(40_000, 4, None),
        ];
        let bands = bands(&past);
        assert_eq!(bands.len(), 11, "two sessions lasted longer than 20 s");
        assert_eq!((bands[5].sessions, bands[5].total.median), (4, 25));
        assert_eq!((bands[6].sessions, bands[6].total.median), (3, 36));
        assert_eq!((bands[10].at, bands[10].calls.low), (Millis(20_000), 20));
        assert_eq!(bands[10].cost, None);
    }

    #[test]
    fn a_cost_needs_enough_sessions_with_a_price() {
        let cost = Some(NanoUsd(5));
        let mut past = vec![
            steady(4_000, 1, cost),
            steady(4_000, 1, None),
            steady(4_000, 1, cost),
        ];
        assert_eq!(bands(&past)[2].cost, None);
        past.push(steady(4_000, 1, cost));
        assert_eq!(bands(&past)[2].cost.map(|cost| cost.median), Some(20));
        assert!(bands(&past[..2]).is_empty());
    }
}
