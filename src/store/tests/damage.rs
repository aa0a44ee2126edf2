//! Rows that somebody edited by hand.

use tempfile::tempdir;

use super::support::*;
use crate::domain::record::Record;
use crate::store::{CallQuery, GroupBy, ReadError, SessionQuery, UsageQuery};

#[test]
fn a_damaged_row_is_an_error_and_keeps_nothing_from_starting() {
    let usage = UsageQuery {
        group_by: vec![
            GroupBy::Session,
            GroupBy::Outcome,
            GroupBy::Operation,
            GroupBy::Source,
        ],
        ..UsageQuery::default()
    };
    for damage in [
        "UPDATE calls SET outcome = provider",
        "UPDATE calls SET source = 999",
        "UPDATE calls SET session = 999",
        "UPDATE calls SET input_tokens = -1",
        "UPDATE calls SET status = 70000",
        "UPDATE calls SET raw_usage = 5",
        "UPDATE calls SET raw_usage = x'ffffffffffffffffffffff'",
        "UPDATE calls SET raw_usage = x'0105050505'",
        "UPDATE calls SET raw_usage = CAST(x'ff' AS TEXT)",
        "UPDATE calls SET id = x'01'",
        "UPDATE running_calls SET operation = attribution",
        "UPDATE names SET name = name || '?'",
        "DELETE FROM names",
        "UPDATE rollups SET session = 999, total = -5",
        "UPDATE rollups SET total = 9000000000000000000, requests = 9000000000000000000",
        "DELETE FROM timer_events",
        "UPDATE timer_events SET kind = 'unheard'",
        "UPDATE timer_events SET kind = 'paused'",
        "UPDATE timer_events SET boot_ns = 9223372036854775807",
        "UPDATE timer_events SET boot_id = x'00'",
        "UPDATE timer_events SET seq = -1",
        "UPDATE sessions SET duration_ms = 9223372036854775807",
        "UPDATE sessions SET token_budget = -1, revision = -1",
        "UPDATE sessions SET id = x'00'",
        "UPDATE sessions SET heartbeat_wall_ms = 1, heartbeat_boot_ns = -9223372036854775808, \
            heartbeat_mono_ns = 0, heartbeat_boot_id = x'00000000000000000000000000000000'",
        "UPDATE settings SET value = 'nobody'",
    ] {
        let directory = tempdir().unwrap();
        let (store, _) = open(directory.path());
        let (session, events) = super::timers::session(1);
        put(
            &store,
            Record::Session {
                current: Some(Some(session.id)),
                session: Box::new(session),
                events,
            },
        );
        put(&store, finished(&full(1)));
        put(&store, started(&full(2)));
        drop(store);
        connect(&options(directory.path()).path)
            .execute_batch(damage)
            .unwrap();
        let (store, recovered) = open(directory.path());
        let reader = store.reader();
        let asked: [Result<(), ReadError>; 3] = [
            reader.calls(&CallQuery::default()).map(drop),
            reader.sessions(&SessionQuery::default()).map(drop),
            reader.usage(&usage).map(drop),
        ];
        let noticed = asked.iter().any(Result::is_err)
            || recovered.current.is_none()
            || recovered.interrupted == 0
            || damage.contains("rollups");
        assert!(noticed, "{damage}");
        put(&store, finished(&full(3)));
    }
}
