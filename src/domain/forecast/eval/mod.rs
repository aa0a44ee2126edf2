//! How well the forecast and its alarms do on recorded sessions, so that a change of method is judged by figures.
//!
//! The recordings are replayed call by call through the very code that runs beside the user's sessions. Three kinds of
//! sessions are scored, each for itself, because what helps one can harm another:
//!
//! - *natural*: sessions of ten minutes or more, each to its last call;
//! - *fixed*: the first 30, 60 and 90 minutes of sessions that went on, as a planned duration cuts them;
//! - *three agents*: three sessions of one source at once, for an hour.

mod anomalies;
mod limits;
mod method;
mod overruns;
mod recording;
mod totals;

use serde::Serialize;

pub use anomalies::{AnomalyScore, onsets, score as anomalies};
pub use limits::{LimitScore, score as limits};
pub use method::{Any, Average, Method, OwnTokens, Quantiles, Weighted, quantiles};
pub use overruns::{Budgets, Warnings, warnings};
pub use recording::{BadRecording, Recording, fixed, natural, three_agents};
pub use totals::{Moments, Point, TotalScore, Usual, five_minutes, points, score as totals, tenths};

use super::alarm::Level;
use crate::domain::units::Millis;

/// What a method scores on sessions of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Scores {
    /// Mean of `|forecast / truth − 1|` of the total, at 10, 20 … 90 % of each session.
    pub mape: Option<f64>,
    /// Mean of `|ln(forecast / truth)|`.
    pub male: Option<f64>,
    /// Pinball loss of the total's logarithm, mean over the quantiles 2.5, 10, 50, 90 and 97.5 %.
    pub log_pinball: Option<f64>,
    /// Share of totals inside the 80 % band.
    pub coverage80: Option<f64>,
    /// Share inside the 95 % band.
    pub coverage95: Option<f64>,
    /// Mean squared error of the probability of overrun, each minute until the overrun, over ten budgets from 0.6 to 1.4
    /// times what the session used.
    pub brier: Option<f64>,
    /// F1 of the alert about a likely overrun: it comes true if the budget is exceeded after it.
    pub overrun_f1: Option<f64>,
    /// Median minutes between that alert and the overrun.
    pub lead_median_min: Option<f64>,
    /// Median error of the time to a limit, in minutes.
    pub time_to_limit_median_err_min: Option<f64>,
}

/// What one method scores on these sessions.
pub fn scores<M: Method>(sessions: &[Recording], make: impl Fn() -> M) -> Scores {
    let total = totals(&points(
        sessions,
        tenths,
        Usual::BuiltIn,
        |_| make(),
        Recording::total,
    ));
    let warnings = warnings(sessions, Level::Likely, Budgets::Tied, &make);
    let limits = limits(sessions, &make);
    let some = |number: f64| number.is_finite().then_some(number);
    Scores {
        mape: some(total.mape),
        male: some(total.male),
        log_pinball: some(total.log_pinball),
        coverage80: some(total.coverage80),
        coverage95: some(total.coverage95),
        brier: some(warnings.brier()),
        overrun_f1: some(warnings.f1()),
        lead_median_min: some(median(&warnings.leads)),
        time_to_limit_median_err_min: some(limits.median_error),
    }
}

/// The middle of some numbers; not a number of none.
#[must_use]
pub fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Their mean; not a number of none.
#[must_use]
pub fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

fn minutes(minutes: u64) -> Millis {
    Millis(minutes * 60_000)
}
