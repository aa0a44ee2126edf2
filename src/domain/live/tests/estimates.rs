//! Numbers that come behind a call's end.

use super::*;
use crate::domain::call::Promise;
use crate::domain::estimate::{Estimated, Interval};
use crate::domain::live::moving::{Movable, Move};

fn estimated(input: u64, output: u64) -> Option<Box<Estimated>> {
    let side = |tokens: u64| Interval {
        low: Tokens(tokens),
        high: None,
    };
    Some(Box::new(Estimated {
        parts: Parts {
            input: Some(Tokens(input)),
            output: Some(Tokens(output)),
            ..Parts::default()
        },
        source: Source::Estimated,
        intervals: Intervals {
            input: Some(side(input)),
            output: Some(side(output)),
        },
    }))
}

/// A call that ends at `ms` without numbers, and whose estimate is on its way.
fn cut_off(state: &mut State, n: u128, ms: i64) {
    state.step(at(ms), Input::CallStarted(start(n, None)));
    let cut = CallEnd {
        parts: Parts::default(),
        source: None,
        ..end(Outcome::ClientAborted, 0, 0)
    };
    let ended = Ended {
        estimate: Promise::Coming,
        ..cut.into()
    };
    state.step(at(ms), call_ends(call_id(n), ended));
}

#[test]
fn an_estimate_is_counted_once() {
    let mut state = State::default();
    let id = create(&mut state, 1, "work", None, 0);
    cut_off(&mut state, 9, 1);
    assert_eq!(view(&state, id, 2).usage.unknown_requests, 1);
    assert_eq!(state.estimates().waiting, 1);
    let rewritten = state.rewritten();
    let effects = state
        .step(at(2), Input::Estimated(call_id(9), estimated(100, 20)))
        .effects;
    let [Effect::Write(Record::CallFinished(call)), Effect::Publish(event)] = &effects[..] else {
        panic!("{effects:?}");
    };
    let end = call.end.as_ref().unwrap();
    assert_eq!(
        (end.source, end.outcome),
        (Some(Source::Estimated), Outcome::ClientAborted)
    );
    assert!(call.cost.is_some(), "the price follows");
    let Change::CallFinished { call, totals } = &event.change else {
        panic!("{event:?}");
    };
    assert_eq!((call.total, totals.total), (Some(120), 120));
    assert!(call.estimate.unwrap().lower_bound);
    let usage = view(&state, id, 2).usage;
    assert_eq!(
        (usage.requests, usage.errors, usage.total, usage.unknown_requests),
        (1, 1, 120, 0)
    );
    assert_eq!(usage.inexact_tokens, 120);
    assert!(
        state.rewritten() > rewritten,
        "who has read the call reads it again"
    );
    assert_eq!(
        row(&state, 9).end.as_ref().unwrap().parts.total(),
        Some(Tokens(120))
    );
    for again in [call_id(9), call_id(10)] {
        let effects = state
            .step(at(3), Input::Estimated(again, estimated(1, 1)))
            .effects;
        assert!(effects.is_empty(), "nobody waits for it");
    }
    assert_eq!(state.estimates().waiting, 0);
}

#[test]
fn nothing_changes_where_nothing_can_be_said() {
    let mut state = State::default();
    cut_off(&mut state, 9, 1);
    assert!(
        state
            .step(at(2), Input::Estimated(call_id(9), None))
            .effects
            .is_empty()
    );
    assert_eq!((state.estimates().waiting, state.unassigned().requests), (0, 1));
}

#[test]
fn who_found_no_place_is_counted() {
    let mut state = State::default();
    state.step(at(1), Input::CallStarted(start(1, None)));
    let ended = Ended {
        estimate: Promise::Refused,
        ..end(Outcome::Complete, 1, 1).into()
    };
    state.step(at(1), call_ends(call_id(1), ended));
    assert_eq!((state.estimates().waiting, state.estimates().refused), (0, 1));
}

#[test]
fn tokens_that_are_estimated_of_a_call_that_began_in_a_pause_are_shown_apart() {
    let mut state = State::default();
    let id = create(&mut state, 1, "work", None, 0);
    change(&mut state, id, TimerChange::Pause, 1).unwrap();
    cut_off(&mut state, 9, 2);
    assert_eq!(view(&state, id, 3).paused_tokens, 0);
    let effects = state
        .step(at(3), Input::Estimated(call_id(9), estimated(100, 20)))
        .effects;
    let written = Record::WhilePaused {
        call: call_id(9),
        session: id,
        tokens: Tokens(120),
    };
    assert!(effects.contains(&Effect::Write(written)), "{effects:?}");
    assert_eq!(view(&state, id, 3).paused_tokens, 120);
}

#[test]
fn a_call_that_was_moved_is_estimated_where_it_is() {
    let mut state = State::default();
    let first = create(&mut state, 1, "first", None, 0);
    cut_off(&mut state, 9, 1);
    let second = create(&mut state, 2, "second", None, 2);
    let order = Move {
        calls: vec![Movable {
            call: row(&state, 9).clone(),
            paused: None,
        }],
        to: Some(second),
        rewritten: state.rewritten(),
        conversation: None,
    };
    assert_eq!(state.step(at(3), Input::Move(Box::new(order))).answer, Ok(()));
    state.step(at(4), Input::Estimated(call_id(9), estimated(100, 20)));
    assert_eq!(row(&state, 9).session, Some(second));
    let used = |id| view(&state, id, 5).usage;
    assert_eq!((used(first).requests, used(first).total), (0, 0));
    assert_eq!((used(second).requests, used(second).total), (1, 120));
}

/// A reply whose end nobody saw, and which can be fetched later.
fn background(state: &mut State, n: u128, id: &str) {
    state.step(at(1), Input::CallStarted(start(n, None)));
    let cut = CallEnd {
        parts: Parts::default(),
        source: None,
        ..end(Outcome::ClientAborted, 0, 0)
    };
    let ended = Ended {
        estimate: Promise::Coming,
        once: Some(Once {
            id: id.into(),
            state: Making::UnderWay,
        }),
        ..cut.into()
    };
    state.step(at(1), call_ends(call_id(n), ended));
}

#[test]
fn what_is_fetched_later_takes_the_estimates_place_be_it_more_or_less() {
    for truth in [50, 5_000] {
        let mut state = State::default();
        background(&mut state, 1, "resp_1");
        state.step(at(2), Input::Estimated(call_id(1), estimated(100, 20)));
        let fetch = Operation::RetrieveResponse;
        once(&mut state, 2, fetch, "resp_1", Making::Over, Some(truth));
        assert_eq!(row(&state, 1).counted_by, Some(call_id(2)), "{truth}");
        assert_eq!(state.unassigned().total, truth + 1);
        assert_eq!(state.unassigned().requests, 1);
    }
}

#[test]
fn an_estimate_that_comes_behind_the_truth_changes_nothing() {
    let mut state = State::default();
    background(&mut state, 1, "resp_1");
    let fetch = Operation::RetrieveResponse;
    once(&mut state, 2, fetch, "resp_1", Making::Over, Some(50));
    let effects = state
        .step(at(3), Input::Estimated(call_id(1), estimated(100, 20)))
        .effects;
    assert!(effects.is_empty());
    assert_eq!((state.unassigned().total, state.unassigned().requests), (51, 1));
}

#[test]
fn streams_that_grow_are_told_of_once_for_each_session_and_forgotten_at_their_end() {
    let mut state = State::default();
    let first = create(&mut state, 1, "first", None, 0);
    for n in [8, 9] {
        state.step(at(1), Input::CallStarted(start(n, None)));
    }
    let second = create(&mut state, 2, "second", None, 1);
    state.step(at(1), Input::CallStarted(start(10, None)));
    let grown = [8, 9, 10, 11].map(|n| (call_id(n), Tokens(u64::try_from(n).unwrap())));
    let effects = state.step(at(2), Input::Grew(grown.to_vec())).effects;
    let told = effects.iter().map(|effect| match effect {
        Effect::Publish(event) => match &event.change {
            Change::CallsGrew { calls } => (event.session_id, calls.len()),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    });
    assert_eq!(told.collect::<Vec<_>>(), [(Some(first), 2), (Some(second), 1)]);
    let so_far = |state: &State| {
        let snapshot = state.snapshot(at(3), |_| true);
        let mut calls = snapshot.calls.into_iter();
        calls.find(|call| call.id == call_id(9)).unwrap().output_so_far
    };
    assert_eq!(so_far(&state), Some(9));
    state.step(at(3), call_ends(call_id(9), end(Outcome::Complete, 1, 1)));
    assert_eq!((so_far(&state), state.so_far.len()), (None, 2));
}
