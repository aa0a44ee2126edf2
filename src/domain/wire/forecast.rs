//! What is foretold of a session.

use serde::{Deserialize, Serialize};

use crate::domain::forecast::{Amount, Band, Chance, Confidence, Outlook, Pace, Score, TimeToLimit};
use crate::domain::units::Millis;

/// How fast a session burns: the mean of its last active minutes, in which what was used `halfLifeMs` ago counts half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct BurnRateView {
    /// Tokens a minute, all of them.
    pub tokens_per_minute: u64,
    /// Billionths of a US dollar a minute; `null` while no call has a price.
    pub nano_usd_per_minute: Option<i64>,
    /// Calls an hour.
    pub calls_per_hour: u64,
    /// The half-life of the window, in milliseconds of the session's own time.
    pub half_life_ms: u64,
}

impl From<Pace> for BurnRateView {
    fn from(pace: Pace) -> Self {
        Self {
            tokens_per_minute: pace.tokens.0,
            nano_usd_per_minute: pace.cost.map(|cost| cost.0),
            calls_per_hour: pace.calls_per_hour,
            half_life_ms: pace.half_life.0,
        }
    }
}

/// What a session will come to. `null` in a session's place for it: nothing is known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ForecastView {
    /// All its tokens at its end: of the planned duration, or, where the end is open, of what is usual.
    pub total: OutlookView,
    /// Those that no cache served.
    pub fresh: OutlookView,
    /// Its cost, in billionths of a US dollar; `null` while no call has a price.
    pub cost_nano_usd: Option<OutlookView>,
    /// How its token budget will do; `null` if it has none, or no call yet.
    pub token_budget: Option<BudgetForecast>,
    /// How its budget in money will do; `null` if it has none, or no call with a price yet.
    pub cost_budget: Option<BudgetForecast>,
    /// How far it can be relied on.
    #[cfg_attr(test, ts(type = "\"low\" | \"medium\" | \"high\""))]
    pub confidence: Confidence,
    /// How many of the session's calls stand behind it.
    pub calls: u64,
    /// How many of the user's finished sessions stand behind it; 0 where only the built-in usual does.
    pub past_sessions: u64,
    /// Whether a planned end stands behind it.
    pub end: ForecastEnd,
}

/// Whose end a forecast is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum ForecastEnd {
    /// The end of the planned duration.
    Planned,
    /// The session's end is open: how long it lasts is foretold as well, and the ranges are wider for it.
    Open,
}

/// Tokens, or billionths of a US dollar, at a session's end. No number is below `spent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct OutlookView {
    /// What is spent so far, exactly.
    pub spent: u64,
    /// What is expected in a minute from now on.
    pub per_minute: u64,
    /// As likely to be exceeded as not.
    pub expected: u64,
    /// Holds the end with 50 %.
    pub band_50: BandView,
    /// Holds it with 80 %.
    pub band_80: BandView,
    /// Holds it with 95 %.
    pub band_95: BandView,
}

/// A range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct BandView {
    /// Its lower end.
    pub low: u64,
    /// Its upper end.
    pub high: u64,
}

impl<A: Amount> From<Outlook<A>> for OutlookView {
    fn from(outlook: Outlook<A>) -> Self {
        let band = |band: Band<A>| BandView {
            low: band.low.units(),
            high: band.high.units(),
        };
        Self {
            spent: outlook.spent.units(),
            per_minute: outlook.per_minute.units(),
            expected: outlook.expected.units(),
            band_50: band(outlook.band_50),
            band_80: band(outlook.band_80),
            band_95: band(outlook.band_95),
        }
    }
}

/// How a budget will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct BudgetForecast {
    /// How likely it is that it is used up by the session's end, in per cent.
    pub overrun_percent: u8,
    /// When it is met, whether the session lasts that long or not; 0 if it is met already.
    pub time_to_limit: TimeToLimitView,
}

impl BudgetForecast {
    /// Of how likely it is, and when.
    #[must_use]
    pub fn new(overrun: Chance, time: TimeToLimit) -> Self {
        let millis = |time: Option<Millis>| time.map(|time| time.0);
        Self {
            overrun_percent: overrun.percent(),
            time_to_limit: TimeToLimitView {
                early_ms: millis(time.early),
                expected_ms: millis(time.expected),
                late_ms: millis(time.late),
            },
        }
    }
}

/// When a limit is met, in milliseconds of the session's own time from now on; `null` is "not within a day".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TimeToLimitView {
    /// One of ten sessions meets it earlier.
    pub early_ms: Option<u64>,
    /// Half of them do.
    pub expected_ms: Option<u64>,
    /// Nine of ten do.
    pub late_ms: Option<u64>,
}

/// What is foretold of a session, told after calls and every few seconds while its clock runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Foretold {
    /// The time that the session had run for then.
    pub elapsed_ms: u64,
    /// How fast it burns; `null` before its first call.
    pub burn_rate: Option<BurnRateView>,
    /// What it will come to; `null` while nothing is known.
    pub forecast: Option<Box<ForecastView>>,
}

/// How well forecasts did that were shown: `GET /api/forecast/track-record`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct TrackRecord {
    /// What came of them.
    #[serde(flatten)]
    pub score: Score,
    /// How many bands of a hundred are to hold.
    pub promised_percent: u8,
}
