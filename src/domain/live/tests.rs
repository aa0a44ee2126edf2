use super::*;
use crate::domain::call::{AskedSession, Attribution, Outcome, Source};
use crate::domain::operation::Operation;
use crate::domain::session::Status;
use crate::domain::session::clock::{BootId, Nanos};
use crate::domain::units::Timestamp;
use crate::domain::usage::once::{Making, Once, OnceKey, Share};
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
        Input::CallEnded(call_id(9), end(Outcome::Complete, 100, 20).into()),
    );
    assert!(matches!(
        &step.effects[..],
        [Effect::Write(Record::CallFinished(_)), Effect::Publish(_)]
    ));
    assert!(
        state
            .step(
                at(3),
                Input::CallEnded(call_id(9), end(Outcome::Complete, 1, 1).into())
            )
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
        Input::CallEnded(call_id(9), end(Outcome::Complete, 100, 20).into()),
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
        let (mut rows, mut seq) = (BTreeMap::new(), 0);
        // Ids are fresh in life; here the last call of each number is under way.
        let mut calls = [0; 6];
        for (moment, (what, n, tokens)) in (1..).zip(inputs) {
            let input = match what {
                0 => Input::Create { id: session_id(n), name: format!("s{n}").into(), duration: None, token_budget: None },
                1 => Input::Change { id: session_id(n), change: TimerChange::Complete, revision: None },
                2 => Input::Change { id: session_id(n), change: TimerChange::Resume, revision: None },
                3 if state.sessions.is_empty() => Input::Tick,
                3 | 4 => { calls[n as usize] = moment as u128 + 1_000; Input::CallStarted(start(calls[n as usize], None)) }
                _ => Input::CallEnded(call_id(calls[n as usize]), Ended {
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
    state.step(at(2), Input::CallEnded(call_id(n), ended));
}

fn row(state: &State, n: u128) -> &Call {
    state
        .recent
        .iter()
        .find(|call| call.start.id == call_id(n))
        .unwrap()
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
    state.step(at(3), Input::CallEnded(call_id(5), ended));
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
    state.step(at(2), Input::CallEnded(call_id(2), ended()));
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
    state.step(at(2), Input::CallEnded(call_id(1), ended));
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
