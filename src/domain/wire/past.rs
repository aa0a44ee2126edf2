//! A session beside the user's finished ones.

use std::fmt::Display;

use serde::Serialize;

use crate::domain::alert::text::{Dollars, Grouped, Span};
use crate::domain::ids::SessionId;
use crate::domain::session::curve::{Course, Curve};
use crate::domain::session::usual::{self, Band, Place, Quartiles};
use crate::domain::units::{Millis, NanoUsd};

/// The middle half of what one's own finished sessions had used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct QuartilesView {
    /// A quarter had used less.
    pub low: i64,
    /// Half had.
    pub median: i64,
    /// Three quarters had.
    pub high: i64,
}

impl From<Quartiles> for QuartilesView {
    fn from(Quartiles { low, median, high }: Quartiles) -> Self {
        Self { low, median, high }
    }
}

/// What is usual at one moment of a session's own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PastBand {
    /// The moment, in milliseconds of a session's own time.
    pub at_ms: u64,
    /// How many finished sessions lasted that long; those that ended before are not in the numbers. Never below 3.
    pub sessions: u64,
    /// Calls that had ended.
    pub calls: QuartilesView,
    /// All tokens.
    pub total: QuartilesView,
    /// Those that no cache served.
    pub fresh: QuartilesView,
    /// Billionths of a US dollar; `null` if fewer than 3 of the sessions have a price.
    pub cost_nano_usd: Option<QuartilesView>,
}

impl From<&Band> for PastBand {
    fn from(band: &Band) -> Self {
        Self {
            at_ms: band.at.0,
            sessions: band.sessions as u64,
            calls: band.calls.into(),
            total: band.total.into(),
            fresh: band.fresh.into(),
            cost_nano_usd: band.cost.map(Into::into),
        }
    }
}

/// Where a session stands beside what is usual.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PastPlace {
    /// The session's number.
    pub value: i64,
    /// What is usual.
    pub usual: QuartilesView,
    /// Where the number lies.
    pub place: Place,
    /// The number as a share of the median, in per cent; `null` if the median is 0.
    pub percent_of_median: Option<u64>,
    /// The same as a sentence: `1,234,567 tokens after 42 min: more than in three of four of your 12 sessions that lasted that
    /// long (median 880,000).`
    pub says: String,
}

/// Where a session stands now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PastNow {
    /// How many finished sessions lasted as long.
    pub sessions: u64,
    /// Calls.
    pub calls: PastPlace,
    /// All tokens.
    pub total: PastPlace,
    /// Those that no cache served.
    pub fresh: PastPlace,
    /// Billionths of a US dollar; `null` if it has no price, or fewer than 3 of the others have.
    pub cost_nano_usd: Option<PastPlace>,
}

/// A session beside the user's finished ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PastView {
    /// The session.
    #[cfg_attr(test, ts(type = "string"))]
    pub session_id: SessionId,
    /// The time that it has run for.
    pub elapsed_ms: u64,
    /// How many finished sessions it is compared with.
    pub past_sessions: u64,
    /// How far two bands lie apart.
    pub step_ms: u64,
    /// What is usual, from the moment 0 on; it ends where fewer than 3 sessions lasted that long.
    pub bands: Vec<PastBand>,
    /// Where the session stands; `null` if fewer than 3 lasted as long.
    pub now: Option<PastNow>,
}

impl PastView {
    /// Puts a session beside finished ones, whose curves stand on the same axis.
    #[must_use]
    pub fn new(course: &Course, past: &[Course]) -> Self {
        let curves = || past.iter().map(|course| &course.curve);
        Self {
            session_id: course.session.id,
            elapsed_ms: course.curve.end().0,
            past_sessions: past.len() as u64,
            step_ms: course.curve.axis().step().0,
            bands: usual::bands(curves()).iter().map(Into::into).collect(),
            now: usual::band_at(curves(), course.curve.end())
                .and_then(|band| PastNow::new(&course.curve, &band)),
        }
    }
}

impl PastNow {
    fn new(curve: &Curve, band: &Band) -> Option<Self> {
        let now = curve.until(curve.end())?;
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let grouped = |number: i64| Grouped(u64::try_from(number).unwrap_or(0));
        let of = |value, usual, say: &dyn Fn(i64) -> String| PastPlace::new(value, usual, band, say);
        let tokens = |number| format!("{} tokens", grouped(number));
        let cost = now.cost.zip(band.cost);
        Some(Self {
            sessions: band.sessions as u64,
            calls: of(signed(now.calls), band.calls, &|number| {
                format!("{} calls", grouped(number))
            }),
            total: of(signed(now.total.0), band.total, &tokens),
            fresh: of(signed(now.fresh.0), band.fresh, &|number| {
                format!("{} tokens without cache reads", grouped(number))
            }),
            cost_nano_usd: cost
                .map(|(cost, usual)| of(cost.0, usual, &|number| Dollars(NanoUsd(number)).to_string())),
        })
    }
}

impl PastPlace {
    fn new(value: i64, usual: Quartiles, band: &Band, say: &dyn Fn(i64) -> String) -> Self {
        let place = usual.place(value);
        let share = i128::from(value.max(0)) * 100;
        let share = share.checked_div(i128::from(usual.median.max(0)));
        Self {
            value,
            usual: usual.into(),
            place,
            percent_of_median: share.and_then(|share| u64::try_from(share).ok()),
            says: sentence(place, &say(value), &say(usual.median), band.at, band.sessions),
        }
    }
}

fn sentence(place: Place, value: &dyn Display, median: &dyn Display, at: Millis, sessions: usize) -> String {
    let among = match place {
        Place::Below => "less than in three of four of",
        Place::Usual => "as usual among",
        Place::Above => "more than in three of four of",
    };
    let at = Span(at);
    format!("{value} after {at}: {among} your {sessions} sessions that lasted as long (median {median}).")
}
