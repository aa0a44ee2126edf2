//! Calls from other tools' logs.

use super::*;
use crate::domain::import::{Import, Incoming};
use crate::domain::wire::Totals;

fn incoming(n: u128, output: u64) -> Incoming {
    let mut end = end(Outcome::Complete, 10, output);
    end.source = Some(Source::Imported);
    Incoming {
        key: OnceKey::new("import", &n.to_string()),
        start: start(n, None),
        end,
        known: None,
        metered: None,
    }
}

fn import(state: &mut State, calls: Vec<Incoming>, session: Option<SessionId>) -> Vec<Effect> {
    let import = Import {
        calls,
        session,
        rewritten: state.rewritten(),
    };
    let step = state.step(at(1_000), Input::Import(Box::new(import)));
    assert_eq!(step.answer, Ok(()));
    step.effects
}

fn written(effects: &[Effect]) -> Vec<Arc<Call>> {
    let calls = effects.iter().filter_map(|effect| match effect {
        Effect::Write(Record::CallFinished(call)) => Some(Arc::clone(call)),
        _ => None,
    });
    calls.collect()
}

fn counted(effects: &[Effect]) -> Vec<CallId> {
    let calls = effects.iter().filter_map(|effect| match effect {
        Effect::Write(Record::Counted(counted)) => Some(counted.call),
        _ => None,
    });
    calls.collect()
}

fn sums(state: &State) -> (u64, u64) {
    let Totals { requests, total, .. } = state.unassigned();
    (requests, total)
}

#[test]
fn what_is_new_counts_and_is_told_of_at_once() {
    let mut state = State::default();
    let effects = import(&mut state, vec![incoming(1, 5), incoming(2, 6)], None);
    assert_eq!(sums(&state), (2, 31));
    assert_eq!(counted(&effects), [call_id(1), call_id(2)]);
    for call in written(&effects) {
        assert_eq!(
            (call.attribution, call.changed_at, call.cost.is_some()),
            (Attribution::Unassigned, Some(at(1_000).wall), true)
        );
    }
    let told: Vec<&Change> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Publish(event) => Some(&event.change),
            Effect::Write(_) => None,
        })
        .collect();
    assert_eq!(
        told,
        [&Change::CallsImported {
            calls: 2,
            unassigned: state.unassigned()
        }]
    );
}

#[test]
fn what_is_known_changes_nothing_unless_the_log_says_more_now() {
    let mut state = State::default();
    let first = written(&import(&mut state, vec![incoming(1, 5)], None)).remove(0);
    let again = |n, output, known: &Arc<Call>| Incoming {
        key: OnceKey::new("import", "1"),
        known: Some(Arc::clone(known)),
        ..incoming(n, output)
    };
    for output in [5, 3] {
        assert_eq!(import(&mut state, vec![again(7, output, &first)], None), []);
    }
    let effects = import(&mut state, vec![again(7, 9, &first)], None);
    let grown = written(&effects).remove(0);
    assert_eq!((grown.start.id, counted(&effects)), (call_id(1), vec![]));
    assert_eq!(sums(&state), (1, 19));
    // Whoever looked it up before must look again.
    let import = Import {
        calls: vec![again(7, 20, &first)],
        session: None,
        rewritten: 0,
    };
    let step = state.step(at(1_000), Input::Import(Box::new(import)));
    assert_eq!(step.answer, Err(Refusal::CallsChanged));
}

#[test]
fn what_the_proxy_metered_takes_the_place_of_what_was_imported() {
    let mut state = State::default();
    let metered = |known: Option<&Arc<Call>>| Incoming {
        key: OnceKey::new("import", "1"),
        known: known.cloned(),
        metered: Some(call_id(50)),
        ..incoming(7, 5)
    };
    let effects = import(&mut state, vec![metered(None)], None);
    assert_eq!(
        (written(&effects), counted(&effects)),
        (vec![], vec![call_id(50)])
    );
    assert_eq!(sums(&state), (0, 0));
    let first = written(&import(&mut state, vec![incoming(1, 5)], None)).remove(0);
    assert_eq!(sums(&state), (1, 15));
    let effects = import(&mut state, vec![metered(Some(&first))], None);
    assert_eq!(sums(&state), (0, 0));
    let given_up = written(&effects).remove(0);
    assert_eq!(
        (given_up.start.id, given_up.counted_by),
        (call_id(1), Some(call_id(50)))
    );
    assert_eq!(counted(&effects), [call_id(50)]);
}

#[test]
fn history_in_a_session_is_in_its_sums_and_not_in_its_pace() {
    let mut state = State::default();
    let session = create(&mut state, 1, "s", None, 0);
    let calls = (1..60).map(|n| incoming(n, 5)).collect();
    let effects = import(&mut state, calls, Some(session));
    assert!(
        written(&effects)
            .iter()
            .all(|call| call.attribution == Attribution::Manual)
    );
    let view = state.session_view(session, at(2_000)).unwrap();
    assert_eq!((view.usage.requests, view.tokens_used), (59, 59 * 15));
    assert_eq!(view.burn_rate, None);
    state.step(at(3_000), Input::LookAhead);
    assert_eq!(state.snapshot(at(3_000), |_| true).alerts, []);
    let import = Import {
        calls: vec![],
        session: Some(session_id(9)),
        rewritten: state.rewritten(),
    };
    let step = state.step(at(3_000), Input::Import(Box::new(import)));
    assert_eq!(step.answer, Err(Refusal::NoSuchSession));
}
