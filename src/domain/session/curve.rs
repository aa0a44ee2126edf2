//! How a session's use grew over its own time, in which there are no pauses.

use super::super::units::{Millis, NanoUsd, Tokens};
use super::super::usage::parts::Parts;
use super::super::wire::Totals;
use super::Session;
use super::clock::Reading;
use super::efficiency::Effort;
use super::timer::{Timer, whole_millis};

/// An axis has at most so many steps.
const MOST_STEPS: u64 = 300;
/// Steps are this long, or a power of two times this: so the points of a session stay where they are as it grows.
pub(super) const SHORTEST_STEP: Millis = Millis(1_000);

/// Points of a session's own time, from 0 on, for several curves to stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    length: Millis,
    step: Millis,
}

impl Axis {
    /// One of that length.
    #[must_use]
    pub fn new(length: Millis) -> Self {
        let mut step = SHORTEST_STEP;
        while length.0 > step.0.saturating_mul(MOST_STEPS) {
            step = Millis(step.0.saturating_mul(2));
        }
        Self { length, step }
    }

    /// How far two points lie apart.
    #[must_use]
    pub const fn step(self) -> Millis {
        self.step
    }

    /// The first point at or after a moment.
    fn index(self, at: Millis) -> usize {
        usize::try_from(at.0.div_ceil(self.step.0)).unwrap_or(usize::MAX)
    }
}

/// What was used until a moment of a session's own time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// The moment.
    pub at: Millis,
    /// Calls that had ended.
    pub calls: u64,
    /// All their tokens.
    pub total: Tokens,
    /// Those that no cache served.
    pub fresh: Tokens,
    /// What they cost; `None` if none of the session's calls has a price.
    pub cost: Option<NanoUsd>,
}

/// The use of a session, summed by steps of its own time. Its size is bounded, whatever the number of calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Curve {
    end: Millis,
    axis: Axis,
    /// What was added in each step; a step holds its end and not its beginning, so that the first is the moment 0.
    steps: Vec<Sum>,
    has_cost: bool,
}

/// A session with its sums, and how they grew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// The session.
    pub session: Session,
    /// The sums of its calls.
    pub usage: Totals,
    /// How they grew.
    pub curve: Curve,
    /// What its efficiency follows from.
    pub effort: Effort,
}

/// How far an axis reaches for a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To its end, or as far as it has come.
    SoFar,
    /// To its planned end; where that is open, as far again as it has come.
    Planned,
}

/// Where the end is open, the plan reaches at least so far.
const OPEN_PLAN: Millis = Millis(600_000);

impl Reach {
    /// For a session with that clock.
    #[must_use]
    pub fn of(self, timer: &Timer, now: Reading) -> Millis {
        let elapsed = whole_millis(timer.elapsed(now));
        let open_plan = Millis(elapsed.0.saturating_mul(2)).max(OPEN_PLAN);
        match self {
            Self::SoFar => elapsed,
            Self::Planned => timer.duration().unwrap_or(open_plan).max(elapsed),
        }
    }
}

/// What was used in a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) calls: u64,
    pub(super) total: Tokens,
    pub(super) fresh: Tokens,
    pub(super) cost: NanoUsd,
}

impl Sum {
    /// That of a call.
    pub(super) fn of(parts: &Parts, cost: Option<NanoUsd>) -> Self {
        let total = parts.total().unwrap_or_default();
        Self {
            calls: 1,
            total,
            fresh: total.saturating_sub(parts.cache_read.unwrap_or_default()),
            cost: cost.unwrap_or_default(),
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.total += other.total;
        self.fresh += other.fresh;
        self.cost += other.cost;
    }
}

impl Curve {
    /// An empty one of a session that has run for so long. What comes after the axis is left out.
    pub(super) fn new(end: Millis, axis: Axis, has_cost: bool) -> Self {
        Self {
            end,
            axis,
            steps: vec![Sum::default(); axis.index(end.min(axis.length)) + 1],
            has_cost,
        }
    }

    /// Takes what was used until a moment of the session's own time. The order does not matter.
    pub(super) fn add(&mut self, at: Millis, sum: &Sum) {
        if let Some(step) = self.steps.get_mut(self.axis.index(at.min(self.end))) {
            step.add(sum);
        }
    }

    /// For how long the session had run.
    #[must_use]
    pub const fn end(&self) -> Millis {
        self.end
    }

    /// The axis that it stands on.
    #[must_use]
    pub const fn axis(&self) -> Axis {
        self.axis
    }

    /// What was used until each point of the axis, and until the end where the axis reaches it.
    pub fn points(&self) -> impl Iterator<Item = Point> + '_ {
        (0_u64..)
            .zip(&self.steps)
            .scan(Sum::default(), |sum, (index, step)| {
                sum.add(step);
                Some(Point {
                    at: Millis(index.saturating_mul(self.axis.step.0)).min(self.end),
                    calls: sum.calls,
                    total: sum.total,
                    fresh: sum.fresh,
                    cost: self.has_cost.then_some(sum.cost),
                })
            })
    }

    /// What was used until the first point at or after a moment; `None` if the session ended before that moment, or it is
    /// not on the axis.
    #[must_use]
    pub fn until(&self, at: Millis) -> Option<Point> {
        (at <= self.end).then(|| self.points().nth(self.axis.index(at)))?
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::track::Track;
    use super::*;

    fn parts(input: u64, cache_read: u64, output: u64) -> Parts {
        Parts {
            input: Some(Tokens(input)),
            cache_read: Some(Tokens(cache_read)),
            output: Some(Tokens(output)),
            ..Parts::default()
        }
    }

    /// The curve of calls, by when they ended.
    fn drawn(end: u64, length: u64, calls: &[(u64, Parts, Option<NanoUsd>)]) -> Curve {
        let mut track = Track::default();
        for (at, parts, cost) in calls {
            track.add(Millis(*at), parts, *cost);
        }
        track.curve(Millis(end), Axis::new(Millis(length)))
    }

    #[test]
    fn a_call_stands_at_the_end_of_its_step() {
        let calls = [
            (0, parts(1, 0, 0), None),
            (1_000, parts(10, 5, 0), Some(NanoUsd(7))),
            (1_001, parts(100, 0, 0), None),
            (9_999, parts(1_000, 0, 0), None),
        ];
        let curve = drawn(2_500, 2_500, &calls);
        let points: Vec<_> = curve
            .points()
            .map(|point| (point.at.0, point.calls, point.total.0, point.fresh.0, point.cost))
            .collect();
        let cost = |nanos| Some(NanoUsd(nanos));
        assert_eq!(
            points,
            [
                (0, 1, 1, 1, cost(0)),
                (1_000, 2, 16, 11, cost(7)),
                (2_000, 3, 116, 111, cost(7)),
                (2_500, 4, 1_116, 1_111, cost(7)),
            ]
        );
        assert_eq!(curve.until(Millis(1_500)).map(|point| point.total.0), Some(116));
        assert_eq!(curve.until(Millis(2_500)).map(|point| point.total.0), Some(1_116));
        assert_eq!(curve.until(Millis(2_501)), None);
    }

    #[test]
    fn a_session_without_a_price_has_no_cost_and_one_without_time_has_a_point() {
        let empty = drawn(0, 0, &[]);
        assert_eq!(empty.points().collect::<Vec<_>>(), [Point::default()]);
        let curve = drawn(0, 0, &[(0, Parts::default(), None)]);
        let points: Vec<_> = curve.points().collect();
        assert_eq!((points.len(), points[0].calls, points[0].cost), (1, 1, None));
    }

    #[test]
    fn what_comes_after_the_axis_is_left_out() {
        let calls: Vec<_> = (0..60)
            .map(|second| (second * 1_000, parts(1, 0, 0), None))
            .collect();
        let curve = drawn(60_000, 3_000, &calls);
        let points: Vec<_> = curve.points().map(|point| (point.at.0, point.total.0)).collect();
        assert_eq!(points, [(0, 1), (1_000, 2), (2_000, 3), (3_000, 4)]);
        assert_eq!(curve.until(Millis(3_001)), None);
        assert_eq!(curve.end(), Millis(60_000));
    }

    #[test]
    fn a_growing_session_keeps_its_points() {
        let steps: Vec<u64> = [0, 1, 300_000, 300_001, 600_000, 18_000_000]
            .map(|length| Axis::new(Millis(length)).step().0)
            .into();
        assert_eq!(steps, [1_000, 1_000, 1_000, 2_000, 2_000, 64_000]);
    }

    proptest! {
        #[test]
        fn its_size_is_bounded_and_its_last_point_has_everything(
            end in 0_u64..2_000_000_000,
            calls in prop::collection::vec((0_u64..2_000_000_000, 0_u64..1_000), 0..50),
        ) {
            let of_parts: Vec<_> = calls.iter().map(|(at, tokens)| (*at, parts(*tokens, 0, 0), None)).collect();
            let curve = drawn(end, end, &of_parts);
            let points: Vec<_> = curve.points().collect();
            prop_assert!(points.len() as u64 <= MOST_STEPS + 1);
            prop_assert!(points.is_sorted_by_key(|point| (point.at, point.total)));
            let last = points.last().unwrap();
            prop_assert_eq!(last.at, Millis(end));
            prop_assert_eq!(last.total.0, calls.iter().map(|(_, tokens)| tokens).sum::<u64>());
            for point in &points {
                let exact: u64 = calls.iter().filter(|(at, _)| (*at).min(end) <= point.at.0).map(|(_, tokens)| tokens).sum();
                prop_assert_eq!(point.total.0, exact);
            }
        }
    }
}
