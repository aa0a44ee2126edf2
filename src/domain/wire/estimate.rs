//! Numbers that were estimated, as the API shows them.

use serde::Serialize;

use crate::domain::estimate::{Interval, Intervals};

/// How sure the estimated numbers of a call are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct IntervalView {
    /// At least this.
    pub low: u64,
    /// At most this; `null` where it may be more without a limit.
    pub high: Option<u64>,
}

/// How the estimates of ended calls stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EstimatesView {
    /// Calls that are being estimated.
    pub waiting: u64,
    /// Calls since the start that were not, because too many waited.
    pub refused: u64,
}
