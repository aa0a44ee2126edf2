//! What is unusual: how soon it is seen when it is put into a session, and how often it is seen where it is not.

use fastrand::Rng;
use moonlock::domain::forecast::CallUse;
use moonlock::domain::forecast::alarm::{Loops, Signal};
use moonlock::domain::forecast::eval::anomalies;
use moonlock::domain::units::{Millis, Tokens};

use crate::traces;

#[test]
fn bursts_and_jumps_are_found_without_crying_wolf() {
    let Some(folder) = traces::folder() else { return };
    let score = anomalies(&traces::all(&folder));
    let number = |number: Option<f64>| number.unwrap();
    let an_hour = number(score.false_alarms_per_hour);
    let five = (number(score.calls_x5_found), number(score.calls_x5_delay_min));
    let ten = (number(score.calls_x10_found), number(score.calls_x10_delay_min));
    let size = (number(score.size_x5_found), number(score.size_x5_delay_min));
    let notices = number(score.idle_notices_per_hour);
    println!("{:.0} h; ours (reference)", number(score.hours));
    println!(
        "false alarms an hour {an_hour:.2} (.25), a day of work {:.1} (6.0)",
        an_hour * 24.0
    );
    println!(
        "five times the calls {:.2} (.48), after {:.2} min (1.0)",
        five.0, five.1
    );
    println!(
        "ten times the calls {:.2} (.82), after {:.2} min (.75)",
        ten.0, ten.1
    );
    println!(
        "five times the size {:.2} (.96), after {:.2} min (.5)",
        size.0, size.1
    );
    println!("idle notices an hour {notices:.2} (1.0)");
    assert!(an_hour <= 0.1);
    assert!(five.0 >= 0.48 && five.1 <= 1.0);
    assert!(ten.0 >= 0.82 && ten.1 <= 0.75);
    assert!(size.0 >= 0.96 && size.1 <= 0.5);
    assert!(notices <= 1.1);
}

/// Conversations that are seen to loop.
fn loops<'a>(calls: impl Iterator<Item = (Option<&'a str>, Millis, CallUse)>) -> usize {
    let mut loops = Loops::default();
    calls
        .filter(|(name, at, call)| matches!(loops.observe(*name, *call, *at), Some(Signal::Raise(_))))
        .count()
}

#[test]
fn loops_are_told_from_work() {
    let Some(folder) = traces::folder() else { return };
    let sessions = traces::all(&folder);
    let (mut raised, mut uncached, mut found) = (0, 0, 0);
    let mut random = Rng::with_seed(3);
    for session in &sessions {
        raised += loops(session.calls.iter().map(|(at, call)| (None, *at, *call)));
        let without_cache = |call: CallUse| CallUse {
            fresh: call.total,
            ..call
        };
        uncached += loops(
            session
                .calls
                .iter()
                .map(|(at, call)| (None, *at, without_cache(*call))),
        );
        // The session's last call once more, and again, each with a word more or less.
        let mut calls = session.calls.clone();
        let (last, call) = calls[calls.len() - 1];
        for again in 1..=40 {
            let mut near =
                |tokens: Tokens| Tokens((tokens.0.max(100) as f64 * (0.95 + 0.1 * random.f64())) as u64);
            let like = CallUse {
                fresh: near(call.fresh),
                generated: near(call.generated),
                ..call
            };
            calls.push((Millis(last.0 + again * 8_000), like));
        }
        found += usize::from(loops(calls.iter().map(|(at, call)| (None, *at, *call))) > 0);
    }
    println!(
        "loops: {raised} sessions of {} seen as loops that are none, {uncached} if none had a cache; {found} found of {}",
        sessions.len(),
        sessions.len(),
    );
    let mut fleet: Vec<_> = sessions[..20]
        .iter()
        .flat_map(|session| {
            session
                .calls
                .iter()
                .map(|(at, call)| (Some(session.id.as_str()), *at, *call))
        })
        .collect();
    fleet.sort_by_key(|(_, at, _)| *at);
    assert_eq!(
        loops(fleet.into_iter()),
        0,
        "twenty conversations at once are no loop"
    );
    assert_eq!(raised, 0);
    assert!(uncached <= 28);
    assert_eq!(found, sessions.len());
}
