use super::*;
use crate::domain::call::{AskedSession, Attribution, Outcome, Source};
use crate::domain::operation::Operation;
use crate::domain::session::Status;
use crate::domain::session::clock::{BootId, Nanos};
use crate::domain::units::Timestamp;
use crate::domain::usage::parts::Parts;
use proptest::prelude::*;
use uuid::Uuid;

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
    let input = Input::Create {
        id,
        name: name.into(),
        duration,
        token_budget: None,
    };
    assert_eq!(state.step(at(ms), input).answer, Ok(()));
    id
}

fn change(state: &mut State, id: SessionId, change: TimerChange, ms: i64) -> Result<(), Refusal> {
    state
        .step(
            at(ms),
            Input::Change {
                id,
                change,
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
    let step = state.step(
        at(2),
        Input::CallEnded(call_id(9), end(Outcome::Complete, 100, 20)),
    );
    assert!(matches!(
        &step.effects[..],
        [Effect::Write(Record::CallFinished(_)), Effect::Publish(_)]
    ));
    assert!(
        state
            .step(at(3), Input::CallEnded(call_id(9), end(Outcome::Complete, 1, 1)))
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
    state.step(
        at(3),
        Input::CallEnded(call_id(9), end(Outcome::Complete, 100, 20)),
    );
    assert_eq!(state.session_view(id, at(3)).unwrap().tokens_used, 120);
    assert_eq!(state.unassigned, Totals::default());
}

#[test]
fn a_stale_change_is_refused_and_a_repeated_one_is_harmless() {
    let mut state = State::default();
    let id = create(&mut state, 1, "work", None, 0);
    let pause = |revision| Input::Change {
        id,
        change: TimerChange::Pause,
        revision,
    };
    assert_eq!(state.step(at(1), pause(Some(7))).answer, Err(Refusal::Stale));
    assert_eq!(state.step(at(1), pause(Some(0))).answer, Ok(()));
    assert!(state.step(at(2), pause(None)).effects.is_empty());
    let elsewhere = Input::Change {
        id: session_id(5),
        change: TimerChange::Pause,
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
        let (mut rows, mut seq) = (Vec::new(), 0);
        for (moment, (what, n, tokens)) in (1..).zip(inputs) {
            let input = match what {
                0 => Input::Create { id: session_id(n), name: format!("s{n}").into(), duration: None, token_budget: None },
                1 => Input::Change { id: session_id(n), change: TimerChange::Complete, revision: None },
                2 => Input::Change { id: session_id(n), change: TimerChange::Resume, revision: None },
                3 if state.sessions.is_empty() => Input::Tick,
                3 | 4 => Input::CallStarted(start(n, None)),
                _ => Input::CallEnded(call_id(n), end(Outcome::Complete, tokens, 1)),
            };
            // Ids are fresh in life; here a session is made once.
            if matches!(&input, Input::Create { id, .. } if state.sessions.contains_key(id)) { continue; }
            for effect in state.step(at(moment), input).effects {
                match effect {
                    Effect::Write(Record::CallFinished(call)) => rows.push(call),
                    Effect::Write(_) => {}
                    Effect::Publish(event) => { seq += 1; prop_assert_eq!(event.seq, seq); }
                }
            }
        }
        let sum = |session: Option<SessionId>| {
            let mut totals = Totals::default();
            rows.iter().filter(|call| call.session == session).for_each(|call| totals.add(call));
            totals
        };
        prop_assert_eq!(state.unassigned, sum(None));
        for (id, live) in &state.sessions {
            prop_assert_eq!(live.totals, sum(Some(*id)));
        }
    }
}
