use std::time::{Duration, Instant};

use proptest::prelude::*;
use tempfile::tempdir;

use super::support::*;
use crate::domain::alert::{Episode, Rule, Scope, Severity};
use crate::domain::call::Outcome;
use crate::domain::ids::AlertId;
use crate::domain::record::Record;
use crate::domain::units::{Millis, Timestamp};
use crate::domain::wire::Totals;
use crate::store::{AlertQuery, CallQuery, Durability, Limits, Reader, Store, WriteFailed};

#[test]
fn calls_come_back_as_they_were_stored() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    // The second and the third share the shape of their usage object, which is then packed.
    let mut empty = running(4);
    empty.end = Some(empty_end());
    let calls = [full(1), full(2), full(3), empty, running(5)];
    for call in &calls {
        put(&store, finished(call));
    }
    for call in &calls {
        assert_eq!(store.reader().call(call.start.id).unwrap().as_ref(), Some(call));
    }
    drop(store);
    let (store, recovered) = open(directory.path());
    assert_eq!(recovered.interrupted, 1);
    assert_eq!(recovered.recent_calls.len(), 5);
    for call in &calls[..4] {
        assert_eq!(store.reader().call(call.start.id).unwrap().as_ref(), Some(call));
    }
}

#[test]
fn a_ticket_resolves_when_another_connection_sees_the_row() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    let reader = Reader::open(&options(directory.path()).path).unwrap();
    let tickets: Vec<_> = (0..500)
        .map(|number| (number, store.writer().submit(finished(&full(number))).unwrap()))
        .collect();
    for (number, ticket) in tickets {
        ticket.wait().unwrap();
        assert_eq!(reader.call(full(number).start.id).unwrap(), Some(full(number)));
    }
    let report = store.health().report();
    assert_eq!(report.writes, 500);
    assert!(report.commits < 500, "writes that wait share a commit");
}

#[tokio::test]
async fn a_ticket_can_be_awaited_or_dropped() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    drop(store.writer().submit(finished(&full(1))).unwrap());
    store.writer().submit(finished(&full(2))).unwrap().await.unwrap();
    assert_eq!(store.reader().calls(&CallQuery::default()).unwrap().len(), 2);
}

#[test]
fn what_was_answered_survives_the_sudden_end_of_the_process() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    put(&store, finished(&full(1)));
    put(&store, started(&full(2)));
    let copy = tempdir().unwrap();
    for name in ["moonlock.db", "moonlock.db-wal"] {
        std::fs::copy(directory.path().join(name), copy.path().join(name)).unwrap();
    }
    let (_copy, recovered) = open(copy.path());
    assert_eq!(recovered.interrupted, 1);
    assert_eq!(recovered.recent_calls[1], full(1));
    let interrupted = &recovered.recent_calls[0];
    assert_eq!(interrupted.outcome(), Outcome::Interrupted);
    assert_eq!(interrupted.start, full(2).start);
    assert_eq!(interrupted.session, full(2).session);
}

#[test]
fn calls_that_ran_are_interrupted_once_and_enter_the_sums() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    let beat = reading(9_000);
    put(&store, started(&running(1)));
    put(
        &store,
        Record::Heartbeat {
            session: session_id(1),
            at: beat,
        },
    );
    assert_eq!(store.reader().unassigned().unwrap(), Totals::default());
    drop(store);

    let (store, recovered) = open(directory.path());
    assert_eq!(recovered.interrupted, 1);
    let end = recovered.recent_calls[0].end.clone().unwrap();
    assert_eq!(end.outcome, Outcome::Interrupted);
    assert_eq!(
        end.duration,
        Millis(8_000),
        "it ran at least until the last heartbeat"
    );
    assert_eq!(end.source, None);
    let mut expected = Totals::default();
    expected.add(&recovered.recent_calls[0]);
    assert_eq!(recovered.unassigned, expected);
    assert_eq!(recovered.unassigned.unknown_requests, 1);
    drop(store);

    let (_store, recovered) = open(directory.path());
    assert_eq!(recovered.interrupted, 0);
    assert_eq!(recovered.unassigned, expected);
}

#[test]
fn a_start_that_comes_after_the_end_changes_nothing() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    put(&store, finished(&full(1)));
    put(&store, started(&full(1)));
    assert_eq!(store.reader().calls(&CallQuery::default()).unwrap(), [full(1)]);
}

#[test]
fn one_refused_write_takes_no_others_along() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    let (session, events) = super::timers::session(1);
    let mut forged = events.clone();
    forged[0].at = reading(77);
    let write = |events| Record::Session {
        session: Box::new(session.clone()),
        events,
        current: None,
    };
    put(&store, write(events));

    let blocker = connect(&options(directory.path()).path);
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let writer = store.writer();
    let tickets =
        [finished(&full(1)), write(forged), finished(&full(2))].map(|write| writer.submit(write).unwrap());
    blocker.execute_batch("ROLLBACK").unwrap();
    let answers = tickets.map(crate::store::Ticket::wait);
    assert_eq!(answers[0], Ok(()));
    assert!(matches!(&answers[1], Err(WriteFailed::Refused(_))), "{answers:?}");
    assert_eq!(answers[2], Ok(()));
    assert_eq!(store.health().report().dropped, 1);
    assert_eq!(
        store.reader().calls(&CallQuery::default()).unwrap(),
        [full(2), full(1)]
    );
}

#[test]
fn what_the_database_does_not_take_is_kept_and_comes_later() {
    let directory = tempdir().unwrap();
    let (store, _) = Store::open_with(
        options(directory.path()),
        Limits {
            queue: 8,
            kept: 4,
            ..impatient()
        },
    )
    .unwrap();
    let blocker = connect(&options(directory.path()).path);
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut tickets = Vec::new();
    let mut next = 0;
    let deadline = Instant::now() + Duration::from_secs(20);
    // More than the memory and the queue hold together.
    let refused = loop {
        assert!(Instant::now() < deadline);
        match store.writer().submit(finished(&full(next))) {
            Ok(ticket) => tickets.push(ticket),
            Err(refused) if store.health().report().failing_for.is_some() => break refused,
            Err(_) => {
                std::thread::yield_now();
                continue;
            }
        }
        next += 1;
    };
    assert!(matches!(refused.0.0, Record::CallFinished(call) if *call == full(next)));
    let report = store.health().report();
    assert!(report.failing_for.is_some());
    assert!(report.kept > 0 && report.refused > 0, "{report:?}");
    assert!(report.last_error.is_some_and(|error| error.contains("locked")));

    blocker.execute_batch("ROLLBACK").unwrap();
    let count = tickets.len();
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    let calls = store
        .reader()
        .calls(&CallQuery {
            limit: 1_000,
            ..CallQuery::default()
        })
        .unwrap();
    assert_eq!(calls.len(), count);
    let report = store.health().report();
    assert_eq!((report.failing_for, report.kept, report.dropped), (None, 0, 0));
}

#[test]
fn a_store_that_closes_while_the_database_is_locked_says_what_it_lost() {
    let directory = tempdir().unwrap();
    let (store, _) = Store::open_with(options(directory.path()), impatient()).unwrap();
    let blocker = connect(&options(directory.path()).path);
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ticket = store.writer().submit(finished(&full(1))).unwrap();
    let (health, writer) = (store.health(), store.writer());
    drop(store);
    assert_eq!(ticket.wait(), Err(WriteFailed::Stopped));
    assert_eq!(health.report().dropped, 1);
    assert!(writer.submit(finished(&full(2))).is_err());
}

#[test]
fn closing_writes_what_waits() {
    let directory = tempdir().unwrap();
    let mut slow = options(directory.path());
    slow.durability = Durability::Relaxed;
    slow.batch_interval = Duration::from_secs(3_600);
    let (store, _) = Store::open(slow).unwrap();
    let ticket = store.writer().submit(finished(&full(1))).unwrap();
    drop(store);
    ticket.wait().unwrap();
    assert!(!directory.path().join("moonlock.db-wal").exists());
    let (_store, recovered) = open(directory.path());
    assert_eq!(recovered.recent_calls, [full(1)]);
}

/// Each write is taken before the next is handed over, so that the stop meets a writer that waits for company.
#[test]
fn closing_ends_a_wait_for_company() {
    let directory = tempdir().unwrap();
    let mut slow = options(directory.path());
    slow.durability = Durability::Relaxed;
    slow.batch_interval = Duration::from_secs(3_600);
    let limits = Limits {
        queue: 1,
        ..Limits::default()
    };
    let (store, _) = Store::open_with(slow, limits).unwrap();
    let mut tickets = Vec::new();
    for number in 1..=50 {
        let call = full(number);
        tickets.push(loop {
            match store.writer().submit(finished(&call)) {
                Ok(ticket) => break ticket,
                Err(_) => std::thread::yield_now(),
            }
        });
    }
    drop(store);
    for ticket in tickets {
        ticket.wait().unwrap();
    }
}

#[test]
fn a_relaxed_store_commits_after_its_interval_or_when_the_batch_is_full() {
    let directory = tempdir().unwrap();
    let mut relaxed = options(directory.path());
    relaxed.durability = Durability::Relaxed;
    relaxed.batch_interval = Duration::from_millis(20);
    let (store, _) = Store::open(relaxed).unwrap();
    let began = Instant::now();
    put(&store, finished(&full(1)));
    assert!(began.elapsed() >= Duration::from_millis(20));
}

#[test]
fn alerts_are_raised_and_cleared_in_one_row() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    let mut episode = Episode {
        id: AlertId::from_uuid(uuid_at(NOON, 1)),
        rule: Rule::BudgetTokens,
        scope: Scope::session(session_id(1)),
        level: 80,
        severity: Severity::Warning,
        message: "Most of it is used.".into(),
        raised_at: Timestamp(NOON),
        worsened_at: None,
        cleared_at: None,
        acknowledged_at: None,
        snoozed_until: None,
        muted: false,
    };
    put(&store, Record::Alert(Box::new(episode.clone())));
    episode.level = 95;
    episode.severity = Severity::Critical;
    episode.message = "Nearly all of it is used.".into();
    episode.worsened_at = Some(Timestamp(NOON + 3));
    episode.acknowledged_at = Some(Timestamp(NOON + 4));
    episode.muted = true;
    put(&store, Record::Alert(Box::new(episode.clone())));
    assert_eq!(
        store.reader().alerts(&AlertQuery::default()).unwrap(),
        [episode.clone()]
    );
    let muted = |muted| Record::Muted {
        rule: Rule::CallsSize,
        muted,
    };
    put(&store, muted(true));
    put(&store, muted(true));
    drop(store);

    let (store, recovered) = open(directory.path());
    assert_eq!(recovered.alerts, [episode.clone()], "it stands");
    assert_eq!(recovered.muted, [Rule::CallsSize]);
    episode.cleared_at = Some(Timestamp(NOON + 5));
    episode.snoozed_until = Some(Timestamp(i64::MAX));
    put(&store, Record::Alert(Box::new(episode.clone())));
    put(&store, muted(false));
    drop(store);

    let (store, recovered) = open(directory.path());
    assert_eq!(recovered.alerts, [episode.clone()], "its snooze is not over");
    assert_eq!(recovered.muted, []);
    episode.snoozed_until = Some(Timestamp(1));
    put(&store, Record::Alert(Box::new(episode.clone())));
    drop(store);

    let (store, recovered) = open(directory.path());
    assert_eq!(recovered.alerts, []);
    assert_eq!(store.reader().alerts(&AlertQuery::default()).unwrap(), [episode]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_call_comes_back_as_it_was_stored(calls in prop::collection::vec(any_call(), 1..20)) {
        let directory = tempdir().unwrap();
        let (store, _) = open(directory.path());
        for call in &calls {
            put(&store, finished(call));
            let stored = store.reader().call(call.start.id).unwrap();
            prop_assert_eq!(stored.as_ref(), Some(call));
        }
    }
}
