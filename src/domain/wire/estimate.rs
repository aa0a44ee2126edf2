//! Numbers that were estimated, as the API shows them.

use serde::{Deserialize, Serialize};

use crate::domain::estimate::calibration::{Errors, Learnt};
use crate::domain::estimate::{Interval, Intervals};

/// How sure the estimated numbers of a call are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct EstimateView {
    /// Where the truth of the whole prompt is thought to lie; `null` where the provider said it.
    pub input: Option<IntervalView>,
    /// Where that of all that was generated is.
    pub output: Option<IntervalView>,
    /// Whether something that was used cannot be seen from here, so that the truth may be more without a limit.
    pub lower_bound: bool,
}

impl EstimateView {
    /// `None` where nothing was estimated.
    #[must_use]
    pub fn of(intervals: &Intervals) -> Option<Self> {
        let view = |interval: Interval| IntervalView {
            low: interval.low.0,
            high: interval.high.map(|high| high.0),
        };
        (*intervals != Intervals::default()).then(|| Self {
            input: intervals.input.map(view),
            output: intervals.output.map(view),
            lower_bound: intervals.is_lower_bound(),
        })
    }
}

/// From where to where a number of tokens is thought to lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct IntervalView {
    /// At least this.
    pub low: u64,
    /// At most this; `null` where it may be more without a limit.
    pub high: Option<u64>,
}

/// How the estimates of ended calls stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EstimatesView {
    /// Calls that are being estimated.
    pub waiting: u64,
    /// Calls since the start that were not, because too many waited.
    pub refused: u64,
}

/// How good the estimates of one side of a model's calls are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CalibrationView {
    /// The model, in lower case.
    pub model: String,
    /// `input` or `output`.
    pub side: &'static str,
    /// Which calls are held against each other: `text`, `tools` (with tools) or `media` (with images or sound).
    pub kind: &'static str,
    /// From so many calls whose provider said what they used.
    pub pairs: u64,
    /// The truth as a multiple of the estimate by the rules: the middle one.
    pub ratio: f64,
    /// One of ten was below this.
    pub ratio_low: f64,
    /// One of ten was above this.
    pub ratio_high: f64,
    /// How far the rules alone are off.
    pub by_rules: ErrorsView,
    /// How far corrected estimates are off, each corrected by what the others taught; `null` where nothing is
    /// corrected: the rules are right, or too little is known.
    pub corrected: Option<ErrorsView>,
}

/// How far estimates were off, as a share of the truth: 0.02 is 2 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ErrorsView {
    /// Half of them were off by less.
    pub median: f64,
    /// Nine of ten were.
    pub p90: f64,
}

/// The answer to `GET /api/calibration`.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CalibrationPage {
    /// By model, side and kind.
    pub calibration: Vec<CalibrationView>,
}

impl CalibrationPage {
    /// Shows what has been learnt.
    #[must_use]
    pub fn new(mut learnt: Vec<Learnt>) -> Self {
        learnt.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        Self {
            calibration: learnt.iter().filter_map(CalibrationView::of).collect(),
        }
    }
}

impl CalibrationView {
    fn of(learnt: &Learnt) -> Option<Self> {
        let accuracy = learnt.accuracy()?;
        let errors = |errors: Errors| ErrorsView {
            median: rounded(errors.median),
            p90: rounded(errors.p90),
        };
        Some(Self {
            model: learnt.key.model().to_owned(),
            side: learnt.key.direction().name(),
            kind: learnt.key.kind().name(),
            pairs: accuracy.pairs as u64,
            ratio: rounded(accuracy.ratio),
            ratio_low: rounded(accuracy.ratio_low),
            ratio_high: rounded(accuracy.ratio_high),
            by_rules: errors(accuracy.by_rules),
            corrected: accuracy.corrected.map(errors),
        })
    }
}

/// To four places: more would be noise.
fn rounded(share: f64) -> f64 {
    (share * 1e4).round() / 1e4
}
