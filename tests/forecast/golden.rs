//! What the method gives for some sessions, computed elsewhere.

use moonlock::domain::forecast::{End, Forecast, Prior};
use moonlock::domain::units::{Millis, Tokens};
use serde_json::Value;

use crate::traces;

/// The moments are rounded to milliseconds here and the amounts to whole tokens: this is what that can do.
const ROUNDING: f64 = 3e-6;

#[test]
fn the_formulas_give_what_was_computed_elsewhere() {
    let Some(folder) = traces::folder() else { return };
    let sessions = traces::all(&folder);
    let golden: Value = serde_json::from_slice(&std::fs::read(folder.join("golden.json")).unwrap()).unwrap();
    let mut compared = 0;
    let mut farthest = 0.0_f64;
    for expected in golden.as_array().unwrap() {
        let id = expected["session"].as_str().unwrap();
        let Some(session) = sessions.iter().find(|session| session.id == id) else {
            println!("{id} is not among the sessions");
            continue;
        };
        let end = End::Planned(Millis(
            (expected["T_min"].as_f64().unwrap() * 60_000.0).round() as u64
        ));
        for row in expected["rows"].as_array().unwrap() {
            let minute = |key: &str| row[key].as_f64().unwrap() * 60_000.0;
            let at = Millis(minute("t_min").round() as u64);
            let mut forecast = Forecast::new(&Prior::default());
            for (when, call) in session.calls.iter().filter(|(when, _)| *when <= at) {
                forecast.observe(*call, *when);
            }
            let budget = Tokens(expected["total"].as_u64().unwrap());
            let outlook = forecast.total(at, end).unwrap();
            let limit = forecast.tokens_limit(at, budget).unwrap().expected;
            assert_eq!(outlook.spent.0, row["spent"].as_u64().unwrap());
            let mut check = |key: &str, ours: f64, unit: f64| {
                let theirs = row[key].as_f64().unwrap();
                let off = (ours - theirs).abs();
                assert!(
                    off <= unit + ROUNDING * theirs.abs(),
                    "{id} {key}: {ours} for {theirs}"
                );
                compared += 1;
                farthest = farthest.max((off - unit).max(0.0) / theirs.abs());
            };
            check("rate_per_min", outlook.per_minute.0 as f64, 0.5);
            check("median", outlook.expected.0 as f64, 0.5);
            check("p10", outlook.band_80.low.0 as f64, 0.5);
            check("p90", outlook.band_80.high.0 as f64, 0.5);
            check("p2_5", outlook.band_95.low.0 as f64, 0.5);
            check("p97_5", outlook.band_95.high.0 as f64, 0.5);
            check(
                "p_over_true_total",
                forecast.tokens_overrun(at, end, budget).unwrap().get(),
                0.0,
            );
            if let Some(limit) = limit {
                check("eta_true_total", limit.0 as f64 / 60_000.0, 0.5 / 60_000.0);
            }
        }
    }
    println!(
        "{compared} values agree; beyond the rounding to a unit, the farthest is off by {farthest:.1e} of it"
    );
    assert!(compared >= 100);
}
