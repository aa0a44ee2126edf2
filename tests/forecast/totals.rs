//! The total that is foretold, and its bands.

use moonlock::domain::forecast::{Amount, Confidence, End, Forecast, Outlook, Prior};
use moonlock::domain::units::{Millis, NanoUsd, Tokens};

use crate::traces::{self, Session, mean, median, minutes};

/// One forecast of one session, beside the truth.
struct Point {
    /// Logarithms of forecast and of naive forecast over truth.
    off: f64,
    naive: f64,
    /// Pinball loss of the logarithm, over five quantiles.
    pinball: f64,
    in_80: bool,
    in_95: bool,
    /// Width of the 80 % band over the truth.
    width: f64,
    confidence: Confidence,
}

impl Point {
    fn new<A: Amount>(outlook: &Outlook<A>, truth: u64, share: u64) -> Self {
        let truth = truth as f64;
        let of = |amount: A| amount.units().max(1) as f64;
        let off = |amount: A| (of(amount) / truth).ln();
        let quantiles = [
            (0.025, outlook.band_95.low),
            (0.1, outlook.band_80.low),
            (0.5, outlook.expected),
            (0.9, outlook.band_80.high),
            (0.975, outlook.band_95.high),
        ];
        let losses = quantiles.map(|(level, amount)| {
            let under = -off(amount);
            (level * under).max((level - 1.0) * under)
        });
        // What is meant to hold the truth holds it to a unit.
        let within = |low: A, high: A| of(low) <= truth + 1.0 && truth <= of(high) + 1.0;
        Self {
            off: off(outlook.expected),
            naive: (of(outlook.spent) * 100.0 / share as f64 / truth).ln(),
            pinball: mean(&losses),
            in_80: within(outlook.band_80.low, outlook.band_80.high),
            in_95: within(outlook.band_95.low, outlook.band_95.high),
            width: (of(outlook.band_80.high) - of(outlook.band_80.low)) / truth,
            confidence: outlook.confidence,
        }
    }

    fn relative(&self) -> f64 {
        (self.off.exp() - 1.0).abs()
    }
}

/// Where what is usual comes from.
enum Usual {
    BuiltIn,
    /// The sessions before it in the list, as if one user had had them all.
    Learnt,
}

type Moments = fn(&Session) -> Vec<Millis>;
type Foretell<A> = fn(&Forecast, Millis, End) -> Option<Outlook<A>>;

/// Forecasts at 10, 20 … 90 % of each session, or every five minutes.
fn points<A: Amount>(
    sessions: &[Session],
    moments: Moments,
    end: fn(&Session) -> End,
    used: fn(&Session) -> u64,
    foretell: Foretell<A>,
    usual: &Usual,
) -> Vec<Point> {
    let mut points = Vec::new();
    let mut prior = Prior::default();
    for session in sessions {
        let mut forecast = Forecast::new(&prior);
        let mut calls = session.calls.iter().peekable();
        for at in moments(session) {
            while let Some((when, call)) = calls.next_if(|(when, _)| *when <= at) {
                forecast.observe(*call, *when);
            }
            if let Some(outlook) = foretell(&forecast, at, end(session)) {
                let share = (at.0 * 100 / session.end.0).max(1);
                points.push(Point::new(&outlook, used(session).max(1), share));
            }
        }
        if let Usual::Learnt = usual {
            for (when, call) in calls {
                forecast.observe(*call, *when);
            }
            prior.learn(forecast.finished(session.end));
        }
    }
    points
}

fn tenths(session: &Session) -> Vec<Millis> {
    (1..=9)
        .map(|tenth| Millis(session.end.0 * tenth / 10 + 1))
        .collect()
}

fn five_minutes(session: &Session) -> Vec<Millis> {
    let moments = (1..).map(|five| minutes(5 * five));
    moments.take_while(|at| *at < session.end).collect()
}

const fn planned(session: &Session) -> End {
    End::Planned(session.end)
}

/// The figures of a row.
struct Figures {
    mape: f64,
    male: f64,
    lpin: f64,
    c80: f64,
    c95: f64,
    w80: f64,
    naive_mape: f64,
    naive_male: f64,
}

fn share(points: &[Point], holds: impl Fn(&Point) -> bool) -> f64 {
    points.iter().filter(|point| holds(point)).count() as f64 / points.len().max(1) as f64
}

fn figures(points: &[Point]) -> Figures {
    let over = |number: fn(&Point) -> f64| mean(&points.iter().map(number).collect::<Vec<_>>());
    Figures {
        mape: over(Point::relative),
        male: over(|point| point.off.abs()),
        lpin: over(|point| point.pinball),
        c80: share(points, |point| point.in_80),
        c95: share(points, |point| point.in_95),
        w80: over(|point| point.width),
        naive_mape: over(|point| (point.naive.exp() - 1.0).abs()),
        naive_male: over(|point| point.naive.abs()),
    }
}

/// Prints a row beside the reference: MAPE, MALE, lpin, c80, c95.
fn row(name: &str, points: &[Point], reference: [&str; 5]) -> Figures {
    let figures = figures(points);
    let Figures {
        mape,
        male,
        lpin,
        c80,
        c95,
        w80,
        ..
    } = figures;
    println!(
        "{name:<34} {:>5} | {mape:.3} ({}) | {male:.3} ({}) | {lpin:.4} ({}) | {c80:.2} ({}) | {c95:.2} ({}) | \
         {w80:.2} | naive {:.3} {:.3}",
        points.len(),
        reference[0],
        reference[1],
        reference[2],
        reference[3],
        reference[4],
        figures.naive_mape,
        figures.naive_male,
    );
    figures
}

fn total(forecast: &Forecast, at: Millis, end: End) -> Option<Outlook<Tokens>> {
    forecast.total(at, end)
}

fn fresh(forecast: &Forecast, at: Millis, end: End) -> Option<Outlook<Tokens>> {
    forecast.fresh(at, end)
}

fn cost(forecast: &Forecast, at: Millis, end: End) -> Option<Outlook<NanoUsd>> {
    forecast.cost(at, end)
}

#[test]
fn totals_are_foretold_as_well_as_where_the_method_was_designed() {
    let Some(folder) = traces::folder() else { return };
    let sessions = traces::all(&folder);
    let natural = traces::natural(&sessions);
    println!("ours (reference); MALE = mean |ln(forecast / truth)|, lpin = pinball loss of the logarithm");
    println!(
        "{:<34} points | MAPE | MALE | lpin | c80 | c95 | w80 | naive MAPE, MALE",
        ""
    );

    let all = points(&natural, tenths, planned, Session::total, total, &Usual::BuiltIn);
    let on_natural = row(
        "all tokens, natural ends",
        &all,
        [".294", ".326", ".0719", ".84", ".96"],
    );
    let quarters: [(u64, Moments); 3] = [
        (25, |session| vec![Millis(session.end.0 / 4)]),
        (50, |session| vec![Millis(session.end.0 / 2)]),
        (75, |session| vec![Millis(session.end.0 / 4 * 3)]),
    ];
    for (percent, at) in quarters {
        let some = points(&natural, at, planned, Session::total, total, &Usual::BuiltIn);
        row(&format!("  at {percent} % of the session"), &some, ["-"; 5]);
    }
    let every = points(
        &natural,
        five_minutes,
        planned,
        Session::total,
        total,
        &Usual::BuiltIn,
    );
    let on_every = row(
        "  every five minutes",
        &every,
        [".274", ".301", ".0656", ".84", ".96"],
    );
    let long: Vec<_> = natural
        .iter()
        .filter(|long| long.end >= minutes(60))
        .cloned()
        .collect();
    let of_long = points(&long, tenths, planned, Session::total, total, &Usual::BuiltIn);
    row(
        "  sessions of an hour or more",
        &of_long,
        [".333", ".334", ".0726", ".80", ".96"],
    );
    let fixed = points(
        &traces::fixed(&sessions),
        tenths,
        planned,
        Session::total,
        total,
        &Usual::BuiltIn,
    );
    let on_fixed = row(
        "all tokens, 30, 60, 90 minutes",
        &fixed,
        [".418", ".360", ".0812", ".71", ".85"],
    );
    let three = points(
        &traces::three_agents(&sessions),
        tenths,
        planned,
        Session::total,
        total,
        &Usual::BuiltIn,
    );
    let on_three = row(
        "all tokens, three agents",
        &three,
        [".239", ".290", ".0620", ".77", ".92"],
    );
    let costs = |session: &Session| {
        let costs = session.calls.iter().map(|(_, call)| call.cost.unwrap().units());
        costs.sum()
    };
    let money = points(&natural, tenths, planned, costs, cost, &Usual::BuiltIn);
    let on_money = row(
        "cost, natural ends",
        &money,
        [".240", ".255", ".0577", ".85", ".97"],
    );
    let anew = |session: &Session| session.calls.iter().map(|(_, call)| call.fresh.0).sum();
    let of_fresh = points(&natural, tenths, planned, anew, fresh, &Usual::BuiltIn);
    let on_fresh = row(
        "fresh tokens, natural ends",
        &of_fresh,
        [".251", ".251", ".0568", ".83", ".95"],
    );
    let open = points(
        &natural,
        tenths,
        |_| End::Open,
        Session::total,
        total,
        &Usual::BuiltIn,
    );
    let on_open = row("all tokens, open end", &open, ["-"; 5]);

    let own = points(&natural, tenths, planned, Session::total, total, &Usual::Learnt);
    let on_own = row(
        "natural ends, learnt from others'",
        &own,
        [".300", ".320", ".0703", ".87", ".97"],
    );
    // The draws share sessions, so that this is kinder than a user's history would be.
    let three = points(
        &traces::three_agents(&sessions),
        tenths,
        planned,
        Session::total,
        total,
        &Usual::Learnt,
    );
    let on_own_three = row("three agents, learnt", &three, ["-"; 5]);

    let apes: Vec<f64> = all.iter().map(Point::relative).collect();
    println!(
        "median error {:.3} (.217); MASE {:.3} (.768)",
        median(&apes),
        on_natural.mape / on_natural.naive_mape
    );
    let mut words = Vec::new();
    for word in [Confidence::High, Confidence::Medium, Confidence::Low] {
        let some: Vec<f64> = all
            .iter()
            .filter(|point| point.confidence == word)
            .map(Point::relative)
            .collect();
        println!(
            "confidence {word:?}: {} points, mean error {:.3}",
            some.len(),
            mean(&some)
        );
        words.push(mean(&some));
    }
    assert!(words.is_sorted(), "the surer the word, the smaller the error");

    // What is reached, and a little: whatever makes one of these worse has to be wanted.
    let reached = [
        ("natural", &on_natural, 0.285, 0.312, 0.0695),
        ("every five minutes", &on_every, 0.286, 0.304, 0.0664),
        ("fixed", &on_fixed, 0.470, 0.380, 0.0862),
        ("three agents", &on_three, 0.260, 0.331, 0.0642),
        ("cost", &on_money, 0.243, 0.251, 0.0571),
        ("fresh", &on_fresh, 0.263, 0.258, 0.0579),
        ("learnt", &on_own, 0.298, 0.314, 0.0698),
        ("three agents, learnt", &on_own_three, 0.212, 0.230, 0.0522),
        ("open", &on_open, 0.505, 0.495, 0.1170),
    ];
    for (name, figures, mape, male, lpin) in reached {
        assert!(figures.mape <= mape, "{name}: MAPE {}", figures.mape);
        assert!(figures.male <= male, "{name}: MALE {}", figures.male);
        assert!(figures.lpin <= lpin, "{name}: lpin {}", figures.lpin);
        assert!(
            figures.mape < figures.naive_mape || name == "open",
            "{name}: no better than the average"
        );
    }
    for (name, figures) in [
        ("natural", &on_natural),
        ("every five minutes", &on_every),
        ("cost", &on_money),
    ] {
        assert!(
            (0.78..=0.88).contains(&figures.c80),
            "{name}: {} in the 80 % band",
            figures.c80
        );
        assert!(
            (0.93..=0.98).contains(&figures.c95),
            "{name}: {} in the 95 % band",
            figures.c95
        );
    }
    assert!(on_fixed.c80 >= 0.70 && on_three.c80 >= 0.76 && on_fresh.c80 >= 0.78);
    assert!((0.80..=0.93).contains(&on_open.c80));
}
