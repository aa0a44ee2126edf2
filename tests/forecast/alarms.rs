//! What is unusual: how soon it is seen when it is put into a session, and how often it is seen where it is not.

use fastrand::Rng;
use moonlock::domain::forecast::CallUse;
use moonlock::domain::forecast::alarm::{Loops, Signal, Thread, Threads};
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
    let fleet = number(score.fleet_alarms_per_hour);
    println!("alarms in an hour of twenty agents at once {fleet:.2}");
    println!("idle notices an hour {notices:.2} (1.0)");
    assert!(an_hour <= 0.1);
    assert!(five.0 >= 0.48 && five.1 <= 1.0);
    assert!(ten.0 >= 0.82 && ten.1 <= 0.75);
    assert!(size.0 >= 0.96 && size.1 <= 0.5);
    assert!(notices <= 1.1);
}

/// How often a thread is seen to loop.
fn loops(calls: impl Iterator<Item = (Millis, CallUse)>) -> usize {
    let mut loops = Loops::default();
    calls
        .filter(|(at, call)| matches!(loops.observe(*call, *at), Some(Signal::Raise(_))))
        .count()
}

#[test]
fn loops_are_told_from_work() {
    let Some(folder) = traces::folder() else { return };
    let sessions = traces::all(&folder);
    let (mut raised, mut uncached, mut found) = (0, 0, 0);
    let mut random = Rng::with_seed(3);
    for session in &sessions {
        raised += loops(session.calls.iter().copied());
        let without_cache = |call: CallUse| CallUse {
            fresh: call.total,
            ..call
        };
        uncached += loops(session.calls.iter().map(|(at, call)| (*at, without_cache(*call))));
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
        found += usize::from(loops(calls.into_iter()) > 0);
    }
    println!(
        "loops: {raised} sessions of {} seen as loops that are none, {uncached} if none had a cache; {found} found of {}",
        sessions.len(),
        sessions.len(),
    );
    let mut fleet: Vec<_> = sessions[..20]
        .iter()
        .flat_map(|session| {
            let thread = Thread::of(Some(&session.id), None);
            session.calls.iter().map(move |(at, call)| (thread, *at, *call))
        })
        .collect();
    fleet.sort_by_key(|(_, at, _)| *at);
    let mut threads = Threads::default();
    let looping = fleet.into_iter().filter(|(thread, at, call)| {
        let changed = threads.observe(*thread, *call, *at, || ());
        changed.is_some_and(|(_, alarms)| alarms.repeats.is_some())
    });
    assert_eq!(looping.count(), 0, "twenty conversations at once are no loop");
    assert_eq!(raised, 0);
    assert!(uncached <= 28);
    assert_eq!(found, sessions.len());
}
