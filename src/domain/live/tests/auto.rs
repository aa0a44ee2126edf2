//! Sessions that begin and end by themselves.

use super::*;

/// Sessions that begin by themselves, after a minute without a call.
fn automatic() -> State {
    let restored = Restored {
        auto_idle: Some(Millis(60_000)),
        ..Restored::default()
    };
    State::restore(restored, at(0), 0).0
}

fn call(state: &mut State, n: u128, from: i64, to: i64) -> Option<SessionId> {
    state.step(at(from), Input::CallStarted(start(n, None)));
    let session = state.running[&call_id(n)].session;
    state.step(at(to), call_ends(call_id(n), end(Outcome::Complete, 10, 0)));
    session
}

/// Lets time pass as the engine does.
fn pass(state: &mut State, from: i64, to: i64) {
    for ms in (from..to).step_by(1_000) {
        state.step(at(ms), Input::Tick);
    }
}

#[test]
fn a_session_begins_with_a_call_that_has_none_and_ends_at_the_last_one() {
    let mut state = automatic();
    let first = call(&mut state, 1, 1_000, 3_000).unwrap();
    assert_eq!(call(&mut state, 2, 20_000, 25_000), Some(first));
    assert_eq!(view(&state, first, 25_000).origin, Origin::Auto);
    pass(&mut state, 26_000, 84_000);
    assert_eq!(view(&state, first, 84_000).status, Status::Active);
    // A call that takes longer than the idle time is activity.
    assert_eq!(call(&mut state, 3, 84_000, 85_000), Some(first));
    pass(&mut state, 86_000, 150_000);
    let ended = view(&state, first, 150_000);
    assert_eq!((ended.status, ended.elapsed_ms), (Status::Completed, 84_000));
    assert_eq!(ended.ended_at, Some(at(85_000).wall.0));
    let next = call(&mut state, 4, 151_000, 152_000).unwrap();
    assert_ne!(next, first);
    assert_eq!(
        (
            view(&state, first, 0).tokens_used,
            view(&state, next, 0).tokens_used
        ),
        (30, 10)
    );
}

#[test]
fn a_call_keeps_its_session_from_being_idle() {
    let mut state = automatic();
    state.step(at(0), Input::CallStarted(start(1, None)));
    let id = state.running[&call_id(1)].session.unwrap();
    pass(&mut state, 1_000, 300_000);
    assert_eq!(view(&state, id, 300_000).status, Status::Active);
    state.step(at(300_000), call_ends(call_id(1), end(Outcome::Complete, 1, 1)));
    pass(&mut state, 301_000, 361_000);
    assert_eq!(view(&state, id, 361_000).elapsed_ms, 300_000);
}

#[test]
fn a_session_of_the_users_comes_before_one_that_began_by_itself() {
    let mut state = automatic();
    let auto = call(&mut state, 1, 1_000, 3_000).unwrap();
    let own = create(&mut state, 50, "own", None, 10_000);
    let ended = view(&state, auto, 10_000);
    assert_eq!((ended.status, ended.elapsed_ms), (Status::Completed, 2_000));
    assert_eq!(call(&mut state, 2, 11_000, 12_000), Some(own));
    change(&mut state, own, TimerChange::Pause, 13_000).unwrap();
    assert_eq!(call(&mut state, 3, 14_000, 15_000), Some(own), "a paused one too");
    change(&mut state, own, TimerChange::Complete, 16_000).unwrap();
    let next = call(&mut state, 4, 17_000, 18_000).unwrap();
    assert!(next != own && next != auto);
    let asked = Some(("nobody", Attribution::Path));
    assert_eq!(attribution(&mut state, 5, asked), (None, Attribution::Unassigned));
}

#[test]
fn a_session_that_began_by_itself_survives_a_restart_and_goes_on_with_the_next_call() {
    let mut state = automatic();
    let id = call(&mut state, 1, 1_000, 3_000).unwrap();
    let restart = |state: &State, ms| {
        let live = &state.sessions[&id];
        let restored = Restored {
            auto_idle: Some(Millis(60_000)),
            current: Some(id),
            recent: state.recent.iter().map(|call| (**call).clone()).collect(),
            sessions: vec![RestoredSession {
                session: live.session.clone(),
                totals: live.totals,
                marks: live.marks.clone(),
                heartbeat: Some(at(20_000)),
                past: Vec::new(),
                shown: crate::domain::forecast::Shown::default(),
            }],
            ..Restored::default()
        };
        State::restore(restored, at(ms), 0).0
    };
    let mut soon = restart(&state, 30_000);
    assert_eq!(view(&soon, id, 30_000).status, Status::Paused);
    assert_eq!(call(&mut soon, 2, 40_000, 41_000), Some(id));
    let seen = view(&soon, id, 41_000);
    assert_eq!((seen.status, seen.elapsed_ms), (Status::Active, 20_000));
    let mut rebooted = restart(&state, 30_000);
    // Nothing more comes: it ends though its clock's last reading was of another time.
    pass(&mut rebooted, 31_000, 64_000);
    let ended = view(&rebooted, id, 64_000);
    assert_eq!(ended.status, Status::Completed);
    let late = restart(&state, 300_000);
    let ended = view(&late, id, 300_000);
    // The one call's row says that it began at 0 and took 5 ms: what ran after it is not counted.
    assert_eq!((ended.status, ended.elapsed_ms), (Status::Completed, 0));
    assert_eq!(late.current, None);
}
