//! How sessions' use grew over their own time, side by side.

use serde::{Deserialize, Serialize};

use super::Totals;
use crate::domain::ids::SessionId;
use crate::domain::session::Status;
use crate::domain::session::curve::{Axis, Course, Point};
use crate::domain::session::efficiency::{Efficiency, Effort};
use crate::domain::session::usual::{self, Band, Quartiles};
use crate::domain::units::{Millis, NanoUsd, Tokens};

/// What was used until a moment of a session's own time, in which there are no pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CurvePoint {
    /// The moment, in milliseconds of the session's own time.
    pub at_ms: u64,
    /// Calls that had ended.
    pub calls: u64,
    /// All their tokens.
    pub total: u64,
    /// Those that no cache served.
    pub fresh: u64,
    /// What they cost, in billionths of a US dollar; `null` if none of the session's calls has a price.
    pub cost_nano_usd: Option<i64>,
}

impl From<Point> for CurvePoint {
    fn from(point: Point) -> Self {
        Self {
            at_ms: point.at.0,
            calls: point.calls,
            total: point.total.0,
            fresh: point.fresh.0,
            cost_nano_usd: point.cost.map(|cost| cost.0),
        }
    }
}

impl From<&Band> for CurvePoint {
    /// The medians.
    fn from(band: &Band) -> Self {
        let unsigned = |quartiles: Quartiles| u64::try_from(quartiles.median).unwrap_or(0);
        Point {
            at: band.at,
            calls: unsigned(band.calls),
            total: Tokens(unsigned(band.total)),
            fresh: Tokens(unsigned(band.fresh)),
            cost: band.cost.map(|cost| NanoUsd(cost.median)),
        }
        .into()
    }
}

/// How a session's use grew over its own time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CurveView {
    /// The session.
    #[cfg_attr(test, ts(type = "string"))]
    pub session_id: SessionId,
    /// The time that it has run for.
    pub elapsed_ms: u64,
    /// How far two points lie apart; the last one may be nearer to the one before.
    pub step_ms: u64,
    /// At most 301, from the moment 0 to `elapsedMs`.
    pub points: Vec<CurvePoint>,
}

impl From<&Course> for CurveView {
    fn from(course: &Course) -> Self {
        Self {
            session_id: course.session.id,
            elapsed_ms: course.curve.end().0,
            step_ms: course.curve.axis().step().0,
            points: course.curve.points().map(Into::into).collect(),
        }
    }
}

/// Sessions side by side, on one axis of their own time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ComparisonView {
    /// How far two points of a session lie apart: its third point and another's are at the same moment. The last one may
    /// be nearer.
    pub step_ms: u64,
    /// In the order in which they were asked for.
    pub sessions: Vec<ComparedView>,
}

/// One of the sessions that are compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ComparedView {
    /// The session; `null` is the median of one's own finished sessions.
    #[cfg_attr(test, ts(type = "string | null"))]
    pub session_id: Option<SessionId>,
    /// Its name; `null` for the median.
    pub name: Option<String>,
    /// Where it stands; `null` for the median.
    pub status: Option<Status>,
    /// How many sessions stand behind it: 1, or those of the median; below 3 there is none.
    pub past_sessions: u64,
    /// How its use grew; the median ends where fewer than 3 sessions lasted that long. Empty where there is no median.
    pub points: Vec<CurvePoint>,
    /// Its figures; `null` where there is no median.
    pub figures: Option<SessionFigures>,
    /// Its figures less those of the first session; `null` for the first.
    pub difference: Option<SessionFigures>,
}

impl ComparisonView {
    /// Sessions whose curves stand on one axis.
    #[must_use]
    pub fn new(axis: Axis, mut sessions: Vec<ComparedView>) -> Self {
        let first = sessions.first().and_then(|first| first.figures);
        for session in sessions.iter_mut().skip(1) {
            session.difference = session
                .figures
                .zip(first)
                .map(|(figures, first)| figures.minus(&first));
        }
        Self {
            step_ms: axis.step().0,
            sessions,
        }
    }
}

impl ComparedView {
    /// A session beside finished ones.
    #[must_use]
    pub fn new(course: &Course, past: &[Course]) -> Self {
        Self {
            session_id: Some(course.session.id),
            name: Some(course.session.name.to_string()),
            status: Some(course.session.timer.status()),
            past_sessions: 1,
            points: course.curve.points().map(Into::into).collect(),
            figures: Some(SessionFigures::new(course, past)),
            difference: None,
        }
    }

    /// The median of finished sessions.
    #[must_use]
    pub fn median(past: &[Course]) -> Self {
        let figures: Vec<SessionFigures> = past
            .iter()
            .map(|course| SessionFigures::new(course, past))
            .collect();
        let bands = usual::bands(past.iter().map(|course| &course.curve));
        Self {
            session_id: None,
            name: None,
            status: None,
            past_sessions: past.len() as u64,
            points: bands.iter().map(Into::into).collect(),
            figures: SessionFigures::median(&figures),
            difference: None,
        }
    }
}

/// What is compared of sessions. In a difference, less is negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SessionFigures {
    /// The time that it ran for.
    pub elapsed_ms: i64,
    /// Calls that have ended.
    pub requests: i64,
    /// Those of them that did not end as `complete`.
    pub errors: i64,
    /// Prompt tokens, without cached ones.
    pub input: i64,
    /// Prompt tokens read from a cache.
    pub cache_read: i64,
    /// Prompt tokens written to a cache.
    pub cache_write: i64,
    /// Generated tokens, reasoning included.
    pub output: i64,
    /// The part of `output` that was reasoning.
    pub reasoning: i64,
    /// All tokens.
    pub total: i64,
    /// Billionths of a US dollar; `null` if no call has a price.
    pub cost_nano_usd: Option<i64>,
    /// How much of its prompts a cache served, in per cent; `null` without prompts.
    pub cache_share_percent: Option<i64>,
    /// Generated tokens a minute of its own time; `null` before the first second.
    pub output_per_minute: Option<i64>,
    /// The score of its efficiency, 0 to 100; `null` where too little is known.
    pub efficiency: Option<i64>,
}

impl SessionFigures {
    /// Those of a session, beside finished ones.
    #[must_use]
    pub fn new(course: &Course, past: &[Course]) -> Self {
        let past: Vec<Effort> = past.iter().map(|course| course.effort).collect();
        Self {
            efficiency: Efficiency::of(&course.effort, &past).score.map(i64::from),
            ..Self::of(course.curve.end(), &course.usage)
        }
    }

    /// Those of a session that has run for so long and used this, without its efficiency.
    fn of(elapsed: Millis, usage: &Totals) -> Self {
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let prompts = usage
            .input
            .saturating_add(usage.cache_read)
            .saturating_add(usage.cache_write);
        let share = |part: u64, whole: u64, of: u64| {
            let scaled = u128::from(part) * u128::from(of) + u128::from(whole / 2);
            (whole > 0).then(|| i64::try_from(scaled / u128::from(whole)).unwrap_or(i64::MAX))
        };
        Self {
            elapsed_ms: signed(elapsed.0),
            requests: signed(usage.requests),
            errors: signed(usage.errors),
            input: signed(usage.input),
            cache_read: signed(usage.cache_read),
            cache_write: signed(usage.cache_write),
            output: signed(usage.output),
            reasoning: signed(usage.reasoning),
            total: signed(usage.total),
            cost_nano_usd: usage.cost_nano_usd,
            cache_share_percent: share(usage.cache_read, prompts, 100),
            output_per_minute: Some(elapsed)
                .filter(|elapsed| elapsed.0 >= 1_000)
                .and_then(|elapsed| share(usage.output, elapsed.0, 60_000)),
            efficiency: None,
        }
    }

    /// The median of each figure; `None` if there are too few sessions to tell.
    #[must_use]
    pub fn median(sessions: &[Self]) -> Option<Self> {
        let median = |numbers: &mut dyn Iterator<Item = i64>| Some(Quartiles::of(numbers)?.median);
        median(&mut sessions.iter().map(|session| session.requests))?;
        Some(Self::combined(sessions, median))
    }

    /// These less those of another session. What one of both does not know is not known.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        Self::combined(&[*self, *other], |numbers| {
            Some(numbers.next()?.saturating_sub(numbers.next()?))
        })
    }

    /// Makes one figure of each, from those sessions that know it, in their order.
    fn combined(sessions: &[Self], combine: impl Fn(&mut dyn Iterator<Item = i64>) -> Option<i64>) -> Self {
        let sure = |figure: fn(&Self) -> i64| combine(&mut sessions.iter().map(figure)).unwrap_or_default();
        let known = |figure: fn(&Self) -> Option<i64>| combine(&mut sessions.iter().filter_map(figure));
        Self {
            elapsed_ms: sure(|figures| figures.elapsed_ms),
            requests: sure(|figures| figures.requests),
            errors: sure(|figures| figures.errors),
            input: sure(|figures| figures.input),
            cache_read: sure(|figures| figures.cache_read),
            cache_write: sure(|figures| figures.cache_write),
            output: sure(|figures| figures.output),
            reasoning: sure(|figures| figures.reasoning),
            total: sure(|figures| figures.total),
            cost_nano_usd: known(|figures| figures.cost_nano_usd),
            cache_share_percent: known(|figures| figures.cache_share_percent),
            output_per_minute: known(|figures| figures.output_per_minute),
            efficiency: known(|figures| figures.efficiency),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(input: u64, cache_read: u64, output: u64) -> Totals {
        Totals {
            requests: 1,
            input,
            cache_read,
            output,
            total: input + cache_read + output,
            ..Totals::default()
        }
    }

    #[test]
    fn shares_and_rates_are_rounded_and_unknown_without_a_whole() {
        let of = |elapsed, usage| {
            let figures = SessionFigures::of(Millis(elapsed), &usage);
            (figures.cache_share_percent, figures.output_per_minute)
        };
        assert_eq!(of(120_000, usage(1, 2, 7)), (Some(67), Some(4)));
        assert_eq!(of(60_000, usage(3, 0, 7)), (Some(0), Some(7)));
        assert_eq!(of(60_000, usage(0, 0, 0)), (None, Some(0)));
        assert_eq!(of(999, usage(1, 1, 1)), (Some(50), None));
    }

    #[test]
    fn a_difference_knows_what_both_know() {
        let one = SessionFigures::of(Millis(60_000), &usage(10, 30, 5));
        let other = SessionFigures::of(Millis(90_000), &usage(0, 0, 20));
        let difference = one.minus(&other);
        assert_eq!((difference.elapsed_ms, difference.total), (-30_000, 25));
        assert_eq!(
            (difference.cache_share_percent, difference.cost_nano_usd),
            (None, None)
        );
        assert_eq!(difference.output_per_minute, Some(5 - 13));
    }

    #[test]
    fn a_median_needs_three_sessions_that_know_the_figure() {
        let figures = |input, cost| SessionFigures {
            cost_nano_usd: cost,
            ..SessionFigures::of(Millis(60_000), &usage(input, 0, 0))
        };
        let mut sessions = vec![figures(1, Some(1)), figures(30, Some(2))];
        assert_eq!(SessionFigures::median(&sessions), None);
        sessions.push(figures(2, None));
        let median = SessionFigures::median(&sessions).unwrap();
        assert_eq!((median.input, median.cost_nano_usd), (2, None));
        sessions.push(figures(4, Some(9)));
        let median = SessionFigures::median(&sessions).unwrap();
        assert_eq!((median.input, median.cost_nano_usd), (3, Some(2)));
    }
}
