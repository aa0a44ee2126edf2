use super::alerts::told;
use super::*;
use crate::domain::alert::{AlertStatus, Rule as AlertRule};
use crate::domain::call::UNDECODABLE;
use crate::domain::windows::{Kind, Observation, Role, Window};

/// A call of openai that ends so; what is told of the provider.
fn call(
    state: &mut State,
    n: u128,
    outcome: Outcome,
    status: Option<u16>,
    ms: i64,
) -> Vec<(AlertRule, AlertStatus)> {
    let ended = CallEnd {
        status,
        ..end(outcome, 0, 0)
    };
    ends(state, n, ended, ms)
}

fn ends(state: &mut State, n: u128, ended: CallEnd, ms: i64) -> Vec<(AlertRule, AlertStatus)> {
    state.step(at(ms), Input::CallStarted(start(n, None)));
    let step = state.step(at(ms), call_ends(call_id(n), ended));
    plain(&step.effects)
}

fn plain(effects: &[Effect]) -> Vec<(AlertRule, AlertStatus)> {
    told(effects)
        .iter()
        .map(|view| (view.rule, view.status))
        .collect()
}

#[test]
fn five_failures_in_a_row_are_told_once_and_end_with_an_answer() {
    for (status, rule) in [
        (Some(500), AlertRule::ProviderErrors),
        (None, AlertRule::ProviderErrors),
        (Some(429), AlertRule::ProviderOverload),
        (Some(529), AlertRule::ProviderOverload),
    ] {
        let mut state = State::default();
        for n in 1..5 {
            assert_eq!(call(&mut state, n, Outcome::UpstreamError, status, n as i64), []);
            // What the client did wrong, or did not wait for, says nothing.
            assert_eq!(
                call(&mut state, n + 100, Outcome::UpstreamError, Some(400), 1),
                []
            );
            assert_eq!(call(&mut state, n + 200, Outcome::ClientAborted, None, 1), []);
        }
        let fifth = call(&mut state, 5, Outcome::UpstreamError, status, 60_000);
        assert_eq!(fifth, [(rule, AlertStatus::Active)], "{status:?}");
        assert_eq!(call(&mut state, 6, Outcome::UpstreamError, status, 60_001), []);
        let answer = call(&mut state, 7, Outcome::Complete, Some(200), 60_002);
        assert_eq!(answer, [(rule, AlertStatus::Cleared)]);
        assert_eq!(
            call(&mut state, 8, Outcome::UpstreamError, status, 60_003),
            [],
            "a new streak"
        );
    }
}

#[test]
fn a_provider_that_nobody_asks_is_forgotten() {
    let mut state = State::default();
    for n in 1..=5 {
        call(&mut state, n, Outcome::StreamError, Some(200), 0);
    }
    let minute = 60_000;
    assert_eq!(plain(&state.step(at(29 * minute), Input::Tick).effects), []);
    assert_eq!(
        plain(&state.step(at(30 * minute), Input::Tick).effects),
        [(AlertRule::ProviderErrors, AlertStatus::Cleared)]
    );
}

#[test]
fn replies_that_cannot_be_decoded_are_told() {
    let mut state = State::default();
    let unreadable = || CallEnd {
        error: Some(UNDECODABLE.into()),
        ..end(Outcome::Complete, 0, 0)
    };
    for n in 1..3 {
        assert_eq!(ends(&mut state, n, unreadable(), 1), []);
    }
    assert_eq!(
        ends(&mut state, 3, unreadable(), 1),
        [(AlertRule::MeterBlind, AlertStatus::Active)]
    );
    assert_eq!(
        call(&mut state, 4, Outcome::Complete, Some(200), 2),
        [(AlertRule::MeterBlind, AlertStatus::Cleared)]
    );
}

/// What follows when the provider says how much of a window of 1,000 is left.
pub(super) fn window(state: &mut State, period_ms: u64, left: u64, ms: i64) -> Vec<Effect> {
    let window = Window {
        name: "5h".into(),
        kind: Kind::Tokens,
        period: Some(Millis(period_ms)),
        limit: Some(1_000),
        remaining: Some(left),
        said_used: None,
        standing: None,
        role: Role::Unnamed,
        resets_at: Some(Timestamp(at(0).wall.0 + period_ms as i64)),
    };
    let observation = Observation {
        provider: "anthropic".into(),
        credential: None,
        at: at(ms).wall,
        windows: vec![window],
    };
    state.step(at(ms), Input::LimitsSeen(Box::new(observation)));
    state.step(at(ms), Input::SettleLimits).effects
}

/// What is told then.
fn window_tells(state: &mut State, period_ms: u64, left: u64, ms: i64) -> Vec<(AlertRule, u8, AlertStatus)> {
    told(&window(state, period_ms, left, ms))
        .iter()
        .map(|view| (view.rule, view.level.unwrap(), view.status))
        .collect()
}

#[test]
fn a_long_window_is_told_of_at_80_and_95_percent_until_it_begins_anew() {
    const HOUR: u64 = 3_600_000;
    let mut state = State::default();
    let rule = AlertRule::ProviderWindow;
    assert_eq!(window_tells(&mut state, 5 * HOUR, 201, 1), []);
    assert_eq!(
        window_tells(&mut state, 5 * HOUR, 200, 2),
        [(rule, 80, AlertStatus::Active)]
    );
    assert_eq!(window_tells(&mut state, 5 * HOUR, 100, 3), []);
    assert_eq!(
        window_tells(&mut state, 5 * HOUR, 50, 4),
        [(rule, 95, AlertStatus::Active)]
    );
    let message = &state.alerts.standing().next().unwrap().message;
    assert_eq!(
        **message,
        *"anthropic says that its limit “5h” is used to 95 %; it begins anew in 5 h. Slow down, or use another model or \
          provider until then."
    );
    let before = state.step(at(5 * HOUR as i64 - 1), Input::Tick);
    assert_eq!(plain(&before.effects), []);
    let anew = state.step(at(5 * HOUR as i64), Input::Tick);
    assert_eq!(plain(&anew.effects), [(rule, AlertStatus::Cleared)]);
}

#[test]
fn a_window_of_a_minute_is_no_news() {
    let mut state = State::default();
    assert_eq!(window_tells(&mut state, 60_000, 1, 1), []);
}

#[test]
fn many_rows_that_wait_are_told_until_the_disk_keeps_up() {
    let mut state = State::default();
    let waits = state.step(at(0), Input::StoreTrouble(StoreTrouble::Queue { rows: 12_345 }));
    assert_eq!(
        told(&waits.effects)[0].message,
        "12,345 rows wait to be written: the disk does not keep up. Look for what keeps it busy; they are lost if \
         Moonlock is killed now."
    );
    assert!(state.has_store_trouble());
    let well = state.step(at(1), Input::StoreWell);
    assert_eq!(
        plain(&well.effects),
        [(AlertRule::StoreQueue, AlertStatus::Cleared)]
    );
}
