//! Early warnings of budgets that do not last, and the time to a limit.

use moonlock::domain::forecast::alarm::{Level, OverrunWatch, Signal};
use moonlock::domain::forecast::{End, Forecast, Prior};
use moonlock::domain::units::{Millis, Tokens};

use crate::traces::{self, Session, mean, median};

/// Budgets as shares of what the session used.
const TIED: [f64; 10] = [0.6, 0.7, 0.8, 0.9, 0.95, 1.05, 1.1, 1.2, 1.3, 1.4];
/// Budgets that know nothing of the session: so many times what is usual in its time.
const INDEPENDENT: [f64; 7] = [0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0];
const USUAL_PER_MINUTE: f64 = 1.7 * 88_000.0;

/// What came of the warnings about many budgets.
#[derive(Default)]
struct Warnings {
    came_true: f64,
    too_late: f64,
    false_ones: f64,
    /// Minutes between warning and overrun.
    leads: Vec<f64>,
    /// Probability and outcome, of each minute before an overrun.
    chances: Vec<(f64, f64)>,
    hours: f64,
}

impl Warnings {
    fn precision(&self) -> f64 {
        self.came_true / (self.came_true + self.false_ones)
    }

    fn recall(&self) -> f64 {
        self.came_true / (self.came_true + self.too_late)
    }

    fn f1(&self) -> f64 {
        2.0 * self.precision() * self.recall() / (self.precision() + self.recall())
    }

    fn brier(&self) -> f64 {
        let errors: Vec<f64> = self
            .chances
            .iter()
            .map(|(said, was)| (said - was).powi(2))
            .collect();
        mean(&errors)
    }

    /// How far what is said is from what happens, over ten classes of what is said.
    fn calibration_error(&self) -> f64 {
        let classes = (0..10).map(|class| {
            let inside = |said: f64| ((said * 10.0) as usize).min(9) == class;
            let (said, was): (Vec<_>, Vec<_>) = self
                .chances
                .iter()
                .filter(|(said, _)| inside(*said))
                .copied()
                .unzip();
            (mean(&said) - mean(&was)).abs() * said.len() as f64
        });
        classes.sum::<f64>() / self.chances.len() as f64
    }

    fn false_a_day(&self) -> f64 {
        self.false_ones / self.hours * 24.0
    }

    fn print(&self, name: &str, reference: &str) {
        println!(
            "{name:<34} P {:.2} R {:.2} F1 {:.3} | median lead {:.1} min | Brier {:.3} ECE {:.3} | false a day of work \
             and budget {:.2} | reference {reference}",
            self.precision(),
            self.recall(),
            self.f1(),
            median(&self.leads),
            self.brier(),
            self.calibration_error(),
            self.false_a_day(),
        );
    }
}

/// Looks at each session each minute, once for each budget.
fn warnings(sessions: &[Session], level: Level, budgets: impl Fn(&Session) -> Vec<Tokens>) -> Warnings {
    let mut warnings = Warnings::default();
    for session in sessions {
        for budget in budgets(session) {
            watch(session, budget, level, &mut warnings);
        }
    }
    warnings
}

fn crossing(session: &Session, budget: Tokens) -> Option<Millis> {
    let mut spent = Tokens(0);
    let mut calls = session.calls.iter();
    calls
        .find(|(_, call)| {
            spent += call.total;
            spent >= budget
        })
        .map(|(at, _)| *at)
}

fn watch(session: &Session, budget: Tokens, level: Level, warnings: &mut Warnings) {
    let crossed = crossing(session, budget);
    let end = End::Planned(session.end);
    let mut forecast = Forecast::new(&Prior::default());
    let mut overrun = OverrunWatch::default();
    let mut warned = None;
    let mut calls = session.calls.iter().peekable();
    let mut seen = 0;
    let minutes = (1..).map(traces::minutes);
    for at in minutes.take_while(|at| *at < crossed.unwrap_or(session.end)) {
        while let Some((when, call)) = calls.next_if(|(when, _)| *when <= at) {
            forecast.observe(*call, *when);
            seen += 1;
        }
        let Some(chance) = forecast.tokens_overrun(at, end, budget) else {
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

fn tied(session: &Session) -> Vec<Tokens> {
    TIED.map(|share| Tokens((session.total() as f64 * share) as u64))
        .to_vec()
}

fn independent(session: &Session) -> Vec<Tokens> {
    let usual = USUAL_PER_MINUTE * session.hours() * 60.0;
    INDEPENDENT.map(|share| Tokens((usual * share) as u64)).to_vec()
}

#[test]
fn overruns_are_foretold() {
    let Some(folder) = traces::folder() else { return };
    let sessions = traces::all(&folder);
    let natural = traces::natural(&sessions);
    let fixed = traces::fixed(&sessions);
    let three = traces::three_agents(&sessions);
    let rows = [
        (
            "natural, watch",
            &natural,
            Level::Watch,
            "P .80 R .78 F1 .789, 8.9 min, Brier .199 ECE .065",
        ),
        (
            "natural, likely",
            &natural,
            Level::Likely,
            "P .88 R .68 F1 .768, 6.0 min",
        ),
        (
            "30, 60, 90 minutes, likely",
            &fixed,
            Level::Likely,
            "P .74 R .86 F1 .791, 11.2 min, Brier .237",
        ),
        (
            "three agents, likely",
            &three,
            Level::Likely,
            "P .92 R .91 F1 .912, 7.5 min, Brier .190",
        ),
    ];
    let figures = rows.map(|(name, sessions, level, reference)| {
        let figures = warnings(sessions, level, tied);
        figures.print(name, reference);
        figures
    });
    let free = warnings(&natural, Level::Likely, independent);
    free.print("natural, budgets of its own", "(kept aside) Brier .099 ECE .028");
    for (figures, f1, brier) in [
        (&figures[0], 0.789, 0.199),
        (&figures[1], 0.768, 0.199),
        (&figures[2], 0.785, 0.237),
        (&figures[3], 0.860, 0.205),
        (&free, 0.890, 0.108),
    ] {
        assert!(figures.f1() >= f1, "F1 {}", figures.f1());
        assert!(figures.brier() <= brier, "Brier {}", figures.brier());
    }
    assert!(figures[1].precision() >= 0.88);
    assert!(median(&figures[1].leads) >= 6.0);
    assert!(free.calibration_error() <= 0.03);
}

#[test]
fn the_time_to_a_limit_is_foretold() {
    let Some(folder) = traces::folder() else { return };
    let sessions = traces::natural(&traces::all(&folder));
    let (mut errors, mut held, mut within_two) = (Vec::new(), Vec::new(), Vec::new());
    for session in &sessions {
        for budget in tied(session) {
            let Some(crossed) = crossing(session, budget) else {
                continue;
            };
            let mut forecast = Forecast::new(&Prior::default());
            let mut calls = session.calls.iter().peekable();
            let tenths = (1..=9).map(|tenth| Millis(session.end.0 * tenth / 10));
            for at in tenths.take_while(|at| *at < crossed) {
                while let Some((when, call)) = calls.next_if(|(when, _)| *when <= at) {
                    forecast.observe(*call, *when);
                }
                let Some(limit) = forecast.tokens_limit(at, budget) else {
                    continue;
                };
                let minutes = |time: Option<Millis>| time.map_or(1_440.0, |time| time.0 as f64 / 60_000.0);
                let truth = (crossed.0 - at.0) as f64 / 60_000.0;
                let expected = minutes(limit.expected);
                errors.push((expected - truth).abs());
                within_two.push(f64::from((0.5..=2.0).contains(&(expected / truth))));
                held.push(f64::from(
                    minutes(limit.early) <= truth && truth <= minutes(limit.late),
                ));
            }
        }
    }
    println!(
        "time to limit: {} forecasts, median error {:.1} min (5.6), mean {:.1} (13.0), within a factor of two {:.2} \
         (.63), 80 % range holds {:.2} (.83)",
        errors.len(),
        median(&errors),
        mean(&errors),
        mean(&within_two),
        mean(&held),
    );
    assert!(median(&errors) <= 5.6);
    assert!(mean(&errors) <= 13.0);
    assert!((0.78..=0.88).contains(&mean(&held)));
}
