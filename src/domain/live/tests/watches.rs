//! What is watched about sessions that run, and told as alerts.

use super::alerts::told;
use super::*;
use crate::domain::alert::{AlertStatus, Scope};
use crate::domain::budget::AllowancePatch;
use crate::domain::call::SubAgent;
use crate::domain::wire::AlertView;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60_000;

/// A session of an hour with so large a budget.
fn session(budget: u64) -> (State, SessionId) {
    let mut state = State::default();
    let id = create(&mut state, 1, "work", Some(Millis(3_600_000)), 0);
    let patch = Patch {
        allowance: AllowancePatch {
            tokens: Some(Some(Tokens(budget))),
            ..AllowancePatch::default()
        },
        ..Patch::default()
    };
    let input = Input::Change {
        id,
        patch,
        revision: None,
    };
    assert_eq!(state.step(at(0), input).answer, Ok(()));
    (state, id)
}

/// A call of a conversation that ends at a moment, and what is told until then and at the next look.
fn call(state: &mut State, n: u128, conversation: &str, tokens: (u64, u64), ms: i64) -> Vec<AlertView> {
    let mut effects = pass(state, ms);
    let start = CallStart {
        started_at: at(ms - 5).wall,
        conversation: Some(conversation.into()),
        ..start(n, None)
    };
    effects.extend(state.step(at(ms), Input::CallStarted(start)).effects);
    let end = end(Outcome::Complete, tokens.0, tokens.1);
    effects.extend(state.step(at(ms), call_ends(call_id(n), end)).effects);
    told(&effects)
}

/// Lets time pass, looked at as often as it is.
fn pass(state: &mut State, until: i64) -> Vec<Effect> {
    let from = state.looked_at.map_or(0, |looked| looked.boot.millis());
    let looks = (from..until).step_by(20_000).skip(1).chain([until]);
    looks
        .flat_map(|ms| state.step(at(ms), Input::LookAhead).effects)
        .collect()
}

fn names(alerts: &[AlertView]) -> Vec<(&str, AlertStatus)> {
    let names = alerts.iter().map(|alert| (alert.rule.name(), alert.status));
    names.filter(|(rule, _)| !rule.starts_with("budget")).collect()
}

#[test]
fn an_overrun_is_foretold_once_from_the_fifth_call_on_and_is_over_when_it_is_unlikely() {
    let (mut state, id) = session(3_000_000);
    let mut alerts = Vec::new();
    for n in 1..=4 {
        alerts.extend(call(
            &mut state,
            n,
            "a",
            (200_000, 500),
            i64::try_from(n).unwrap() * 10 * SECOND,
        ));
    }
    alerts.extend(told(&pass(&mut state, 45 * SECOND)));
    assert_eq!(names(&alerts), [], "four calls say too little");
    for n in 5..=8 {
        alerts.extend(call(
            &mut state,
            n,
            "a",
            (200_000, 500),
            i64::try_from(n).unwrap() * 10 * SECOND,
        ));
    }
    alerts.extend(told(&pass(&mut state, 2 * MINUTE)));
    let raised: Vec<_> = alerts
        .iter()
        .filter(|alert| alert.rule.name() == "overrun.tokens")
        .collect();
    assert_eq!(raised.len(), 1, "{alerts:?}");
    assert_eq!(raised[0].scope, Scope::session(id));
    let warned = state.sessions[&id].ahead.as_ref().unwrap().shown.clone();
    assert_ne!(
        warned,
        crate::domain::forecast::Shown::default(),
        "it is looked back on"
    );
    // Nobody asks anything until the end is near.
    let mut later = Vec::new();
    for minutes in 1..=57 {
        later.extend(told(&pass(&mut state, (2 + minutes) * MINUTE)));
    }
    let over = later
        .iter()
        .filter(|alert| alert.rule.name() == "overrun.tokens")
        .count();
    assert_eq!(over, 1, "{later:?}");
}

#[test]
fn a_session_whose_clock_runs_without_calls_is_told_once_and_the_next_call_ends_it() {
    let (mut state, _) = session(1_000_000_000);
    assert_eq!(names(&told(&pass(&mut state, 9 * MINUTE))), []);
    let idle = told(&pass(&mut state, 20 * MINUTE));
    assert_eq!(names(&idle), [("session.idle", AlertStatus::Active)]);
    call(&mut state, 1, "a", (100, 10), 21 * MINUTE);
    let over = told(&pass(&mut state, 22 * MINUTE));
    assert_eq!(names(&over), [("session.idle", AlertStatus::Cleared)]);
}

#[test]
fn a_call_that_takes_long_is_not_idleness() {
    let (mut state, _) = session(1_000_000_000);
    state.step(at(0), Input::CallStarted(start(1, None)));
    assert_eq!(names(&told(&pass(&mut state, 30 * MINUTE))), []);
}

#[test]
fn a_loop_is_told_for_its_conversation() {
    let (mut state, id) = session(1_000_000_000);
    let mut alerts = Vec::new();
    for n in 1..=30 {
        let ms = i64::try_from(n).unwrap() * 8 * SECOND;
        alerts.extend(call(&mut state, n, "circles", (1_000, 50), ms));
    }
    let looping: Vec<_> = alerts
        .iter()
        .filter(|alert| alert.rule.name() == "calls.loop")
        .collect();
    assert_eq!(looping.len(), 1, "{alerts:?}");
    let scope = Scope::Conversation {
        session_id: Some(id),
        conversation: "circles".into(),
    };
    assert_eq!(looping[0].scope, scope);
}

#[test]
fn a_fleet_at_work_is_silent() {
    let (mut state, _) = session(1_000_000_000_000);
    let mut alerts = Vec::new();
    let mut n = 0;
    for round in 1..=60_u64 {
        for agent in 0..20_u64 {
            n += 1;
            let ms = i64::try_from(round * 20_000 + agent * 900).unwrap();
            let size = 2_000 + (round * 7_919 + agent * 104_729) % 3_000;
            let output = 20 + (round * 31 + agent * 17) % 400;
            alerts.extend(call(&mut state, n, &format!("agent {agent}"), (size, output), ms));
        }
    }
    assert_eq!(names(&alerts), []);
}

/// The live state as it is after a restart, once the user has let the clock go on.
fn restarted(state: &State, id: SessionId, ms: i64) -> State {
    let live = &state.sessions[&id];
    let calls = state.recent.iter().filter(|call| call.session == Some(id));
    let restored = Restored {
        sessions: vec![RestoredSession {
            session: live.session.clone(),
            totals: live.totals,
            marks: live.marks.clone(),
            heartbeat: Some(at(ms)),
            past: calls.filter_map(|call| PastCall::of(call)).collect(),
            shown: Shown::default(),
        }],
        current: Some(id),
        alerts: state.alerts.standing().cloned().collect(),
        ..Restored::default()
    };
    let (mut state, _) = State::restore(restored, at(ms), 0);
    assert_eq!(change(&mut state, id, TimerChange::Resume, ms), Ok(()));
    state
}

#[test]
fn calls_while_the_clock_stands_are_no_burst() {
    let (mut state, id) = session(1_000_000_000);
    let steady = |state: &mut State, first: u128, from: i64| {
        let calls = (0..40_u128).flat_map(|n| {
            let ms = from + i64::try_from(n).unwrap() * 20 * SECOND;
            call(state, first + n, "a", (2_000 + n as u64 * 7_919 % 3_000, 50), ms)
        });
        calls.collect::<Vec<_>>()
    };
    assert_eq!(names(&steady(&mut state, 1, SECOND)), []);
    assert_eq!(change(&mut state, id, TimerChange::Pause, 14 * MINUTE), Ok(()));
    assert_eq!(names(&steady(&mut state, 100, 15 * MINUTE)), []);
    assert_eq!(change(&mut state, id, TimerChange::Resume, 30 * MINUTE), Ok(()));
    assert_eq!(names(&steady(&mut state, 200, 31 * MINUTE)), []);
}

/// Calls of one agent of a conversation: how many, how many milliseconds apart.
fn agent_calls(
    state: &mut State,
    agent: &str,
    first: u128,
    count: u128,
    apart: i64,
    from: i64,
) -> Vec<AlertView> {
    let calls = (0..count).flat_map(|n| {
        let ms = from + i64::try_from(n).unwrap() * apart;
        let mut effects = pass(state, ms);
        let start = CallStart {
            started_at: at(ms - 5).wall,
            conversation: Some("work".into()),
            agent: Some(SubAgent {
                id: agent.into(),
                parent: None,
            }),
            ..start(first + n, None)
        };
        effects.extend(state.step(at(ms), Input::CallStarted(start)).effects);
        let end = end(Outcome::Complete, 1_000, 50);
        effects.extend(state.step(at(ms), call_ends(call_id(first + n), end)).effects);
        told(&effects)
    });
    calls.collect()
}

#[test]
fn what_an_agent_does_is_told_of_it_once_also_over_restarts() {
    let (mut state, id) = session(1_000_000_000);
    let mut alerts = agent_calls(&mut state, "one", 1, 30, 8 * SECOND, MINUTE);
    alerts.extend(told(&pass(&mut state, 6 * MINUTE)));
    let scope = Scope::Agent {
        session_id: id,
        conversation: "work".into(),
        agent: "one".into(),
    };
    let looping: Vec<_> = alerts
        .iter()
        .map(|alert| (alert.rule.name(), &alert.scope))
        .collect();
    assert_eq!(looping, [("calls.loop", &scope)]);

    let mut state = restarted(&state, id, 6 * MINUTE);
    let mut again = agent_calls(&mut state, "one", 100, 30, 8 * SECOND, 6 * MINUTE);
    again.extend(agent_calls(&mut state, "two", 200, 5, 8 * SECOND, 11 * MINUTE));
    assert_eq!(names(&again), [], "it goes on, and the other does nothing");

    let mut state = restarted(&state, id, 12 * MINUTE);
    let over = told(&pass(&mut state, 23 * MINUTE));
    let over: Vec<_> = over
        .iter()
        .filter(|alert| alert.rule.name() != "session.idle")
        .collect();
    let over: Vec<_> = over.iter().map(|alert| (&alert.scope, alert.status)).collect();
    assert_eq!(over, [(&scope, AlertStatus::Cleared)]);
}

#[test]
fn what_stands_is_taken_up_after_a_restart() {
    // An overrun, a burst, and a clock that runs without calls: each is told before, and not again after.
    let (mut state, id) = session(3_000_000);
    let mut before = Vec::new();
    for n in 1..=70 {
        let ms = MINUTE + i64::try_from(n).unwrap() * SECOND / 2;
        before.extend(call(
            &mut state,
            n,
            "a",
            (20_000 + n as u64 * 7_919 % 20_000, 50),
            ms,
        ));
    }
    before.extend(told(&pass(&mut state, 2 * MINUTE)));
    let rules = |alerts: &[AlertView]| {
        let rules = names(alerts).into_iter().map(|(rule, _)| rule.to_owned());
        rules.collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(
        rules(&before),
        ["calls.burst", "overrun.tokens"].map(str::to_owned).into()
    );
    let mut state = restarted(&state, id, 2 * MINUTE);
    assert_eq!(names(&told(&pass(&mut state, 3 * MINUTE))), []);
    let idle = told(&pass(&mut state, 11 * MINUTE + 50 * SECOND));
    assert!(rules(&idle).contains("session.idle"), "{idle:?}");
    let mut state = restarted(&state, id, 12 * MINUTE);
    let after = told(&pass(&mut state, 13 * MINUTE));
    assert!(!rules(&after).contains("session.idle"), "{after:?}");
    let over = call(&mut state, 900, "a", (10, 10), 14 * MINUTE);
    let over = [over, told(&pass(&mut state, 15 * MINUTE))].concat();
    assert!(
        names(&over).contains(&("session.idle", AlertStatus::Cleared)),
        "{over:?}"
    );
}
