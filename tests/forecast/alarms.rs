//! What is unusual: how soon it is seen when it is put into a session, and how often it is seen where it is not.

use fastrand::Rng;
use moonlock::domain::forecast::CallUse;
use moonlock::domain::forecast::alarm::{Bursts, IdleNotice, Loops, Signal, SizeJumps};
use moonlock::domain::units::{Millis, Tokens};

use crate::traces::{self, Session, mean, median, minutes};

/// How long what is put in lasts.
const BURST: Millis = Millis(180_000);
const INJECTIONS: usize = 3;

type Calls = Vec<(Millis, CallUse)>;

/// Moments at which a burst or a jump is raised; what follows within ten minutes is the same.
fn onsets(calls: &Calls) -> Vec<Millis> {
    let (mut bursts, mut sizes) = (Bursts::default(), SizeJumps::default());
    let mut onsets: Vec<Millis> = Vec::new();
    for (at, call) in calls {
        let burst = matches!(bursts.observe(*at), Some(Signal::Raise(_)));
        let jump = matches!(sizes.observe(call.total, *at), Some(Signal::Raise(_)));
        let is_new = onsets.last().is_none_or(|last| at.0 - last.0 >= 600_000);
        if (burst || jump) && is_new {
            onsets.push(*at);
        }
    }
    onsets
}

fn larger(call: CallUse, times: u64) -> CallUse {
    CallUse {
        total: Tokens(call.total.0 * times),
        ..call
    }
}

/// More calls, so many times the session's mean rate, of the size of the one before.
fn more_calls(session: &Session, start: Millis, times: f64, random: &mut Rng) -> Calls {
    let mean_rate = session.calls.len() as f64 / session.end.0 as f64;
    let added = (mean_rate * times * BURST.0 as f64).round() as usize;
    let before = session.calls.iter().rev().find(|(at, _)| *at <= start);
    let like = before.unwrap_or(&session.calls[0]).1;
    let mut calls = session.calls.clone();
    calls.extend((0..added).map(|_| (Millis(start.0 + random.u64(..BURST.0)), like)));
    calls.sort_by_key(|(at, _)| *at);
    calls
}

fn larger_calls(session: &Session, start: Millis, times: u64) -> Calls {
    let inside = |at: Millis| start <= at && at.0 < start.0 + BURST.0;
    let calls = session.calls.iter();
    calls
        .map(|(at, call)| (*at, if inside(*at) { larger(*call, times) } else { *call }))
        .collect()
}

/// The share that is found, and the median delay in minutes.
fn found(sessions: &[Session], inject: impl Fn(&Session, Millis, &mut Rng) -> Calls) -> (f64, f64) {
    let mut random = Rng::with_seed(7);
    let (mut hits, mut delays) = (Vec::new(), Vec::new());
    for session in sessions {
        for _ in 0..INJECTIONS {
            let window = session
                .calls
                .iter()
                .filter(|(at, _)| minutes(5) <= *at && at.0 + BURST.0 <= session.end.0);
            let starts: Vec<Millis> = window.map(|(at, _)| *at).collect();
            let Some(start) = random.choice(&starts) else {
                continue;
            };
            let calls = inject(session, *start, &mut random);
            let seen = onsets(&calls)
                .into_iter()
                .find(|at| start <= at && at.0 <= start.0 + BURST.0);
            hits.push(f64::from(seen.is_some()));
            delays.extend(seen.map(|at| (at.0 - start.0) as f64 / 60_000.0));
        }
    }
    (mean(&hits), median(&delays))
}

#[test]
fn bursts_and_jumps_are_found_without_crying_wolf() {
    let Some(folder) = traces::folder() else { return };
    let mut sessions = traces::all(&folder);
    sessions.retain(|session| session.end >= minutes(20));
    let hours: f64 = sessions.iter().map(Session::hours).sum();
    let alarms: usize = sessions.iter().map(|session| onsets(&session.calls).len()).sum();
    let an_hour = alarms as f64 / hours;
    let five = found(&sessions, |session, start, random| {
        more_calls(session, start, 5.0, random)
    });
    let ten = found(&sessions, |session, start, random| {
        more_calls(session, start, 10.0, random)
    });
    let size = found(&sessions, |session, start, _| larger_calls(session, start, 5));
    println!("{} sessions, {hours:.0} h; ours (reference)", sessions.len());
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

    let mut notices = 0;
    for session in &sessions {
        let mut idle = IdleNotice::default();
        for (at, _) in &session.calls {
            notices += usize::from(idle.advance(*at).is_some());
            idle.observe(*at);
        }
    }
    let notices = notices as f64 / hours;
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
