//! Other shares at which the user is told: set while Moonlock runs, or while it does not.

use super::alerts::told;
use super::budgets::{call, restarted, with_budget};
use super::providers::window;
use super::*;
use crate::domain::alert::{AlertStatus, Severity, Thresholds};
use crate::domain::budget::Allowance;
use crate::domain::windows::LimitSet;
use crate::domain::wire::AlertView;

pub(super) fn set(shares: &[i64]) -> Thresholds {
    Thresholds::new(shares).unwrap()
}

pub(super) fn settings(shares: &[i64]) -> Input {
    Input::Settings {
        auto_idle: None,
        prices: Vec::new(),
        thresholds: set(shares),
    }
}

/// What is said of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// It begins, or gets worse: the user is told.
    Aloud(u8, Severity),
    /// It is otherwise than it was, and nobody is told.
    Silently(u8, Severity),
    /// It is over.
    Over,
}

fn said(views: &[AlertView], at: Reading) -> Vec<Says> {
    let is_now = |ms: Option<i64>| ms == Some(at.wall.0);
    let says = |view: &AlertView| match view.status {
        AlertStatus::Cleared => Says::Over,
        _ if is_now(Some(view.raised_at)) || is_now(view.worsened_at) => {
            Says::Aloud(view.level.unwrap(), view.severity)
        }
        _ => Says::Silently(view.level.unwrap(), view.severity),
    };
    views.iter().map(says).collect()
}

use Says::{Aloud, Over, Silently};
use Severity::{Critical, Warning};

/// Shares that were set, how much of 1,000 is used, the shares that are set then, and what is said of it.
type Turn = (&'static [i64], u64, &'static [i64], Option<Says>);

const CHANGES: [Turn; 16] = [
    // The share that was told of is still set.
    (&[80, 95], 850, &[80, 95], None),
    (&[80, 95], 850, &[80, 90], None),
    (&[80, 95], 960, &[50, 95], None),
    (&[80, 95], 850, &[80], None),
    (&[80, 95], 1_000, &[50], None),
    // It matters more or less than it did.
    (&[80, 95], 850, &[50, 80], Some(Silently(80, Critical))),
    (&[50, 80], 850, &[80, 95], Some(Silently(80, Warning))),
    // It is not set any more: what is below it stands, or nothing.
    (&[80, 95], 850, &[50], Some(Silently(50, Warning))),
    (&[80, 95], 960, &[50, 90], Some(Silently(90, Critical))),
    (&[80, 95], 850, &[90], Some(Over)),
    (&[50], 600, &[80, 95], Some(Over)),
    (&[80, 95], 960, &[99], Some(Over)),
    // Something is passed of which nobody was told.
    (&[80, 95], 600, &[50], Some(Aloud(50, Warning))),
    (&[80, 95], 600, &[50, 60], Some(Aloud(60, Critical))),
    (&[50], 850, &[50, 80], Some(Aloud(80, Critical))),
    (&[80, 95], 900, &[70, 88, 99], Some(Aloud(88, Warning))),
];

#[test]
fn a_budget_is_held_against_other_shares_at_once_and_after_a_start() {
    for (before, used, after, expected) in CHANGES {
        let context = format!("{before:?} at {used}, then {after:?}");
        let (mut state, _) = with_budget(Allowance::tokens(Some(Tokens(1_000))));
        state.step(at(1), settings(before));
        call(&mut state, 1, used, 2);

        let (again, effects) = restarted(&state, set(after), at(3));
        let after_a_start = said(&told(&effects), at(3));
        assert_eq!(
            after_a_start,
            Vec::from_iter(expected),
            "{context}, after a start"
        );

        let at_once = state.step(at(3), settings(after));
        assert_eq!(said(&told(&at_once.effects), at(3)), after_a_start, "{context}");

        for mut state in [state, again] {
            assert_eq!(
                told(&state.step(at(4), settings(after)).effects),
                [],
                "{context}: the same again"
            );
            let (_, effects) = restarted(&state, set(after), at(5));
            assert_eq!(told(&effects), [], "{context}: a start tells it again");
        }
    }
}

#[test]
fn what_goes_on_is_told_by_the_new_shares_alone() {
    let (mut state, _) = with_budget(Allowance::tokens(Some(Tokens(1_000))));
    call(&mut state, 1, 850, 1);
    state.step(at(2), settings(&[50, 90]));
    let expected = [
        (40, None),
        (10, Some(Aloud(90, Critical))),
        (60, None),
        (40, Some(Aloud(100, Critical))),
        (500, None),
    ];
    for (n, (tokens, expected)) in (3..).zip(expected) {
        let views = call(&mut state, n, tokens, n as i64);
        assert_eq!(said(&views, at(n as i64)), Vec::from_iter(expected), "call {n}");
    }
    assert_eq!(state.alerts.standing().count(), 1);
}

/// The limits that were written down.
fn kept(effects: &[Effect]) -> Vec<LimitSet> {
    let kept = effects.iter().filter_map(|effect| match effect {
        Effect::Write(Record::Limits(set)) => Some((**set).clone()),
        _ => None,
    });
    kept.collect()
}

#[test]
fn a_providers_own_limit_is_held_against_them_too() {
    const HOURS: u64 = 5 * 3_600_000;
    for (before, used, after, expected) in CHANGES {
        // The provider's own limit is none of the shares.
        if used >= 1_000 {
            continue;
        }
        let context = format!("{before:?} at {used}, then {after:?}");
        let mut state = State::default();
        state.step(at(1), settings(before));
        let effects = window(&mut state, HOURS, 1_000 - used, 2);

        let restored = Restored {
            limits: kept(&effects),
            alerts: state.alerts.standing().cloned().collect(),
            thresholds: set(after),
            ..Restored::default()
        };
        let (mut again, effects) = State::restore(restored, at(3), state.seq);
        let after_a_start = said(&told(&effects), at(3));
        assert_eq!(
            after_a_start,
            Vec::from_iter(expected),
            "{context}, after a start"
        );

        let at_once = state.step(at(3), settings(after));
        assert_eq!(said(&told(&at_once.effects), at(3)), after_a_start, "{context}");
        for state in [&mut state, &mut again] {
            let same = window(state, HOURS, 1_000 - used, 4);
            assert_eq!(told(&same), [], "{context}: told again");
        }
    }
}
