use tempfile::tempdir;

use super::support::*;
use crate::domain::budget::{Allowance, AtLimit, Counts};
use crate::domain::record::Record;
use crate::domain::session::clock::{Nanos, Reading};
use crate::domain::session::event::TimerEvent;
use crate::domain::session::timer::{Change, OnSleep, Timer};
use crate::domain::session::{Marks, Origin, Session};
use crate::domain::units::{Millis, NanoUsd, Timestamp, Tokens};
use crate::domain::wire::Totals;
use crate::store::{SessionQuery, Store};

pub(super) fn session(number: u64) -> (Session, Vec<TimerEvent>) {
    let duration = Some(Millis(3_600_000));
    let (timer, event) = Timer::start(duration, reading(0));
    let session = Session {
        id: session_id(number),
        name: format!("session {number}").into(),
        created_at: Timestamp(NOON),
        origin: Origin::Manual,
        tags: vec!["rust".into(), "ü".into()],
        note: "mend it".into(),
        on_sleep: OnSleep::Count,
        allowance: Allowance {
            counts: Counts::Fresh,
            cost: Some(NanoUsd(5_000_000_000)),
            at_limit: AtLimit::Block,
            ..Allowance::tokens(Some(Tokens(1_000_000)))
        },
        timer,
        revision: 1,
    };
    (session, vec![event])
}

pub(super) fn change(store: &Store, session: &mut Session, change: Change, ms: i64) {
    let events = session.timer.decide(change, reading(ms)).unwrap();
    events.iter().for_each(|event| session.timer.apply(*event));
    session.revision += 1;
    put(
        store,
        Record::Session {
            session: Box::new(session.clone()),
            events,
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
    for number in 1..=50 {
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
    let expected: Vec<_> = (11..=50).rev().chain((1..=3).rev()).map(session_id).collect();
    assert_eq!(ids, expected);

    let mut query = SessionQuery {
        limit: 7,
        ..SessionQuery::default()
    };
    let mut ids = Vec::new();
    while let Some((_, last)) = store.reader().sessions(&query).unwrap().last() {
        let page = store.reader().sessions(&query).unwrap();
        ids.extend(page.iter().map(|(stored, _)| stored.session.id));
        query.after = Some(*last);
    }
    assert_eq!(ids, (1..=50).rev().map(session_id).collect::<Vec<_>>());
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
    let all = SessionQuery::default();
    assert_eq!(store.reader().sessions(&all).unwrap(), []);
    let (session, events) = session(1);
    put(
        &store,
        Record::Session {
            session: Box::new(session),
            events,
            current: None,
        },
    );
    let (stored, _) = &store.reader().sessions(&all).unwrap()[0];
    assert_eq!(stored.totals.requests, 1);
}

/// A database as the first version left it, with a session in it whose clock a reboot had stopped.
#[test]
fn sessions_of_the_first_version_are_taken_up() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("moonlock.db");
    let connection = connect(&path);
    connection
        .execute_batch(include_str!("../migrations/0001_init.sql"))
        .unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    connection
        .execute(
            "INSERT INTO sessions (id, name, created_at, duration_ms, revision, status) \
             VALUES (?1, 'old', 1, 60000, 1, 'paused')",
            [session_id(1)],
        )
        .unwrap();
    for (seq, kind, at) in [(1, "started", 0_i64), (2, "rebooted", 5_000_000_000)] {
        connection
            .execute(
                "INSERT INTO timer_events (session, seq, kind, boot_ns, mono_ns, wall_ms, boot_id) \
                 VALUES (1, ?1, ?2, ?3, ?3, 1, ?4)",
                rusqlite::params![seq, kind, at, [0_u8; 16]],
            )
            .unwrap();
    }
    drop(connection);
    let (store, recovered) = open(directory.path());
    let old = &recovered.sessions[0].session;
    assert_eq!(
        (&*old.name, old.origin, old.on_sleep),
        ("old", Origin::Manual, OnSleep::Pause)
    );
    assert_eq!(old.timer.elapsed(reading(99_000)).millis(), 5_000);
    assert!(old.timer.is_interrupted());
    assert_eq!(recovered.sessions[0].marks, Marks::default());
    assert_eq!(store.reader().timer_events(old.id).unwrap().len(), 2);
}

#[test]
fn every_event_of_a_clock_comes_back_as_it_was() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    let (mut session, mut events) = session(1);
    let asleep = Reading {
        boot: Nanos(70_000_000_000),
        ..reading(10_000)
    };
    let later = |ms: i64| Reading {
        boot: Nanos(ms * 1_000_000),
        ..reading(10_000)
    };
    let mut take = |session: &mut Session, new: Vec<TimerEvent>| {
        assert!(!new.is_empty());
        new.iter().for_each(|event| session.timer.apply(*event));
        events.extend(new);
    };
    let noticed = session.timer.notice(&reading(9_500), &asleep, OnSleep::Pause);
    take(&mut session, noticed);
    for (ms, change) in [
        (71_000, Change::Resume),
        (72_000, Change::CountGap(2)),
        (73_000, Change::Plan(None)),
        (
            74_000,
            Change::Trim {
                from: Timestamp(NOON),
                to: Timestamp(NOON + 1_000),
            },
        ),
        (76_000, Change::Pause),
    ] {
        let new = session.timer.decide(change, later(ms)).unwrap();
        take(&mut session, new);
    }
    put(
        &store,
        Record::Session {
            session: Box::new(session.clone()),
            events: events.clone(),
            current: None,
        },
    );
    let stored = store.reader().session(session.id).unwrap().unwrap();
    assert_eq!(stored.session, session);
    assert_eq!(store.reader().timer_events(session.id).unwrap(), events);
}
