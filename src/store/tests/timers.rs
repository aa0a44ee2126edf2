use tempfile::tempdir;

use super::support::*;
use crate::domain::record::Record;
use crate::domain::session::Session;
use crate::domain::session::timer::{Change, Timer, TimerEvent};
use crate::domain::units::{Millis, Timestamp, Tokens};
use crate::domain::wire::Totals;
use crate::store::Store;

pub(super) fn session(number: u64) -> (Session, Vec<TimerEvent>) {
    let duration = Some(Millis(3_600_000));
    let (timer, event) = Timer::start(duration, reading(0));
    let session = Session {
        id: session_id(number),
        name: format!("session {number}").into(),
        created_at: Timestamp(NOON),
        duration,
        token_budget: Some(Tokens(1_000_000)),
        timer,
        revision: 1,
    };
    (session, vec![event])
}

fn change(store: &Store, session: &mut Session, change: Change, ms: i64) {
    let event = session.timer.decide(change, reading(ms)).unwrap().unwrap();
    session.timer.apply(event);
    session.revision += 1;
    put(
        store,
        Record::Session {
            session: Box::new(session.clone()),
            events: vec![event],
            current: None,
        },
    );
}

#[test]
fn sessions_survive_with_the_same_clock() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    let (mut first, events) = session(1);
    put(
        &store,
        Record::Session {
            session: Box::new(first.clone()),
            events,
            current: Some(Some(first.id)),
        },
    );
    change(&store, &mut first, Change::Pause, 1_000);
    change(&store, &mut first, Change::Resume, 5_000);
    put(
        &store,
        Record::Heartbeat {
            session: first.id,
            at: reading(6_000),
        },
    );
    put(&store, finished(&full(1)));
    let (second, events) = session(2);
    put(
        &store,
        Record::Session {
            session: Box::new(second),
            events,
            current: None,
        },
    );
    drop(store);

    let (store, recovered) = open(directory.path());
    assert_eq!(recovered.current, Some(first.id));
    let names: Vec<_> = recovered
        .sessions
        .iter()
        .map(|stored| &*stored.session.name)
        .collect();
    assert_eq!(names, ["session 2", "session 1"]);
    let stored = &recovered.sessions[1];
    assert_eq!(stored.session, first);
    assert_eq!(
        stored.session.timer.elapsed(reading(7_000)),
        first.timer.elapsed(reading(7_000))
    );
    assert_eq!(stored.heartbeat, Some(reading(6_000)));
    let mut totals = Totals::default();
    totals.add(&full(1));
    assert_eq!(stored.totals, totals);
    assert_eq!(store.reader().session(first.id).unwrap().as_ref(), Some(stored));

    put(&store, Record::Current(None));
    drop(store);
    assert_eq!(open(directory.path()).1.current, None);
}

#[test]
fn all_open_sessions_and_the_newest_completed_ones_are_recovered() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    for number in 1..=30 {
        let (mut session, events) = session(number);
        put(
            &store,
            Record::Session {
                session: Box::new(session.clone()),
                events,
                current: None,
            },
        );
        if number > 3 {
            change(&store, &mut session, Change::Complete, 1_000);
        }
    }
    drop(store);
    let (store, recovered) = open(directory.path());
    let ids: Vec<_> = recovered
        .sessions
        .iter()
        .map(|stored| stored.session.id)
        .collect();
    let expected: Vec<_> = (11..=30).rev().chain((1..=3).rev()).map(session_id).collect();
    assert_eq!(ids, expected);

    let page = store.reader().sessions(10, Some(session_id(11))).unwrap();
    let ids: Vec<_> = page.iter().map(|stored| stored.session.id).collect();
    assert_eq!(ids, (1..=10).rev().map(session_id).collect::<Vec<_>>());
}

#[test]
fn a_stale_session_or_a_repeated_event_changes_nothing() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    let (old, events) = session(1);
    let mut new = old.clone();
    new.name = "renamed".into();
    new.revision = 2;
    for session in [&new, &old] {
        put(
            &store,
            Record::Session {
                session: Box::new(session.clone()),
                events: events.clone(),
                current: None,
            },
        );
    }
    assert_eq!(store.reader().session(old.id).unwrap().unwrap().session, new);
}

#[test]
fn a_session_known_from_its_calls_only_is_no_session_yet() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    put(&store, finished(&full(1)));
    assert_eq!(store.reader().sessions(10, None).unwrap(), []);
    let (session, events) = session(1);
    put(
        &store,
        Record::Session {
            session: Box::new(session),
            events,
            current: None,
        },
    );
    assert_eq!(store.reader().sessions(10, None).unwrap()[0].totals.requests, 1);
}
