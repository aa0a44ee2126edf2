//! What users, time and the machine do to sessions.

use super::*;
use crate::domain::budget::AllowancePatch;

#[test]
fn resuming_a_session_makes_it_current_again() {
    let mut state = State::default();
    let first = create(&mut state, 1, "first", None, 0);
    change(&mut state, first, TimerChange::Pause, 1).unwrap();
    assert_eq!(state.current, Some(first), "a paused session keeps its calls");
    let second = create(&mut state, 2, "second", None, 2);
    assert_eq!(state.current, Some(second));
    change(&mut state, first, TimerChange::Resume, 3).unwrap();
    assert_eq!(state.current, Some(first));
}

#[test]
fn a_stale_change_is_refused_and_a_repeated_one_is_harmless() {
    let mut state = State::default();
    let id = create(&mut state, 1, "work", None, 0);
    let pause = |revision| Input::Change {
        id,
        patch: TimerChange::Pause.into(),
        revision,
    };
    assert_eq!(state.step(at(1), pause(Some(7))).answer, Err(Refusal::Stale));
    assert_eq!(state.step(at(1), pause(Some(0))).answer, Ok(()));
    assert!(state.step(at(2), pause(None)).effects.is_empty());
    let elsewhere = Input::Change {
        id: session_id(5),
        patch: TimerChange::Pause.into(),
        revision: None,
    };
    assert_eq!(state.step(at(1), elsewhere).answer, Err(Refusal::NoSuchSession));
}

#[test]
fn a_session_whose_time_is_used_up_completes_and_gives_up_its_place() {
    let mut state = State::default();
    let id = create(&mut state, 1, "short", Some(Millis(1_000)), 0);
    assert_eq!(state.next_deadline(), Some(at(1_000).boot));
    state.step(at(5_000), Input::Tick);
    let view = state.session_view(id, at(9_000)).unwrap();
    assert_eq!(
        (view.status, view.elapsed_ms, view.current),
        (Status::Completed, 1_000, false)
    );
    assert_eq!(view.ended_at, Some(at(1_000).wall.0));
    assert_eq!(state.next_deadline(), None);
}

fn patch(state: &mut State, id: SessionId, patch: Patch, ms: i64) -> Result<(), Refusal> {
    let revision = None;
    state.step(at(ms), Input::Change { id, patch, revision }).answer
}

#[test]
fn a_patch_is_carried_out_whole_or_not_at_all() {
    let mut state = State::default();
    let id = create(&mut state, 1, "work", Some(Millis(60_000)), 0);
    let whole = Patch {
        clock: vec![TimerChange::Plan(Some(Millis(120_000))), TimerChange::Pause],
        name: Some("renamed".into()),
        tags: Some(vec!["a".into()]),
        note: Some("n".into()),
        allowance: AllowancePatch {
            tokens: Some(Some(Tokens(5))),
            ..AllowancePatch::default()
        },
        ..Patch::default()
    };
    assert_eq!(patch(&mut state, id, whole.clone(), 1_000), Ok(()));
    let seen = view(&state, id, 1_000);
    assert_eq!(
        (seen.revision, seen.duration, seen.status),
        (1, Some(120_000), Status::Paused)
    );
    assert_eq!(
        (&*seen.name, &*seen.tags, seen.note.as_deref()),
        ("renamed", &["a".to_owned()][..], Some("n"))
    );
    assert_eq!(patch(&mut state, id, whole, 2_000), Ok(()));
    assert_eq!(view(&state, id, 2_000).revision, 1, "again it changes nothing");
    let impossible = Patch {
        clock: vec![TimerChange::Resume, TimerChange::Untrim(9)],
        name: Some("other".into()),
        ..Patch::default()
    };
    assert_eq!(
        patch(&mut state, id, impossible, 3_000),
        Err(Refusal::NotNow(NotNow::NoSuchTrim))
    );
    let same = view(&state, id, 3_000);
    assert_eq!(
        (&*same.name, same.status, same.revision),
        ("renamed", Status::Paused, 1)
    );
}

#[test]
fn the_current_session_is_switched_and_given_up() {
    let mut state = State::default();
    let first = create(&mut state, 1, "first", None, 0);
    let second = create(&mut state, 2, "second", None, 0);
    let current = |current| Patch {
        current: Some(current),
        ..Patch::default()
    };
    assert_eq!(patch(&mut state, first, current(true), 1), Ok(()));
    assert_eq!(
        (state.current, view(&state, second, 1).status),
        (Some(first), Status::Active)
    );
    assert_eq!(patch(&mut state, second, current(false), 1), Ok(()));
    assert_eq!(state.current, Some(first), "it was not the current one");
    assert_eq!(patch(&mut state, first, current(false), 1), Ok(()));
    assert_eq!(state.current, None);
    change(&mut state, first, TimerChange::Complete, 2).unwrap();
    assert_eq!(
        patch(&mut state, first, current(true), 3),
        Err(Refusal::NotNow(NotNow::Completed(Action::MakeCurrent)))
    );
}

#[test]
fn to_make_a_session_current_or_no_longer_so_is_a_change_of_it() {
    let mut state = State::default();
    let first = create(&mut state, 1, "first", None, 0);
    let second = create(&mut state, 2, "second", None, 0);
    let revisions = |state: &State| [first, second].map(|id| view(state, id, 1).revision);
    assert_eq!(revisions(&state), [0, 0], "nobody changed the first");
    let make = |current, revision| Input::Change {
        id: first,
        patch: Patch {
            current: Some(current),
            ..Patch::default()
        },
        revision,
    };
    for (current, seen, expected) in [
        (true, Some(0), Ok([1, 0])),
        (true, Some(0), Err(Refusal::Stale)),
        (true, Some(1), Ok([1, 0])),
        (false, Some(1), Ok([2, 0])),
        (false, None, Ok([2, 0])),
    ] {
        let step = state.step(at(1), make(current, seen));
        assert_eq!(step.answer.map(|()| revisions(&state)), expected);
        let written = step.effects.iter().filter_map(|effect| match effect {
            Effect::Write(Record::Session { session, .. }) => Some((session.id, session.revision)),
            _ => None,
        });
        for (id, revision) in written {
            assert_eq!(view(&state, id, 1).revision, revision);
        }
    }
}

#[test]
fn a_sleep_is_noticed_by_whatever_comes_first() {
    let mut state = State::default();
    let id = create(&mut state, 1, "work", None, 0);
    state.step(at(1_000), Input::Tick);
    let after = Reading {
        mono: Nanos(1_500_000_000),
        ..at(3_601_500)
    };
    let effects = state.step(after, Input::CallStarted(start(9, None))).effects;
    assert!(matches!(&effects[0], Effect::Write(Record::Session { events, .. }) if events.len() == 1));
    let seen = view(&state, id, 3_700_000);
    assert_eq!(
        (seen.status, seen.elapsed_ms, seen.told.len()),
        (Status::Paused, 1_500, 1)
    );
    assert_eq!((seen.told[0].ms, seen.told[0].countable), (Some(3_600_000), true));
    assert_eq!(state.current, Some(id), "its calls are still its own");
}

#[test]
fn tokens_of_calls_that_began_in_a_pause_are_shown_apart() {
    let mut state = State::default();
    let id = create(&mut state, 1, "work", None, 0);
    state.step(at(1), Input::CallStarted(start(7, None)));
    change(&mut state, id, TimerChange::Pause, 2).unwrap();
    state.step(at(3), Input::CallStarted(start(8, None)));
    state.step(at(4), call_ends(call_id(7), end(Outcome::Complete, 100, 0)));
    change(&mut state, id, TimerChange::Resume, 5).unwrap();
    let effects = state
        .step(at(6), call_ends(call_id(8), end(Outcome::Complete, 20, 3)))
        .effects;
    let written = Record::WhilePaused {
        call: call_id(8),
        session: id,
        tokens: Tokens(23),
    };
    assert!(effects.contains(&Effect::Write(written)));
    let seen = view(&state, id, 6);
    assert_eq!((seen.tokens_used, seen.paused_tokens), (123, 23));
}

#[test]
fn a_checkpoint_says_what_was_used_until_then_and_since_the_one_before() {
    let mut state = State::default();
    let id = create(&mut state, 1, "work", None, 0);
    let note = |state: &mut State, n: u128, ms| {
        let said = NewCheckpoint {
            phase: "design".into(),
            prompt_count: Some(3),
            metadata: Some(r#"{"a":[1]}"#.into()),
        };
        let id = CheckpointId::from_uuid(Uuid::from_u128(n));
        state.step(
            at(ms),
            Input::Checkpoint {
                id,
                session: session_id(1),
                said,
            },
        )
    };
    let shown = |step: Step| {
        step.effects.into_iter().find_map(|effect| match effect {
            Effect::Publish(event) => match event.change {
                Change::Checkpoint(view) => Some(view),
                _ => None,
            },
            Effect::Write(_) => None,
        })
    };
    state.step(at(1), Input::CallStarted(start(9, None)));
    state.step(at(2), call_ends(call_id(9), end(Outcome::Complete, 100, 20)));
    let first = shown(note(&mut state, 1, 1_000)).unwrap();
    assert_eq!((first.elapsed_ms, first.since_ms), (1_000, 1_000));
    assert_eq!((first.usage.total, first.since.total), (120, 120));
    state.step(at(1_001), Input::CallStarted(start(10, None)));
    state.step(at(1_002), call_ends(call_id(10), end(Outcome::Complete, 1, 2)));
    let second = shown(note(&mut state, 2, 4_000)).unwrap();
    assert_eq!((second.elapsed_ms, second.since_ms), (4_000, 3_000));
    assert_eq!((second.usage.output, second.since.output), (22, 2));
    assert!(second.since.cost_nano_usd < second.usage.cost_nano_usd);
    assert_eq!(second.metadata.unwrap()["a"][0], 1);
    let seen = view(&state, id, 4_000);
    assert_eq!(
        (seen.checkpoints, seen.last_checkpoint.unwrap().elapsed_ms),
        (2, 4_000)
    );
    change(&mut state, id, TimerChange::Complete, 5_000).unwrap();
    let refused = note(&mut state, 3, 6_000).answer;
    assert_eq!(
        refused,
        Err(Refusal::NotNow(NotNow::Completed(Action::Checkpoint)))
    );
}

/// What is not the clock's own, in every status: it is carried out or refused as the table says.
#[test]
fn every_other_action_obeys_the_table_in_every_status() {
    for status in [Status::Active, Status::Paused, Status::Completed] {
        for action in [
            Action::MakeCurrent,
            Action::Describe,
            Action::Checkpoint,
            Action::Report,
        ] {
            let mut state = State::default();
            let id = create(&mut state, 1, "work", None, 0);
            let end = match status {
                Status::Active => None,
                Status::Paused => Some(TimerChange::Pause),
                Status::Completed => Some(TimerChange::Complete),
            };
            if let Some(end) = end {
                change(&mut state, id, end, 1).unwrap();
            }
            let said = NewCheckpoint {
                phase: "p".into(),
                prompt_count: None,
                metadata: None,
            };
            let input = match action {
                Action::MakeCurrent => Input::Change {
                    id,
                    patch: Patch {
                        current: Some(true),
                        ..Patch::default()
                    },
                    revision: None,
                },
                Action::Describe => Input::Change {
                    id,
                    patch: Patch {
                        name: Some("n".into()),
                        ..Patch::default()
                    },
                    revision: None,
                },
                Action::Checkpoint => Input::Checkpoint {
                    id: CheckpointId::from_uuid(Uuid::from_u128(1)),
                    session: id,
                    said,
                },
                _ => Input::Reported(id, vec![report(1, None, 5)]),
            };
            let answer = state.step(at(2), input).answer;
            let expected = match rule(status, action) {
                Rule::Refused => Err(Refusal::NotNow(NotNow::Completed(action))),
                _ => Ok(()),
            };
            assert_eq!(answer, expected, "{action:?} in {status:?}");
            assert_eq!(view(&state, id, 2).status, status);
        }
    }
}
