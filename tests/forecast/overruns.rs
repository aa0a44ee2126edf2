//! Early warnings of budgets that do not last, and the time to a limit.

use moonlock::domain::forecast::alarm::Level;
use moonlock::domain::forecast::eval::{self, Budgets, OwnTokens, Warnings, limits, median, warnings};

use crate::traces;

fn print(name: &str, warnings: &Warnings, reference: &str) {
    println!(
        "{name:<34} P {:.2} R {:.2} F1 {:.3} | median lead {:.1} min | Brier {:.3} ECE {:.3} | false a day of work \
         and budget {:.2} | reference {reference}",
        warnings.precision(),
        warnings.recall(),
        warnings.f1(),
        median(&warnings.leads),
        warnings.brier(),
        warnings.calibration_error(),
        warnings.false_a_day(),
    );
}

#[test]
fn overruns_are_foretold() {
    let Some(folder) = traces::folder() else { return };
    let sessions = traces::all(&folder);
    let natural = eval::natural(&sessions);
    let fixed = eval::fixed(&sessions);
    let three = eval::three_agents(&sessions);
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
        let figures = warnings(sessions, level, Budgets::Tied, OwnTokens::default);
        print(name, &figures, reference);
        figures
    });
    let free = warnings(&natural, Level::Likely, Budgets::Independent, OwnTokens::default);
    print(
        "natural, budgets of its own",
        &free,
        "(kept aside) Brier .099 ECE .028",
    );
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
    let sessions = eval::natural(&traces::all(&folder));
    let score = limits(&sessions, OwnTokens::default);
    println!(
        "time to limit: {} forecasts, median error {:.1} min (5.6), mean {:.1} (13.0), within a factor of two {:.2} \
         (.63), 80 % range holds {:.2} (.83)",
        score.forecasts, score.median_error, score.mean_error, score.within_two, score.held,
    );
    assert!(score.median_error <= 5.6);
    assert!(score.mean_error <= 13.0);
    assert!((0.78..=0.88).contains(&score.held));
}
