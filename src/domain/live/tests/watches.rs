//! What is watched about sessions that run, and told as alerts.

use super::alerts::told;
use super::*;
use crate::domain::alert::{AlertStatus, Scope};
use crate::domain::budget::AllowancePatch;
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
    // How many they are is told once, when they begin; nothing of what they do is a loop or a jump.
    let other: Vec<_> = names(&alerts)
        .into_iter()
        .filter(|(rule, _)| *rule != "calls.burst")
        .collect();
    assert_eq!(other, []);
    assert!(names(&alerts).len() <= 2, "{:?}", names(&alerts));
}
