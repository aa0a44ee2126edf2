//! Early warnings of budgets that do not last.

use super::method::Method;
use super::recording::Recording;
use super::{mean, minutes};
use crate::domain::forecast::alarm::{Level, OverrunWatch, Signal};
use crate::domain::units::Tokens;

/// Budgets as shares of what the session used.
const TIED: [f64; 10] = [0.6, 0.7, 0.8, 0.9, 0.95, 1.05, 1.1, 1.2, 1.3, 1.4];
/// Budgets that know nothing of the session: so many times what is usual in its time.
const INDEPENDENT: [f64; 7] = [0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0];
const USUAL_PER_MINUTE: f64 = 1.7 * 88_000.0;

/// Which budgets a session is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budgets {
    /// From 0.6 to 1.4 times what it used: near ones are hard to tell, and chosen by what they are to tell.
    Tied,
    /// From a quarter to three times what is usual in its time.
    Independent,
}

impl Budgets {
    pub(super) fn of(self, session: &Recording) -> Vec<Tokens> {
        let times = |of: f64, share: &f64| Tokens((of * share) as u64);
        match self {
            Self::Tied => TIED
                .iter()
                .map(|share| times(session.total() as f64, share))
                .collect(),
            Self::Independent => {
                let usual = USUAL_PER_MINUTE * session.hours() * 60.0;
                INDEPENDENT.iter().map(|share| times(usual, share)).collect()
            }
        }
    }
}

/// What came of the warnings about many budgets.
#[derive(Clone, Debug, Default)]
pub struct Warnings {
    came_true: f64,
    too_late: f64,
    false_ones: f64,
    /// Minutes between warning and overrun.
    pub leads: Vec<f64>,
    /// Probability and outcome, of each minute before an overrun.
    chances: Vec<(f64, f64)>,
    hours: f64,
}

impl Warnings {
    /// Share of warnings that came true.
    #[must_use]
    pub fn precision(&self) -> f64 {
        self.came_true / (self.came_true + self.false_ones)
    }

    /// Share of overruns that were foretold.
    #[must_use]
    pub fn recall(&self) -> f64 {
        self.came_true / (self.came_true + self.too_late)
    }

    /// Their harmonic mean.
    #[must_use]
    pub fn f1(&self) -> f64 {
        2.0 * self.precision() * self.recall() / (self.precision() + self.recall())
    }

    /// Mean squared error of the probability.
    #[must_use]
    pub fn brier(&self) -> f64 {
        let errors = self.chances.iter().map(|(said, was)| (said - was).powi(2));
        mean(&errors.collect::<Vec<_>>())
    }

    /// Of ten classes of what was said: how often, what on average, and how often it came true.
    #[must_use]
    pub fn reliability(&self) -> Vec<(usize, f64, f64)> {
        let classes = (0..10).map(|class| {
            let inside = |said: f64| ((said * 10.0) as usize).min(9) == class;
            let some = self.chances.iter().filter(|(said, _)| inside(*said)).copied();
            let (said, was): (Vec<_>, Vec<_>) = some.unzip();
            (said.len(), mean(&said), mean(&was))
        });
        classes.filter(|(count, _, _)| *count > 0).collect()
    }

    /// How far what is said is from what happens, over these classes.
    #[must_use]
    pub fn calibration_error(&self) -> f64 {
        let off = self
            .reliability()
            .into_iter()
            .map(|(count, said, was)| (said - was).abs() * count as f64);
        off.sum::<f64>() / self.chances.len() as f64
    }

    /// False warnings in a day of work, for one budget.
    #[must_use]
    pub fn false_a_day(&self) -> f64 {
        self.false_ones / self.hours * 24.0
    }
}

/// Looks at each session each minute, once for each budget; the first warning of this level counts.
pub fn warnings<M: Method>(
    sessions: &[Recording],
    level: Level,
    budgets: Budgets,
    make: impl Fn() -> M,
) -> Warnings {
    let mut warnings = Warnings::default();
    for session in sessions {
        for budget in budgets.of(session) {
            watch(session, budget, level, make(), &mut warnings);
        }
    }
    warnings
}

fn watch<M: Method>(
    session: &Recording,
    budget: Tokens,
    level: Level,
    mut method: M,
    warnings: &mut Warnings,
) {
    let crossed = session.crossing(budget);
    let mut overrun = OverrunWatch::default();
    let mut warned = None;
    let mut calls = session.calls.iter().peekable();
    let mut seen = 0;
    let looks = (1..).map(minutes);
    for at in looks.take_while(|at| *at < crossed.unwrap_or(session.end)) {
        while let Some((when, call)) = calls.next_if(|(when, _)| *when <= at) {
            method.observe(*call, *when);
            seen += 1;
        }
        let Some(chance) = method.overrun(at, session.end, budget) else {
            continue;
        };
        warnings
            .chances
            .push((chance.get(), f64::from(crossed.is_some())));
        if let Some(Signal::Raise(raised)) = overrun.observe(chance, seen)
            && raised.level >= level
        {
            warned.get_or_insert(at);
        }
    }
    warnings.hours += session.hours();
    match (crossed, warned) {
        (Some(crossed), Some(warned)) => {
            warnings.came_true += 1.0;
            warnings.leads.push((crossed.0 - warned.0) as f64 / 60_000.0);
        }
        (Some(_), None) => warnings.too_late += 1.0,
        (None, Some(_)) => warnings.false_ones += 1.0,
        (None, None) => {}
    }
}
