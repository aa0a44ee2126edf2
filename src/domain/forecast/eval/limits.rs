//! The time to a limit.

use super::method::Method;
use super::overruns::Budgets;
use super::recording::Recording;
use super::{mean, median};
use crate::domain::forecast::minutes;
use crate::domain::units::Millis;

/// "Not within a day", in minutes.
const A_DAY: f64 = 1_440.0;

/// How well it is foretold when a limit is met.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LimitScore {
    /// How many forecasts.
    pub forecasts: usize,
    /// Median error in minutes.
    pub median_error: f64,
    /// Mean error in minutes.
    pub mean_error: f64,
    /// Share that is off by a factor of two at most.
    pub within_two: f64,
    /// Share inside the 80 % range.
    pub held: f64,
}

/// Looks at each session at 10, 20 … 90 % of it, for each budget that is met and as long as it is not.
pub fn score<M: Method>(sessions: &[Recording], make: impl Fn() -> M) -> LimitScore {
    let (mut errors, mut held, mut within_two) = (Vec::new(), Vec::new(), Vec::new());
    for session in sessions {
        for budget in Budgets::Tied.of(session) {
            let Some(crossed) = session.crossing(budget) else {
                continue;
            };
            let mut method = make();
            let mut calls = session.calls.iter().peekable();
            let tenths = (1..=9).map(|tenth| Millis(session.end.0 * tenth / 10));
            for at in tenths.take_while(|at| *at < crossed) {
                while let Some((when, call)) = calls.next_if(|(when, _)| *when <= at) {
                    method.observe(*call, *when);
                }
                let Some(limit) = method.limit(at, budget) else {
                    continue;
                };
                let [early, expected, late] = limit.map(|minutes| minutes.min(A_DAY));
                let truth = minutes(Millis(crossed.0 - at.0));
                errors.push((expected - truth).abs());
                within_two.push(f64::from((0.5..=2.0).contains(&(expected / truth))));
                held.push(f64::from(early <= truth && truth <= late));
            }
        }
    }
    LimitScore {
        forecasts: errors.len(),
        median_error: median(&errors),
        mean_error: mean(&errors),
        within_two: mean(&within_two),
        held: mean(&held),
    }
}
