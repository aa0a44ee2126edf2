use super::*;
use crate::domain::call::{AskedSession, Attribution, CallEnd, Outcome, Source};
use crate::domain::operation::Operation;
use crate::domain::report::ReportKey;
use crate::domain::session::clock::{BootId, Nanos};
use crate::domain::session::rules::{Action, Rule, rule};
use crate::domain::session::timer::Change as TimerChange;
use crate::domain::session::{Origin, Status};
use crate::domain::units::{Timestamp, Tokens};
use crate::domain::usage::once::{Making, Once, OnceKey, Share};
use crate::domain::usage::parts::Parts;
use crate::domain::wire::{Change, SessionView};
use proptest::prelude::*;
use uuid::Uuid;

mod moving;

fn at(ms: i64) -> Reading {
    let nanos = Nanos(ms * 1_000_000);
    Reading {
        boot: nanos,
        mono: nanos,
        wall: Timestamp(1_790_000_000_000 + ms),
        boot_id: BootId(1),
    }
}

fn session_id(n: u128) -> SessionId {
    SessionId::from_uuid(Uuid::from_u128(n))
}

fn call_id(n: u128) -> CallId {
    CallId::from_uuid(Uuid::from_u128(n))
}

fn start(n: u128, asked: Option<(&str, Attribution)>) -> CallStart {
    CallStart {
        id: call_id(n),
        started_at: at(0).wall,
        provider: "openai".into(),
        price_provider: Some("openai".into()),
        operation: Operation::ChatCompletions,
        request_model: Some("gpt-4o-mini".into()),
        conversation: None,
        client: None,
        asked: asked.map(|(label, by)| AskedSession {
            label: label.into(),
            by,
        }),
    }
}

fn call_ends(id: CallId, ended: impl Into<Ended>) -> Input {
    Input::CallEnded(id, Box::new(ended.into()))
}

fn end(outcome: Outcome, input: u64, output: u64) -> CallEnd {
    CallEnd {
        outcome,
        status: Some(200),
        model: Some("gpt-4o-mini".into()),
        parts: Parts {
            input: Some(Tokens(input)),
            output: Some(Tokens(output)),
            ..Parts::default()
        },
        source: Some(Source::Exact),
        raw_usage: None,
        request_id: None,
        error: None,
        streamed: false,
        ttft: None,
        duration: Millis(5),
    }
}

fn create(state: &mut State, n: u128, name: &str, duration: Option<Millis>, ms: i64) -> SessionId {
    let id = session_id(n);
    let new = NewSession {
        duration,
        ..NewSession::named(name)
    };
    let input = Input::Create { id, new };
    assert_eq!(state.step(at(ms), input).answer, Ok(()));
    id
}

fn change(state: &mut State, id: SessionId, change: TimerChange, ms: i64) -> Result<(), Refusal> {
    state
        .step(
            at(ms),
            Input::Change {
                id,
                patch: change.into(),
                revision: None,
            },
        )
        .answer
}

fn attribution(
    state: &mut State,
    n: u128,
    asked: Option<(&str, Attribution)>,
) -> (Option<SessionId>, Attribution) {
    state.step(at(1), Input::CallStarted(start(n, asked)));
    let call = &state.running[&call_id(n)];
    (call.session, call.attribution)
}

#[test]
fn a_call_goes_where_it_asks_else_to_the_current_session_else_to_unassigned() {
    let mut state = State::default();
    assert_eq!(attribution(&mut state, 1, None), (None, Attribution::Unassigned));
    let first = create(&mut state, 10, "first", None, 0);
    let second = create(&mut state, 11, "second", None, 0);
    assert_eq!(
        attribution(&mut state, 2, None),
        (Some(second), Attribution::Active)
    );
    let by_name = Some(("first", Attribution::Path));
    assert_eq!(
        attribution(&mut state, 3, by_name),
        (Some(first), Attribution::Path)
    );
    let id = first.to_string();
    let by_id = Some((&*id, Attribution::Header));
    assert_eq!(
        attribution(&mut state, 4, by_id),
        (Some(first), Attribution::Header)
    );
    let unknown = Some(("nobody", Attribution::Path));
    assert_eq!(
        attribution(&mut state, 5, unknown),
        (None, Attribution::Unassigned),
        "not swallowed by the current"
    );
    change(&mut state, second, TimerChange::Complete, 2).unwrap();
    assert_eq!(attribution(&mut state, 6, None), (None, Attribution::Unassigned));
}

#[test]
fn a_name_finds_the_session_that_still_runs() {
    let mut state = State::default();
    let open = create(&mut state, 1, "same", None, 0);
    let ended = create(&mut state, 2, "same", None, 0);
    change(&mut state, ended, TimerChange::Complete, 1).unwrap();
    assert_eq!(state.find("same"), Some(open));
    change(&mut state, open, TimerChange::Complete, 1).unwrap();
    assert_eq!(state.find("same"), Some(ended));
}

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
fn a_finished_call_is_written_once_and_counted_once() {
    let mut state = State::default();
    let id = create(&mut state, 1, "work", None, 0);
    state.step(at(1), Input::CallStarted(start(9, None)));
    let step = state.step(at(2), call_ends(call_id(9), end(Outcome::Complete, 100, 20)));
    assert!(matches!(
        &step.effects[..],
        [Effect::Write(Record::CallFinished(_)), Effect::Publish(_)]
    ));
    assert!(
        state
            .step(at(3), call_ends(call_id(9), end(Outcome::Complete, 1, 1)))
            .effects
            .is_empty()
    );
    let view = state.session_view(id, at(3)).unwrap();
    assert_eq!(
        (view.tokens_used, view.usage.requests, view.usage.errors),
        (120, 1, 0)
    );
    assert_eq!(view.usage.cost_nano_usd, Some(100 * 150 + 20 * 600));
}

#[test]
fn a_call_that_outlives_its_session_still_belongs_to_it() {
    let mut state = State::default();
    let id = create(&mut state, 1, "work", None, 0);
    state.step(at(1), Input::CallStarted(start(9, None)));
    change(&mut state, id, TimerChange::Complete, 2).unwrap();
    state.step(at(3), call_ends(call_id(9), end(Outcome::Complete, 100, 20)));
    assert_eq!(state.session_view(id, at(3)).unwrap().tokens_used, 120);
    assert_eq!(state.unassigned, Totals::default());
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

#[test]
fn trouble_with_the_disk_is_told_once_and_cleared() {
    let mut state = State::default();
    let alert = AlertId::from_uuid(Uuid::from_u128(1));
    let trouble = || Input::StoreTrouble(alert, StoreTrouble::Slow);
    assert_eq!(state.step(at(1), trouble()).effects.len(), 2);
    assert!(state.step(at(2), trouble()).effects.is_empty());
    assert!(state.has_store_trouble());
    assert_eq!(state.step(at(3), Input::StoreWell).effects.len(), 2);
    assert!(!state.has_store_trouble());
}

#[test]
fn a_snapshot_shows_only_what_is_wanted() {
    let mut state = State::default();
    let first = create(&mut state, 1, "first", None, 0);
    create(&mut state, 2, "second", None, 0);
    state.step(
        at(1),
        Input::CallStarted(start(8, Some(("first", Attribution::Path)))),
    );
    state.step(at(1), Input::CallStarted(start(9, None)));
    let snapshot = state.snapshot(at(2), |id| id == Some(first));
    assert_eq!(snapshot.sessions.len(), 1);
    assert_eq!(snapshot.calls.len(), 1);
    assert_eq!(state.snapshot(at(2), |_| true).calls.len(), 2);
}

proptest! {
    /// Any order of inputs: sums equal what the written rows add up to, and events are numbered without a gap.
    #[test]
    fn sums_equal_the_rows_and_events_have_no_gaps(inputs in prop::collection::vec((0_u8..6, 0_u128..6, 0_u64..1000), 0..80)) {
        let mut state = State::default();
        let (mut rows, mut seq) = (BTreeMap::new(), 0);
        // Ids are fresh in life; here the last call of each number is under way.
        let mut calls = [0; 6];
        for (moment, (what, n, tokens)) in (1..).zip(inputs) {
            let input = match what {
                0 => Input::Create { id: session_id(n), new: NewSession::named(&format!("s{n}")) },
                1 => Input::Change { id: session_id(n), patch: TimerChange::Complete.into(), revision: None },
                2 => Input::Change { id: session_id(n), patch: TimerChange::Resume.into(), revision: None },
                3 if state.sessions.is_empty() => Input::Tick,
                3 | 4 => { calls[n as usize] = moment as u128 + 1_000; Input::CallStarted(start(calls[n as usize], None)) }
                _ => call_ends(call_id(calls[n as usize]), Ended {
                    // Odd ids name one response or the other.
                    once: (n % 2 == 1).then(|| Once { id: format!("r{}", n % 4).into(), state: if tokens % 3 == 0 { Making::Over } else { Making::UnderWay } }),
                    ..end(Outcome::Complete, tokens, 1).into()
                }),
            };
            // Ids are fresh in life; here a session is made once.
            if matches!(&input, Input::Create { id, .. } if state.sessions.contains_key(id)) { continue; }
            for effect in state.step(at(moment), input).effects {
                match effect {
                    Effect::Write(Record::CallFinished(call)) => drop(rows.insert(call.start.id, call)),
                    Effect::Write(_) => {}
                    Effect::Publish(event) => { seq += 1; prop_assert_eq!(event.seq, seq); }
                }
            }
        }
        let sum = |session: Option<SessionId>| {
            let mut totals = Totals::default();
            rows.values().filter(|call| call.session == session).for_each(|call| totals.add(call));
            totals
        };
        prop_assert_eq!(state.unassigned, sum(None));
        for (id, live) in &state.sessions {
            prop_assert_eq!(live.totals, sum(Some(*id)));
        }
    }
}

fn patch(state: &mut State, id: SessionId, patch: Patch, ms: i64) -> Result<(), Refusal> {
    let revision = None;
    state.step(at(ms), Input::Change { id, patch, revision }).answer
}

fn view(state: &State, id: SessionId, ms: i64) -> SessionView {
    state.session_view(id, at(ms)).unwrap()
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
        token_budget: Some(Some(Tokens(5))),
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

fn report(n: u128, key: Option<(&str, u8)>, tokens: u64) -> Report {
    let mut start = start(n, None);
    start.operation = Operation::Manual;
    Report {
        key: key.map(|(key, fingerprint)| ReportKey {
            key: key.into(),
            fingerprint: [fingerprint; 32],
        }),
        calls: vec![(start, end(Outcome::Complete, tokens, 0))],
    }
}

#[test]
fn a_report_under_a_key_counts_once_and_a_batch_counts_whole_or_not_at_all() {
    let mut state = State::default();
    let id = create(&mut state, 1, "work", None, 0);
    let mut say = |reports| state.step(at(1), Input::Reported(session_id(1), reports)).answer;
    assert_eq!(say(vec![report(1, Some(("a", 1)), 5)]), Ok(()));
    assert_eq!(say(vec![report(2, Some(("a", 1)), 5)]), Ok(()), "said again");
    let reused = vec![report(3, None, 7), report(4, Some(("a", 2)), 9)];
    assert_eq!(say(reused), Err(Refusal::KeyReused(1)));
    assert_eq!(
        say(vec![report(5, None, 7), report(6, Some(("b", 2)), 9)]),
        Ok(())
    );
    assert_eq!(view(&state, id, 1).tokens_used, 5 + 7 + 9);
    assert_eq!(state.report(id, "a").unwrap().calls, [call_id(1)]);
    assert_eq!(state.report(session_id(2), "a"), None, "another session's key");
}

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

/// A fetch, or what is fetched later, of `id` at `ms`.
fn once(state: &mut State, n: u128, operation: Operation, id: &str, making: Making, tokens: Option<u64>) {
    let start = CallStart {
        operation,
        ..start(n, None)
    };
    state.step(at(1), Input::CallStarted(start));
    let mut end = end(Outcome::Complete, tokens.unwrap_or(0), 1);
    match (tokens, making) {
        (None, _) => (end.parts, end.source) = (Parts::default(), None),
        (_, Making::UnderWay) => end.source = Some(Source::Partial),
        _ => {}
    }
    let once = Some(Once {
        id: id.into(),
        state: making,
    });
    let ended = Ended { once, ..end.into() };
    state.step(at(2), call_ends(call_id(n), ended));
}

fn row(state: &State, n: u128) -> &Call {
    state
        .recent
        .iter()
        .find(|call| call.start.id == call_id(n))
        .unwrap()
}

#[test]
fn replies_of_a_server_that_gives_all_the_same_id_count_each() {
    use Operation::{Responses, RetrieveResponse};
    let mut state = State::default();
    let session = create(&mut state, 10, "work", None, 0);
    once(&mut state, 1, Responses, "resp_local", Making::Over, Some(100));
    once(&mut state, 2, Responses, "resp_local", Making::Over, Some(200));
    assert_eq!(row(&state, 2).counted_by, None);
    assert_eq!(state.sessions[&session].totals.total, 101 + 201);
    // Sent again, it is the same reply; fetched, it is one that was made.
    once(&mut state, 3, Responses, "resp_local", Making::Over, Some(100));
    once(
        &mut state,
        4,
        RetrieveResponse,
        "resp_local",
        Making::Over,
        Some(200),
    );
    assert_eq!(row(&state, 3).counted_by, Some(call_id(1)));
    assert_eq!(row(&state, 4).counted_by, Some(call_id(1)));
    assert_eq!(state.sessions[&session].totals.total, 101 + 201);
}

#[test]
fn a_background_response_counts_when_its_usage_comes_and_never_again() {
    use Operation::{Responses, RetrieveResponse};
    let mut state = State::default();
    let session = create(&mut state, 10, "asked here", None, 0);
    once(&mut state, 1, Responses, "r1", Making::UnderWay, None);
    let unknown = state.sessions[&session].totals;
    assert_eq!((unknown.requests, unknown.unknown_requests), (1, 1));

    create(&mut state, 11, "polled here", None, 0);
    once(&mut state, 2, RetrieveResponse, "r1", Making::Over, Some(100));
    assert_eq!(row(&state, 1).counted_by, Some(call_id(2)));
    assert_eq!(
        row(&state, 2).session,
        Some(session),
        "it belongs where it was asked for"
    );
    let known = state.sessions[&session].totals;
    assert_eq!((known.requests, known.total, known.unknown_requests), (1, 101, 0));

    once(&mut state, 3, RetrieveResponse, "r1", Making::Over, Some(100));
    once(&mut state, 4, Responses, "r1", Making::Over, Some(100));
    for n in [3, 4] {
        let repeated = row(&state, n);
        assert_eq!(repeated.counted_by, Some(call_id(2)));
        assert_eq!(
            (repeated.cost, repeated.end.as_ref().unwrap().parts.total()),
            (None, None)
        );
    }
    assert_eq!(state.sessions[&session].totals, known);
    assert_eq!(state.sessions[&session_id(11)].totals, Totals::default());

    // Another provider's response of that name is another response.
    let elsewhere = CallStart {
        provider: "azure".into(),
        ..start(5, None)
    };
    state.step(at(3), Input::CallStarted(elsewhere));
    let ended = Ended {
        once: Some(Once {
            id: "r1".into(),
            state: Making::Over,
        }),
        ..end(Outcome::Complete, 7, 1).into()
    };
    state.step(at(3), call_ends(call_id(5), ended));
    assert_eq!(row(&state, 5).counted_by, None);
}

#[test]
fn what_says_more_takes_the_place_of_what_was_not_over() {
    use Operation::{Interactions, RetrieveInteraction};
    let mut state = State::default();
    once(&mut state, 1, Interactions, "i", Making::UnderWay, Some(50));
    once(
        &mut state,
        2,
        RetrieveInteraction,
        "i",
        Making::UnderWay,
        Some(20),
    );
    assert_eq!(
        row(&state, 2).counted_by,
        Some(call_id(1)),
        "less is known than before"
    );
    once(&mut state, 3, RetrieveInteraction, "i", Making::Over, Some(70));
    assert_eq!(row(&state, 1).counted_by, Some(call_id(3)));
    assert_eq!((state.unassigned.requests, state.unassigned.total), (1, 71));
}

#[test]
fn the_database_is_asked_of_fetches_whose_id_is_not_remembered() {
    let mut state = State::default();
    let key = OnceKey::new("openai", "r1");
    let ended = || Ended {
        once: Some(Once {
            id: "r1".into(),
            state: Making::Over,
        }),
        ..end(Outcome::Complete, 100, 1).into()
    };
    let fetch = |n| CallStart {
        operation: Operation::RetrieveResponse,
        ..start(n, None)
    };
    state.step(at(1), Input::CallStarted(start(1, None)));
    assert_eq!(
        state.unknown_keys(call_id(1), &ended()),
        [],
        "a POST makes something new"
    );
    state.step(at(1), Input::CallStarted(fetch(2)));
    assert_eq!(state.unknown_keys(call_id(2), &ended()), [key]);

    let mut before = state.running[&call_id(2)].clone();
    before.start.id = call_id(99);
    before.end = Some(end(Outcome::Complete, 100, 1));
    let counting = Counting {
        call: Arc::new(before),
        standing: super::super::record::Standing::Settled,
    };
    state.recall(key, counting);
    assert_eq!(state.unknown_keys(call_id(2), &ended()), []);
    state.step(at(2), call_ends(call_id(2), ended()));
    assert_eq!(row(&state, 2).counted_by, Some(call_id(99)));
    assert_eq!(state.unassigned, Totals::default());
}

#[test]
fn what_another_model_used_is_a_call_of_its_own_in_the_same_place() {
    let mut state = State::default();
    let session = create(&mut state, 10, "work", None, 0);
    state.step(at(1), Input::CallStarted(start(1, None)));
    create(&mut state, 11, "later", None, 0);
    let share = Share {
        model: Some("gpt-4o".into()),
        parts: Parts {
            input: Some(Tokens(1_000_000)),
            ..Parts::default()
        },
        source: Source::Exact,
        once: None,
    };
    let ended = Ended {
        others: vec![(call_id(2), share)],
        ..end(Outcome::Complete, 1_000_000, 0).into()
    };
    state.step(at(2), call_ends(call_id(1), ended));
    let [own, other] = [row(&state, 1), row(&state, 2)];
    assert_eq!(
        (own.model(), other.model()),
        (Some("gpt-4o-mini"), Some("gpt-4o"))
    );
    assert_eq!(other.session, Some(session));
    // 2.50 $ and 0.15 $ a million.
    assert_eq!(other.cost.unwrap().amount.0 * 3, own.cost.unwrap().amount.0 * 50);
    assert_eq!(state.sessions[&session].totals.total, 2_000_000);
}
