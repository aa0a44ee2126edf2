//! The total that is foretold, and its bands.

use super::method::{Method, Quantiles};
use super::recording::Recording;
use super::{mean, minutes};
use crate::domain::forecast::{Forecast, Prior};
use crate::domain::units::Millis;

/// The probabilities of [`Quantiles`].
const LEVELS: Quantiles = [0.025, 0.1, 0.5, 0.9, 0.975];

/// One forecast of one session, beside the truth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The logarithm of forecast over truth.
    off: f64,
    /// Pinball loss of the logarithm, mean over the quantiles.
    pinball: f64,
    in_80: bool,
    in_95: bool,
    /// Width of the 80 % band over the truth.
    width: f64,
}

impl Point {
    /// Holds quantiles against the truth.
    #[must_use]
    pub fn new(quantiles: Quantiles, truth: u64) -> Self {
        let truth = truth.max(1) as f64;
        let quantiles = quantiles.map(|amount| amount.max(1.0));
        let [lowest, low, middle, high, highest] = quantiles;
        let losses: Vec<f64> = LEVELS
            .iter()
            .zip(quantiles)
            .map(|(level, amount)| {
                let under = (truth / amount).ln();
                (level * under).max((level - 1.0) * under)
            })
            .collect();
        // What is meant to hold the truth holds it to a unit.
        let within = |low: f64, high: f64| low <= truth + 1.0 && truth <= high + 1.0;
        Self {
            off: (middle / truth).ln(),
            pinball: mean(&losses),
            in_80: within(low, high),
            in_95: within(lowest, highest),
            width: (high - low) / truth,
        }
    }

    /// How far off it is, as a share of the truth.
    #[must_use]
    pub fn relative(&self) -> f64 {
        (self.off.exp() - 1.0).abs()
    }
}

/// Where what is usual comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usual {
    /// It is built in.
    BuiltIn,
    /// The sessions before each in the list, as if one user had had them all.
    Learnt,
}

/// When a session is looked at.
pub type Moments = fn(&Recording) -> Vec<Millis>;

/// 10, 20 … 90 % of a session.
#[must_use]
pub fn tenths(session: &Recording) -> Vec<Millis> {
    let tenths = 1..=9;
    tenths
        .map(|tenth| Millis(session.end.0 * tenth / 10 + 1))
        .collect()
}

/// Every five minutes.
#[must_use]
pub fn five_minutes(session: &Recording) -> Vec<Millis> {
    let moments = (1..).map(|five| minutes(5 * five));
    moments.take_while(|at| *at < session.end).collect()
}

/// What a method foretells of each session at these moments. `used` is what it foretells.
pub fn points<M: Method>(
    sessions: &[Recording],
    moments: Moments,
    usual: Usual,
    make: impl Fn(&Prior) -> M,
    used: impl Fn(&Recording) -> u64,
) -> Vec<Point> {
    let mut points = Vec::new();
    let mut prior = Prior::default();
    for session in sessions {
        let truth = used(session);
        let mut method = make(&prior);
        let mut calls = session.calls.iter().peekable();
        for at in moments(session) {
            while let Some((when, call)) = calls.next_if(|(when, _)| *when <= at) {
                method.observe(*call, *when);
            }
            let quantiles = method.quantiles(at, session.end);
            points.extend(quantiles.map(|quantiles| Point::new(quantiles, truth)));
        }
        if usual == Usual::Learnt {
            let mut whole = Forecast::new(&prior);
            session
                .calls
                .iter()
                .for_each(|(when, call)| whole.observe(*call, *when));
            prior.learn(whole.finished(session.end));
        }
    }
    points
}

/// What some forecasts score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TotalScore {
    /// How many.
    pub points: usize,
    /// Mean of `|forecast / truth − 1|`.
    pub mape: f64,
    /// Mean of `|ln(forecast / truth)|`.
    pub male: f64,
    /// Mean pinball loss of the logarithm.
    pub log_pinball: f64,
    /// Share inside the 80 % band.
    pub coverage80: f64,
    /// Share inside the 95 % band.
    pub coverage95: f64,
    /// Mean width of the 80 % band over the truth.
    pub width80: f64,
}

/// Scores forecasts; not numbers where there are none.
#[must_use]
pub fn score(points: &[Point]) -> TotalScore {
    let over = |number: fn(&Point) -> f64| mean(&points.iter().map(number).collect::<Vec<_>>());
    TotalScore {
        points: points.len(),
        mape: over(Point::relative),
        male: over(|point| point.off.abs()),
        log_pinball: over(|point| point.pinball),
        coverage80: over(|point| f64::from(point.in_80)),
        coverage95: over(|point| f64::from(point.in_95)),
        width80: over(|point| point.width),
    }
}
