//! Sessions are found, sorted and given page by page.

use tempfile::{TempDir, tempdir};

use super::support::*;
use super::timers::session;
use crate::domain::ids::SessionId;
use crate::domain::record::Record;
use crate::domain::session::Status;
use crate::domain::session::timer::Change;
use crate::domain::units::{NanoUsd, Timestamp};
use crate::store::{SessionQuery, SessionSort, Store};

/// Nine sessions, a second apart; every third has ended, each has one call more than the one before (0 to 8), and the
/// clock of number `n` has run for `n` seconds when the first look is.
fn nine() -> (TempDir, Store) {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    let mut calls = 0;
    for number in 1..=9 {
        let (mut session, mut events) = session(number);
        session.name = format!("Werk {number}").into();
        session.created_at = Timestamp(NOON + i64::try_from(number).unwrap() * 1_000);
        session.tags = vec![format!("tag-{}", number % 2).into(), "Ärger".into()];
        session.note = if number == 4 { "STRASSE" } else { "" }.into();
        if number % 3 == 0 {
            let ended = session
                .timer
                .decide(Change::Complete, reading(10_000 - i64::try_from(number).unwrap()))
                .unwrap();
            ended.iter().for_each(|event| session.timer.apply(*event));
            events.extend(ended);
        }
        put(
            &store,
            Record::Session {
                session: Box::new(session),
                events,
                current: None,
            },
        );
        for _ in 1..number {
            calls += 1;
            let mut call = full(calls);
            call.session = Some(session_id(number));
            let cost = call.cost.as_mut().unwrap();
            // The more calls, the cheaper: the order by cost is another.
            cost.amount = NanoUsd(1_000 / i64::try_from(number * number).unwrap());
            put(&store, finished(&call));
        }
    }
    (directory, store)
}

fn all() -> SessionQuery {
    SessionQuery {
        now: Timestamp(NOON + 60_000),
        ..SessionQuery::default()
    }
}

/// All that match, two a page.
fn found(store: &Store, query: &SessionQuery) -> Vec<u64> {
    let mut query = SessionQuery {
        limit: 2,
        ..query.clone()
    };
    let mut ids = Vec::new();
    loop {
        let page = store.reader().sessions(&query).unwrap();
        let Some((_, last)) = page.last() else { break };
        query.after = Some(*last);
        ids.extend(page.iter().map(|(stored, _)| stored.session.id));
    }
    let number = |id: SessionId| (1..=9).find(|number| session_id(*number) == id).unwrap();
    ids.into_iter().map(number).collect()
}

#[test]
fn every_filter_filters() {
    let (_directory, store) = nine();
    let text = |text: &str| Some(text.into());
    for (query, expected) in [
        (all(), &[9, 8, 7, 6, 5, 4, 3, 2, 1][..]),
        (
            SessionQuery {
                search: text("wERK 3"),
                ..all()
            },
            &[3],
        ),
        (
            SessionQuery {
                search: text("strasse"),
                ..all()
            },
            &[4],
        ),
        (
            SessionQuery {
                search: text("AG-1"),
                ..all()
            },
            &[9, 7, 5, 3, 1],
        ),
        (
            SessionQuery {
                search: text("äRG"),
                ..all()
            },
            &[9, 8, 7, 6, 5, 4, 3, 2, 1],
        ),
        (
            SessionQuery {
                tag: text("TAG-0"),
                ..all()
            },
            &[8, 6, 4, 2],
        ),
        (
            SessionQuery {
                tag: text("tag"),
                ..all()
            },
            &[],
        ),
        (
            SessionQuery {
                id: Some(session_id(5).to_string().into()),
                ..all()
            },
            &[5],
        ),
        (
            SessionQuery {
                status: vec![Status::Completed],
                ..all()
            },
            &[9, 6, 3],
        ),
        (
            SessionQuery {
                from: Some(Timestamp(NOON + 3_000)),
                to: Some(Timestamp(NOON + 6_000)),
                ..all()
            },
            &[5, 4, 3],
        ),
        (
            SessionQuery {
                search: text("%"),
                ..all()
            },
            &[],
        ),
    ] {
        assert_eq!(found(&store, &query), expected, "{query:?}");
    }
}

#[test]
fn every_order_is_whole_from_page_to_page() {
    let (_directory, store) = nine();
    for (sort, expected) in [
        (SessionSort::Started, [9, 8, 7, 6, 5, 4, 3, 2, 1]),
        (SessionSort::Tokens, [9, 8, 7, 6, 5, 4, 3, 2, 1]),
        // The first has no call, and so no cost.
        (SessionSort::Cost, [2, 3, 4, 5, 6, 7, 8, 9, 1]),
        // Those that run have run for a minute, the others for ten seconds less as many milliseconds as their number.
        (SessionSort::Duration, [8, 7, 5, 4, 2, 1, 3, 6, 9]),
    ] {
        for ascending in [false, true] {
            let query = SessionQuery {
                sort,
                ascending,
                ..all()
            };
            let mut expected = expected.to_vec();
            if ascending {
                expected.reverse();
            }
            assert_eq!(found(&store, &query), expected, "{query:?}");
        }
    }
}

#[test]
fn times_that_are_missing_are_filled_in_at_the_start() {
    let (directory, store) = nine();
    let query = SessionQuery {
        sort: SessionSort::Duration,
        ..all()
    };
    let before = found(&store, &query);
    drop(store);
    connect(&options(directory.path()).path)
        .execute_batch("UPDATE sessions SET elapsed_ms = NULL, runs_since = NULL")
        .unwrap();
    let (store, _) = open(directory.path());
    assert_eq!(found(&store, &query), before);
}
