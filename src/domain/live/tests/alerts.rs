use super::*;
use crate::domain::alert::{AlertStatus, Facts, Patch as AlertPatch, Scope};
use crate::domain::wire::AlertView;

/// The alerts that effects tell of, each of which is written down first.
pub(super) fn told(effects: &[Effect]) -> Vec<AlertView> {
    let mut written = 0;
    let mut told = Vec::new();
    for effect in effects {
        match effect {
            Effect::Write(Record::Alert(_)) => written += 1,
            Effect::Publish(event) => {
                if let Change::Alert(view) = &event.change {
                    assert_eq!(event.session_id, view_session(view));
                    told.push(view.clone());
                }
            }
            Effect::Write(_) => {}
        }
    }
    assert_eq!(written, told.len());
    told
}

fn view_session(view: &AlertView) -> Option<SessionId> {
    view.scope.session_id()
}

fn raise(state: &mut State, scope: &Scope, ms: i64) -> Vec<AlertView> {
    let mut effects = Vec::new();
    let facts = Facts::Idle {
        since: Millis(600_000),
    };
    state.raise(scope, &facts, at(ms), &mut effects);
    told(&effects)
}

#[test]
fn an_alert_is_acknowledged_by_its_id_and_snoozed_until_its_time() {
    let mut state = State::default();
    let session = create(&mut state, 1, "work", None, 0);
    let id = raise(&mut state, &Scope::session(session), 1)[0].id;
    let patch = |ms: i64| AlertPatch {
        snoozed_until: Some(Some(at(ms).wall)),
        ..AlertPatch::default()
    };
    let step = state.step(at(2), Input::Alert(id, patch(1_000)));
    assert_eq!(told(&step.effects)[0].status, AlertStatus::Snoozed);
    assert_eq!(state.snapshot(at(3), |_| true).alerts.len(), 1);
    raise(&mut state, &Scope::Moonlock, 3);
    let elsewhere = state.snapshot(at(3), |_| false).alerts;
    assert_eq!(elsewhere.len(), 1, "what is about no session concerns everyone");
    assert_eq!(elsewhere[0].scope, Scope::Moonlock);
    assert!(state.step(at(999), Input::Tick).effects.is_empty());
    let woken = state.step(at(1_000), Input::Tick);
    assert_eq!(told(&woken.effects)[0].status, AlertStatus::Active);

    let seen = AlertPatch {
        acknowledged: Some(true),
        ..AlertPatch::default()
    };
    let step = state.step(at(1_001), Input::Alert(id, seen));
    assert_eq!(told(&step.effects)[0].status, AlertStatus::Acknowledged);
    let unknown = AlertId::from_uuid(Uuid::nil());
    assert_eq!(
        state.step(at(1_002), Input::Alert(unknown, seen)).answer,
        Err(Refusal::NoSuchAlert)
    );
}

#[test]
fn a_sessions_alerts_end_with_it_and_those_of_others_do_not() {
    let mut state = State::default();
    let ends = create(&mut state, 1, "ends", None, 0);
    let goes_on = create(&mut state, 2, "goes on", None, 0);
    raise(&mut state, &Scope::session(ends), 1);
    let conversation = Scope::Conversation {
        session_id: Some(ends),
        conversation: "thread".into(),
    };
    raise(&mut state, &conversation, 1);
    raise(&mut state, &Scope::session(goes_on), 1);
    let provider = Scope::Provider {
        provider: "openai".into(),
    };
    raise(&mut state, &provider, 1);
    let patch = TimerChange::Complete.into();
    let step = state.step(
        at(2),
        Input::Change {
            id: ends,
            patch,
            revision: None,
        },
    );
    let cleared = told(&step.effects);
    assert_eq!(cleared.len(), 2);
    assert!(cleared.iter().all(|view| view.status == AlertStatus::Cleared));
    assert_eq!(state.alerts.standing().count(), 2);
}

#[test]
fn after_a_start_the_alerts_of_sessions_that_are_gone_are_over() {
    let mut state = State::default();
    raise(&mut state, &Scope::session(session_id(7)), 1);
    raise(&mut state, &Scope::Moonlock, 1);
    let restored = Restored {
        alerts: state.alerts.standing().cloned().collect(),
        muted: vec![crate::domain::alert::Rule::CallsSize],
        ..Restored::default()
    };
    let (state, effects) = State::restore(restored, at(2), 0);
    assert_eq!(told(&effects).len(), 1);
    assert_eq!(state.alerts.standing().count(), 1);
    assert!(state.is_muted(crate::domain::alert::Rule::CallsSize));
}

#[test]
fn a_muted_rule_is_written_down_once() {
    let mut state = State::default();
    raise(&mut state, &Scope::Moonlock, 0);
    let mute = |muted| Input::Mute {
        rule: crate::domain::alert::Rule::SessionIdle,
        muted,
    };
    let step = state.step(at(1), mute(true));
    assert!(matches!(
        step.effects[0],
        Effect::Write(Record::Muted { muted: true, .. })
    ));
    assert_eq!(told(&step.effects)[0].status, AlertStatus::Muted);
    assert!(state.step(at(2), mute(true)).effects.is_empty());
    assert_eq!(state.step(at(3), mute(false)).effects.len(), 3);
}
