//! Where calls go, how they are counted, and what is told of it.

use super::*;

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

#[test]
fn trouble_with_the_disk_is_told_once_and_cleared() {
    let mut state = State::default();
    let trouble = || Input::StoreTrouble(StoreTrouble::Slow);
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
