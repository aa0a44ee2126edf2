use tempfile::tempdir;

use super::support::*;
use super::timers::{change, session};
use crate::domain::alert::{Episode, Rule, Scope, Severity};
use crate::domain::call::{Outcome, Source};
use crate::domain::forecast::CallUse;
use crate::domain::forecast::alarm::Thread;
use crate::domain::ids::{AlertId, CallId};
use crate::domain::live::PastCall;
use crate::domain::record::Record;
use crate::domain::session::curve::{Axis, Reach};
use crate::domain::session::efficiency::EfficiencyPart;
use crate::domain::session::timer::Change;
use crate::domain::session::usual::Place;
use crate::domain::units::{Millis, Timestamp, Tokens};
use crate::domain::usage::parts::Parts;
use crate::domain::wire::{ComparedView, CurveView, EfficiencyView, PastView};
use crate::store::names::Lookup;
use crate::store::{Store, courses};

/// A session that ran, stood still for nine minutes after its first, and ran on until `ended`, if it did.
fn paused_once(store: &Store, number: u64, ended: Option<i64>) {
    let (mut session, events) = session(number);
    let record = Record::Session {
        session: Box::new(session.clone()),
        events,
        current: None,
    };
    put(store, record);
    change(store, &mut session, Change::Pause, 60_000);
    change(store, &mut session, Change::Resume, 600_000);
    if let Some(ended) = ended {
        change(store, &mut session, Change::Complete, ended);
    }
}

/// A call that ended so many milliseconds after the start, in some session.
fn call(store: &Store, session: u64, ended: i64, input: u64) {
    let mut call = running(u64::try_from(ended).unwrap() * 100 + session);
    call.start.started_at = Timestamp(NOON + ended - 500);
    call.session = Some(session_id(session));
    let mut end = empty_end();
    end.outcome = Outcome::Complete;
    end.duration = Millis(500);
    end.source = Some(Source::Exact);
    end.parts.input = Some(Tokens(input));
    call.end = Some(end);
    put(store, finished(&call));
}

#[test]
fn a_pause_is_not_on_a_curve() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    paused_once(&store, 1, None);
    for (ended, input) in [(30_000, 1), (60_000, 10), (300_000, 100), (601_500, 1_000)] {
        call(&store, 1, ended, input);
    }
    let found = store
        .reader()
        .courses(&[session_id(1), session_id(9)], Reach::SoFar, reading(660_000));
    let found = found.unwrap();
    let course = found[0].as_ref().unwrap();
    assert_eq!(found[1], None);
    let curve = CurveView::from(course);
    assert_eq!(
        (curve.elapsed_ms, curve.step_ms, curve.points.len()),
        (120_000, 1_000, 121)
    );
    let total_at = |second: usize| curve.points[second].total;
    let totals = [29, 30, 59, 60, 61, 62, 120].map(total_at);
    assert_eq!(totals, [0, 1, 1, 111, 111, 1_111, 1_111]);
    let last = curve.points.last().unwrap();
    assert_eq!(
        (last.total, last.calls),
        (course.usage.total, course.usage.requests)
    );
}

#[test]
fn the_median_is_that_of_finished_sessions_that_tell_something() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    // The fourth still runs, and the fifth has too few calls.
    for (number, ended) in [
        (1, Some(660_000)),
        (2, Some(720_000)),
        (3, Some(780_000)),
        (4, None),
        (5, Some(780_000)),
    ] {
        paused_once(&store, number, ended);
        let calls = if number == 5 { 4 } else { 5 };
        for second in 1..=calls {
            call(&store, number, second * 10_000, number);
        }
    }
    let now = reading(900_000);
    let axis = Axis::new(Millis(60_000));
    let finished = |limit, except: &[_]| {
        let found = store.reader().finished(axis, limit, except, now).unwrap();
        let names: Vec<_> = found.iter().map(|course| course.session.id).collect();
        (found, names)
    };
    let (past, names) = finished(20, &[]);
    assert_eq!(names, [3, 2, 1].map(session_id));
    assert_eq!(finished(2, &[session_id(3)]).1, [2, 1].map(session_id));
    let median = ComparedView::median(&past);
    assert_eq!((median.past_sessions, median.points.len()), (3, 61));
    assert_eq!((median.points[20].total, median.points[60].total), (4, 10));
    assert_eq!(
        median.figures.map(|figures| (figures.total, figures.elapsed_ms)),
        Some((10, 180_000))
    );
    let too_few = ComparedView::median(&past[..2]);
    assert_eq!(
        (too_few.past_sessions, too_few.points.len(), too_few.figures),
        (2, 0, None)
    );
}

/// Three finished sessions and a fourth that runs, of five calls each.
fn three_and_one(store: &Store) {
    for (number, ended) in [
        (1, Some(660_000)),
        (2, Some(720_000)),
        (3, Some(780_000)),
        (4, None),
    ] {
        paused_once(store, number, ended);
        for second in 1..=5 {
            call(store, number, second * 10_000, number * number);
        }
    }
}

#[test]
fn a_session_stands_beside_the_past_at_the_same_moment() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    three_and_one(&store);
    let beside = |now| {
        let found = store
            .reader()
            .courses(&[session_id(4)], Reach::Planned, now)
            .unwrap();
        let course = found.into_iter().flatten().next().unwrap();
        let axis = course.curve.axis();
        let past = store.reader().finished(axis, 20, &[session_id(4)], now).unwrap();
        PastView::new(&course, &past)
    };
    let view = beside(reading(640_000));
    assert_eq!(
        (view.elapsed_ms, view.past_sessions, view.step_ms),
        (100_000, 3, 16_000)
    );
    let last = view.bands.last().unwrap();
    assert_eq!((last.at_ms, last.sessions, last.total.median), (112_000, 3, 20));
    let now = view.now.unwrap();
    assert_eq!((now.sessions, now.calls.place), (3, Place::Usual));
    assert_eq!(
        (now.total.value, now.total.place, now.total.percent_of_median),
        (80, Place::Above, Some(400))
    );
    assert_eq!(
        now.total.says,
        "80 tokens after 2 min: more than in three of four of your 3 sessions that lasted as long (median 20 tokens)."
    );
    assert_eq!(now.cost_nano_usd, None);
    let later = beside(reading(700_000));
    assert_eq!(
        (later.elapsed_ms, later.now),
        (160_000, None),
        "only two lasted as long"
    );
}

#[test]
fn a_loop_costs_points_and_says_so() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    three_and_one(&store);
    let repeats = || {
        let found = store
            .reader()
            .courses(&[session_id(4)], Reach::SoFar, reading(640_000))
            .unwrap();
        let course = found.into_iter().flatten().next().unwrap();
        let view = EfficiencyView::new(session_id(4), &course.effort, &[]);
        let part = view
            .parts
            .iter()
            .find(|part| part.part == EfficiencyPart::Repeats)
            .unwrap();
        (view.score, part.value, part.points)
    };
    assert_eq!(repeats(), (Some(100), Some(0), Some(100)));
    let scope = Scope::Conversation {
        session_id: Some(session_id(4)),
        conversation: "a/b".into(),
    };
    let episode = Episode {
        id: AlertId::from_uuid(uuid_at(NOON, 1)),
        rule: Rule::CallsLoop,
        scope,
        level: 0,
        severity: Severity::Warning,
        message: "It repeats itself.".into(),
        raised_at: Timestamp(NOON),
        worsened_at: None,
        cleared_at: None,
        acknowledged_at: None,
        snoozed_until: None,
        muted: false,
    };
    put(&store, Record::Alert(Box::new(episode)));
    assert_eq!(
        repeats(),
        (Some(56), Some(1_000), Some(0)),
        "25 of the 45 that count"
    );
}

#[test]
fn past_calls_are_the_newest_whose_usage_is_known() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    let of_session = |mut call: crate::domain::call::Call| {
        call.session = Some(session_id(1));
        call
    };
    let repeated = of_session(full(5)).counted_with(CallId::from_uuid(uuid_at(NOON, 1)));
    let mut unknown = of_session(running(4));
    unknown.end = Some(empty_end());
    for call in [
        of_session(full(1)),
        of_session(full(2)),
        of_session(full(3)),
        unknown,
        repeated,
    ] {
        put(&store, finished(&call));
    }
    let past = |number: u64, limit| {
        let found = store.reader().past_calls(session_id(number), limit).unwrap();
        found.iter().map(|call| call.id).collect::<Vec<_>>()
    };
    let ids = [3, 2, 1].map(|number| full(number).start.id);
    assert_eq!(past(1, 10), ids);
    assert_eq!(past(1, 2), ids[..2]);
    assert!(past(7, 10).is_empty());
    let found = store.reader().past_calls(session_id(1), 1).unwrap();
    let call = full(3);
    let end = call.end.as_ref().unwrap();
    let parts = Parts {
        web_searches: None,
        provider_cost: None,
        ..end.parts
    };
    assert_eq!(
        found,
        [PastCall {
            ended_at: Timestamp(call.start.started_at.0 + 3_456),
            id: call.start.id,
            used: CallUse::of(&parts, call.cost.map(|cost| cost.amount)).unwrap(),
            thread: Thread::of(Some("thread-1"), Some("agent-2")),
        }]
    );
    assert_eq!(found, [PastCall::of(&call).unwrap()]);
}

#[test]
fn what_calls_made_of_a_finished_session_is_kept_until_it_changes() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    three_and_one(&store);
    let now = reading(900_000);
    let course = || {
        let found = store
            .reader()
            .courses(&[session_id(1)], Reach::SoFar, now)
            .unwrap();
        put(&store, Record::Fence);
        found.into_iter().flatten().next().unwrap()
    };
    let made = || {
        let course = course();
        let last = course.curve.points().last().unwrap();
        (last.calls, last.total.0, course.effort.calls)
    };
    let other = connect(&directory.path().join("moonlock.db"));
    let forget_calls = || other.execute("DELETE FROM calls", []).unwrap();
    let first = course();
    assert_eq!(made(), (5, 5, 5));
    forget_calls();
    assert_eq!(course(), first, "its calls are not looked at again");
    call(&store, 1, 70_000, 7);
    assert_eq!(made(), (1, 7, 1), "another call: what there is makes it anew");
    courses::keep(&other, &mut Lookup::default(), session_id(1)).unwrap();
    forget_calls();
    call(&store, 1, 80_000, 9);
    assert_eq!(made(), (1, 7, 1), "it stands in their place");
    call(&store, 4, 90_000, 11);
    courses::keep(&other, &mut Lookup::default(), session_id(4)).unwrap();
    let finished = store
        .reader()
        .finished(Axis::new(Millis(60_000)), 20, &[], now)
        .unwrap();
    assert_eq!(finished.len(), 3);
    put(&store, Record::Fence);
    let kept: i64 = other
        .query_row("SELECT count(*) FROM courses", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 3, "the fourth still runs");
}
