//! What is foretold of sessions that run.

use super::*;
use crate::domain::budget::AllowancePatch;
use crate::domain::forecast::Shown;
use crate::domain::live::PastCall;
use crate::domain::record::Foretold;
use crate::domain::units::NanoUsd;
use crate::domain::wire;

const MINUTE: i64 = 60_000;

/// A call that ends at a moment.
fn ends(state: &mut State, n: u128, tokens: u64, ms: i64) -> Vec<Effect> {
    pass(state, ms);
    let start = CallStart {
        started_at: at(ms - 5).wall,
        ..start(n, None)
    };
    state.step(at(ms), Input::CallStarted(start));
    state
        .step(at(ms), call_ends(call_id(n), end(Outcome::Complete, tokens, 10)))
        .effects
}

/// Lets time pass until a moment, looked at as often as it is.
fn pass(state: &mut State, until: i64) -> Vec<Effect> {
    let from = state.looked_at.map_or(0, |looked| looked.boot.millis());
    let looks = (from..until).step_by(20_000).skip(1).chain([until]);
    looks
        .flat_map(|ms| state.step(at(ms), Input::LookAhead).effects)
        .collect()
}

/// A session of an hour with a budget, and a call each half minute for so many minutes.
fn busy(minutes: i64) -> (State, SessionId) {
    let mut state = State::default();
    let id = create(&mut state, 1, "work", Some(Millis(3_600_000)), 0);
    let budget = Patch {
        allowance: AllowancePatch {
            tokens: Some(Some(Tokens(2_000_000))),
            cost: Some(Some(NanoUsd(2_000_000_000))),
            ..AllowancePatch::default()
        },
        ..Patch::default()
    };
    let change = Input::Change {
        id,
        patch: budget,
        revision: None,
    };
    assert_eq!(state.step(at(0), change).answer, Ok(()));
    for half in 1..=minutes * 2 {
        ends(
            &mut state,
            100 + u128::from(half.unsigned_abs()),
            20_000 + 37 * half.unsigned_abs(),
            half * MINUTE / 2,
        );
    }
    (state, id)
}

fn foretold(effects: &[Effect]) -> Vec<&wire::Foretold> {
    let told = effects.iter().filter_map(|effect| match effect {
        Effect::Publish(event) => match &event.change {
            Change::Forecast(foretold) => Some(foretold),
            _ => None,
        },
        Effect::Write(_) => None,
    });
    told.collect()
}

fn noted(effects: &[Effect]) -> Vec<&Foretold> {
    let noted = effects.iter().filter_map(|effect| match effect {
        Effect::Write(Record::Foretold(foretold)) => Some(&**foretold),
        _ => None,
    });
    noted.collect()
}

/// The live state as it is after a restart: from what the database has.
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
        ..Restored::default()
    };
    State::restore(restored, at(ms), 0).0
}

#[test]
fn nothing_is_foretold_before_the_first_call() {
    let mut state = State::default();
    let id = create(&mut state, 1, "work", Some(Millis(3_600_000)), 0);
    let seen = view(&state, id, MINUTE);
    assert_eq!((seen.burn_rate, seen.forecast), (None, None));
    ends(&mut state, 100, 1_000, MINUTE);
    let seen = view(&state, id, MINUTE);
    assert!(seen.burn_rate.is_some());
    let forecast = seen.forecast.unwrap();
    assert_eq!((forecast.calls, forecast.total.spent), (1, 1_010));
    assert_eq!(forecast.token_budget, None, "there is none");
}

#[test]
fn a_restart_changes_nothing() {
    let (state, id) = busy(20);
    let ms = 21 * MINUTE;
    let before = view(&state, id, ms);
    let after = view(&restarted(&state, id, ms), id, ms);
    let budgets = before.forecast.as_ref().unwrap();
    assert!(budgets.token_budget.is_some() && budgets.cost_budget.is_some());
    assert_eq!(
        (after.burn_rate, after.forecast),
        (before.burn_rate, before.forecast)
    );
}

#[test]
fn calls_that_end_out_of_order_are_taken_in_order() {
    let (mut state, id) = busy(10);
    let late = CallStart {
        started_at: at(9 * MINUTE + 1).wall,
        ..start(900, None)
    };
    state.step(at(10 * MINUTE), Input::CallStarted(late));
    state.step(
        at(10 * MINUTE),
        call_ends(call_id(900), end(Outcome::Complete, 300_000, 10)),
    );
    let before = view(&state, id, 11 * MINUTE);
    let after = view(&restarted(&state, id, 11 * MINUTE), id, 11 * MINUTE);
    assert_eq!(
        (after.burn_rate, after.forecast),
        (before.burn_rate, before.forecast)
    );
}

#[test]
fn a_pause_neither_counts_nor_makes_anything_slower() {
    let (mut state, id) = busy(10);
    let before = view(&state, id, 10 * MINUTE);
    change(&mut state, id, TimerChange::Pause, 10 * MINUTE).unwrap();
    change(&mut state, id, TimerChange::Resume, 70 * MINUTE).unwrap();
    let after = view(&state, id, 70 * MINUTE);
    assert_eq!(
        (after.burn_rate, after.forecast),
        (before.burn_rate, before.forecast)
    );
}

#[test]
fn a_stretch_that_is_taken_out_is_as_if_it_had_not_been() {
    let (mut state, id) = busy(10);
    let before = view(&state, id, 10 * MINUTE);
    // Nobody worked for half an hour, and the clock ran.
    let trim = TimerChange::Trim {
        from: at(10 * MINUTE).wall,
        to: at(40 * MINUTE).wall,
    };
    pass(&mut state, 40 * MINUTE);
    assert_ne!(view(&state, id, 40 * MINUTE).burn_rate, before.burn_rate);
    change(&mut state, id, trim, 40 * MINUTE).unwrap();
    let after = view(&state, id, 40 * MINUTE);
    assert_eq!(
        (after.burn_rate, after.forecast),
        (before.burn_rate, before.forecast)
    );
}

#[test]
fn what_is_moved_away_is_not_foretold_any_more() {
    let (mut state, id) = busy(10);
    let before = view(&state, id, 12 * MINUTE);
    ends(&mut state, 900, 500_000, 11 * MINUTE);
    assert_ne!(view(&state, id, 12 * MINUTE).forecast, before.forecast);
    pass(&mut state, 12 * MINUTE);
    let call = row(&state, 900).clone();
    let order = Move {
        calls: vec![Movable { call, paused: None }],
        to: None,
        rewritten: state.rewritten(),
        conversation: None,
    };
    let moved = Input::Move(Box::new(order));
    assert_eq!(state.step(at(12 * MINUTE), moved).answer, Ok(()));
    let after = view(&state, id, 12 * MINUTE);
    assert_eq!(
        (after.burn_rate, after.forecast),
        (before.burn_rate, before.forecast)
    );
}

#[test]
fn a_forecast_is_told_after_calls_and_now_and_then() {
    let (mut state, id) = busy(2);
    let start = 2 * MINUTE + 20_000;
    let mut told = |ms: i64| foretold(&state.step(at(start + ms), Input::LookAhead).effects).len();
    assert_eq!(told(0), 1);
    assert_eq!(told(500), 0);
    assert_eq!(told(1_500), 0, "nothing has happened");
    assert_eq!(told(5_000), 1, "time has passed");
    let during = ends(&mut state, 900, 1_000, start + 5_100);
    assert!(foretold(&during).is_empty(), "not in the way of a call");
    let after = state.step(at(start + 6_100), Input::LookAhead).effects;
    let after = foretold(&after);
    assert_eq!(after.len(), 1);
    assert_eq!(after[0].elapsed_ms, 146_100);
    change(&mut state, id, TimerChange::Pause, start + 7_000).unwrap();
    let paused = state.step(at(start + 8_000), Input::LookAhead).effects;
    assert_eq!(foretold(&paused).len(), 1, "the pause is told");
    let later = state.step(at(start + 60_000), Input::LookAhead).effects;
    assert!(foretold(&later).is_empty(), "a clock that stands changes nothing");
}

#[test]
fn what_was_shown_is_noted_and_held_against_the_end() {
    let (mut state, id) = busy(14);
    assert!(noted(&pass(&mut state, 14 * MINUTE)).is_empty());
    let quarter = pass(&mut state, 16 * MINUTE);
    assert_eq!(
        noted(&quarter).len(),
        1,
        "once, when a quarter of the session is over"
    );
    assert_ne!(noted(&quarter)[0].shown, Shown::default());
    let over = pass(&mut state, 63 * MINUTE);
    let settled = noted(&over).pop().unwrap();
    assert_eq!(settled.session, id);
    let settled = settled.settled.unwrap();
    assert_eq!((settled.shown, settled.warning), (3, None));
    assert_eq!(state.track_record.score().bands, 3);
    let seen = view(&state, id, 64 * MINUTE);
    assert_eq!((seen.burn_rate, seen.forecast), (None, None));
}

#[test]
fn another_end_begins_the_record_anew() {
    let (mut state, id) = busy(16);
    let shown = |state: &State| state.sessions[&id].ahead.as_ref().unwrap().shown.clone();
    assert_ne!(shown(&state), Shown::default());
    let longer = TimerChange::Plan(Some(Millis(7_200_000)));
    change(&mut state, id, longer, 16 * MINUTE).unwrap();
    assert_eq!(shown(&state), Shown::default());
    change(&mut state, id, TimerChange::Complete, 16 * MINUTE).unwrap();
    assert_eq!(
        state.track_record.score().sessions,
        0,
        "nothing was foretold of that end"
    );
}

#[test]
fn own_sessions_stand_behind_the_next_one() {
    let mut state = State::default();
    for (n, from) in [(1, 0), (2, 30 * MINUTE), (3, 60 * MINUTE)] {
        let id = create(&mut state, n, "done", None, from);
        for call in 1..=10 {
            ends(&mut state, 1_000 * n + call, 500, from + 2 * MINUTE);
        }
        pass(&mut state, from + 20 * MINUTE);
        change(&mut state, id, TimerChange::Complete, from + 20 * MINUTE).unwrap();
    }
    let id = create(&mut state, 9, "next", Some(Millis(3_600_000)), 100 * MINUTE);
    let seen = view(&state, id, 100 * MINUTE).forecast.unwrap();
    assert_eq!((seen.past_sessions, seen.calls, seen.total.spent), (3, 0, 0));
    assert!(seen.total.expected > 0);
}
