//! What is unusual: how soon it is seen when it is put into a session, and how often it is seen where it is not.

use fastrand::Rng;
use serde::Serialize;

use super::recording::Recording;
use super::{mean, median, minutes};
use crate::domain::forecast::CallUse;
use crate::domain::forecast::alarm::{Alarms, IdleNotice, Signal, Thread, Threads};
use crate::domain::units::{Millis, Tokens};

/// How long what is put in lasts.
const BURST: Millis = Millis(180_000);
/// So many are put into each session, one after the other.
const INJECTIONS: usize = 3;
/// What follows within ten minutes is the same.
const REFRACTORY: Millis = Millis(600_000);

/// So many agents are a fleet.
const FLEET: usize = 20;

type Calls = Vec<(Millis, CallUse)>;

/// How well the alarms tell what is unusual, on sessions of twenty minutes or more.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AnomalyScore {
    /// The sessions' hours.
    pub hours: Option<f64>,
    /// Bursts and jumps of size that are told in an hour where none was put in.
    pub false_alarms_per_hour: Option<f64>,
    /// Share that is found of three minutes with five times the session's mean rate of calls on top.
    pub calls_x5_found: Option<f64>,
    /// The median minutes until they are.
    pub calls_x5_delay_min: Option<f64>,
    /// Share that is found of three minutes with ten times the rate.
    pub calls_x10_found: Option<f64>,
    /// The median minutes until they are.
    pub calls_x10_delay_min: Option<f64>,
    /// Share that is found of three minutes with calls of five times the size.
    pub size_x5_found: Option<f64>,
    /// The median minutes until they are.
    pub size_x5_delay_min: Option<f64>,
    /// Bursts, jumps of size and loops that are told in an hour of twenty sessions at once, each an agent of its own.
    pub fleet_alarms_per_hour: Option<f64>,
    /// Idle notices in an hour.
    pub idle_notices_per_hour: Option<f64>,
}

/// Scores the alarms.
#[must_use]
pub fn score(sessions: &[Recording]) -> AnomalyScore {
    let long: Vec<&Recording> = sessions
        .iter()
        .filter(|session| session.end >= minutes(20))
        .collect();
    let hours: f64 = long.iter().map(|session| session.hours()).sum();
    let alarms: usize = long.iter().map(|session| onsets(&session.calls).len()).sum();
    let notices: usize = long.iter().map(|session| idle_notices(session)).sum();
    let five = found(&long, |session, start, random| {
        more_calls(session, start, 5.0, random)
    });
    let ten = found(&long, |session, start, random| {
        more_calls(session, start, 10.0, random)
    });
    let size = found(&long, |session, start, _| larger_calls(session, start, 5));
    let some = |number: f64| number.is_finite().then_some(number);
    AnomalyScore {
        hours: some(hours),
        false_alarms_per_hour: some(alarms as f64 / hours),
        calls_x5_found: some(five.0),
        calls_x5_delay_min: some(five.1),
        calls_x10_found: some(ten.0),
        calls_x10_delay_min: some(ten.1),
        size_x5_found: some(size.0),
        size_x5_delay_min: some(size.1),
        fleet_alarms_per_hour: some(fleets(sessions)),
        idle_notices_per_hour: some(notices as f64 / hours),
    }
}

/// Moments at which a burst or a jump of size is told.
#[must_use]
pub fn onsets(calls: &[(Millis, CallUse)]) -> Vec<Millis> {
    let calls = calls.iter().map(|(at, call)| (Thread::default(), *at, *call));
    let is_one = |alarms: &Alarms| {
        let burst = matches!(alarms.burst, Some(Signal::Raise(_)));
        burst || matches!(alarms.jump, Some(Signal::Raise(_)))
    };
    told(calls, is_one)
}

/// Moments at which something that is asked for is told of a thread, the same for ten minutes.
fn told(
    calls: impl Iterator<Item = (Thread, Millis, CallUse)>,
    is_one: impl Fn(&Alarms) -> bool,
) -> Vec<Millis> {
    let mut threads = Threads::default();
    let mut onsets: Vec<Millis> = Vec::new();
    for (thread, at, call) in calls {
        let is_told = threads
            .observe(thread, call, at, || ())
            .is_some_and(|(_, alarms)| is_one(&alarms));
        let is_new = onsets.last().is_none_or(|last| at.0 - last.0 >= REFRACTORY.0);
        if is_told && is_new {
            onsets.push(at);
        }
    }
    onsets
}

/// Alarms in an hour of twenty agents that work at once: all of them are false.
fn fleets(sessions: &[Recording]) -> f64 {
    let (mut alarms, mut hours) = (0, 0.0);
    for fleet in sessions.chunks_exact(FLEET) {
        let mut calls: Vec<_> = fleet
            .iter()
            .flat_map(|session| {
                let thread = Thread::of(Some(&session.id), None);
                session.calls.iter().map(move |(at, call)| (thread, *at, *call))
            })
            .collect();
        calls.sort_by_key(|(_, at, _)| *at);
        alarms += told(calls.into_iter(), Alarms::raises).len();
        hours += fleet.iter().map(Recording::hours).fold(0.0, f64::max);
    }
    alarms as f64 / hours
}

fn idle_notices(session: &Recording) -> usize {
    let mut idle = IdleNotice::default();
    let told = session.calls.iter().filter(|(at, _)| {
        let told = idle.advance(*at).is_some();
        idle.observe(*at);
        told
    });
    told.count()
}

/// More calls, so many times the session's mean rate, of the size of the one before.
fn more_calls(session: &Recording, start: Millis, times: f64, random: &mut Rng) -> Calls {
    let mean_rate = session.calls.len() as f64 / session.end.0 as f64;
    let added = (mean_rate * times * BURST.0 as f64).round() as usize;
    let before = session.calls.iter().rev().find(|(at, _)| *at <= start);
    let like = before
        .or(session.calls.first())
        .map(|(_, call)| *call)
        .unwrap_or_default();
    let mut calls = session.calls.clone();
    calls.extend((0..added).map(|_| (Millis(start.0 + random.u64(..BURST.0)), like)));
    calls.sort_by_key(|(at, _)| *at);
    calls
}

fn larger_calls(session: &Recording, start: Millis, times: u64) -> Calls {
    let inside = |at: Millis| start <= at && at.0 < start.0 + BURST.0;
    let larger = |call: CallUse| CallUse {
        total: Tokens(call.total.0 * times),
        ..call
    };
    let calls = session.calls.iter();
    calls
        .map(|(at, call)| (*at, if inside(*at) { larger(*call) } else { *call }))
        .collect()
}

/// The share that is found, and the median delay in minutes.
fn found(sessions: &[&Recording], inject: impl Fn(&Recording, Millis, &mut Rng) -> Calls) -> (f64, f64) {
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
            let told = onsets(&calls);
            let seen = told
                .into_iter()
                .find(|at| start <= at && at.0 <= start.0 + BURST.0);
            hits.push(f64::from(seen.is_some()));
            delays.extend(seen.map(|at| (at.0 - start.0) as f64 / 60_000.0));
        }
    }
    (mean(&hits), median(&delays))
}
