//! Sessions that are deleted.

use super::*;
use crate::domain::session::CallsFate;

fn delete(state: &mut State, id: SessionId, calls: CallsFate) -> (Result<(), Refusal>, Vec<Effect>) {
    let step = state.step(at(50), Input::Delete { id, calls });
    (step.answer, step.effects)
}

/// A session that has ended, with a call that has ended (1) and one that runs (2).
fn ended() -> (State, SessionId) {
    let mut state = State::default();
    let id = create(&mut state, 7, "s", None, 0);
    for n in [1, 2] {
        let mut start = start(n, Some(("s", Attribution::Header)));
        start.conversation = Some("thread".into());
        state.step(at(1), Input::CallStarted(start));
    }
    state.step(at(2), call_ends(call_id(1), end(Outcome::Complete, 10, 5)));
    change(&mut state, id, TimerChange::Complete, 3).unwrap();
    (state, id)
}

#[test]
fn only_what_has_ended_can_be_deleted() {
    let mut state = State::default();
    let id = create(&mut state, 7, "s", None, 0);
    let unassign = CallsFate::Unassign;
    assert_eq!(delete(&mut state, id, unassign), (Err(Refusal::NotEnded), vec![]));
    change(&mut state, id, TimerChange::Pause, 1).unwrap();
    assert_eq!(delete(&mut state, id, unassign).0, Err(Refusal::NotEnded));
    change(&mut state, id, TimerChange::Complete, 2).unwrap();
    assert_eq!(delete(&mut state, id, unassign).0, Ok(()));
    assert_eq!(delete(&mut state, id, unassign).0, Err(Refusal::NoSuchSession));
}

#[test]
fn it_is_gone_at_once_and_what_runs_runs_on() {
    for fate in [CallsFate::Unassign, CallsFate::Delete] {
        let (mut state, id) = ended();
        let (answer, effects) = delete(&mut state, id, fate);
        assert_eq!(answer, Ok(()));
        assert!(effects.contains(&Effect::Write(Record::SessionDeleted {
            session: id,
            calls: fate,
        })));
        let told = effects.iter().any(|effect| {
            matches!(effect, Effect::Publish(event)
                if event.session_id == Some(id) && event.change == Change::SessionDeleted { calls: fate })
        });
        assert!(told, "{effects:?}");
        assert_eq!(state.session_view(id, at(51)), None);
        assert_eq!(state.recent.is_empty(), fate == CallsFate::Delete);
        assert_eq!(state.running[&call_id(2)].session, None, "it belongs to nobody");
        assert_eq!(state.all_bound().count(), 0);
        state.step(at(52), call_ends(call_id(2), end(Outcome::Complete, 1, 1)));
        assert_eq!((state.unassigned.requests, state.unassigned.total), (1, 2));
        // Its name and its thread lead nowhere.
        let asked = Some(("s", Attribution::Path));
        assert_eq!(attribution(&mut state, 3, asked), (None, Attribution::Unassigned));
    }
}

#[test]
fn who_read_it_before_does_not_bring_it_back() {
    let (mut state, id) = ended();
    let LiveSession {
        session,
        totals,
        marks,
        ..
    } = state.sessions[&id].clone();
    delete(&mut state, id, CallsFate::Delete).0.unwrap();
    state.adopt(session, totals, marks);
    assert_eq!(state.session_view(id, at(51)), None);
}

#[test]
fn its_calls_leave_every_sum_once_and_come_again_as_new() {
    let mut state = State::default();
    let terms = Terms {
        name: "day".into(),
        period: budget::Period::Day,
        of: budget::Filter::default(),
        allowance: budget::Allowance {
            tokens: Some(Tokens(1_000)),
            ..budget::Allowance::default()
        },
    };
    let day = BudgetId::from_uuid(Uuid::from_u128(9));
    state.step(at(0), Input::CreateBudget(day, Box::new(terms)));
    let id = create(&mut state, 7, "s", None, 0);
    once(
        &mut state,
        1,
        Operation::RetrieveResponse,
        "resp",
        Making::Over,
        Some(10),
    );
    state.step(at(3), Input::CallStarted(start(2, None)));
    state.step(at(3), call_ends(call_id(2), end(Outcome::Complete, 20, 0)));
    change(&mut state, id, TimerChange::Complete, 4).unwrap();
    let spent = |state: &State| state.budget(day).unwrap().usage.total;
    assert_eq!(spent(&state), 31);

    let calls = vec![row(&state, 1).clone(), row(&state, 2).clone()];
    delete(&mut state, id, CallsFate::Delete).0.unwrap();
    let deletion = |state: &State, calls: &[Call]| {
        Input::DeleteCalls(Box::new(Deletion {
            session: id,
            calls: calls.to_vec(),
            rewritten: state.rewritten(),
        }))
    };
    let stale = deletion(&state, &calls);
    let input = deletion(&state, &[&calls[..1], &calls[..1]].concat());
    let step = state.step(at(60), input);
    assert_eq!(step.answer, Ok(()));
    assert_eq!(step.effects.len(), 1, "named twice, deleted once");
    assert_eq!(spent(&state), 20);
    assert_eq!(state.step(at(61), stale).answer, Err(Refusal::CallsChanged));
    let input = deletion(&state, &calls[1..]);
    assert_eq!(state.step(at(62), input).answer, Ok(()));
    assert_eq!(spent(&state), 0);

    once(
        &mut state,
        3,
        Operation::RetrieveResponse,
        "resp",
        Making::Over,
        Some(10),
    );
    assert_eq!(row(&state, 3).counted_by, None, "what counted it is gone");
    assert_eq!(spent(&state), 11);
}
