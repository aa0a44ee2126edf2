//! What is kept of sessions of which something is lost.

use super::*;
use crate::domain::session::Status;
use crate::domain::session::timer::OnSleep;

/// So that the database is rebuilt, and nothing but sums is lost by it.
fn damage_the_sums(path: &Path) {
    let kinds = page_kinds(path);
    let sums = kinds.iter().find(|(_, (name, _))| name == "rollups").unwrap().0;
    let mut bytes = std::fs::read(path).unwrap();
    bytes[(*sums as usize - 1) * PAGE..][..PAGE].fill(0);
    std::fs::write(path, &bytes).unwrap();
}

/// What others refer to and is lost, and values that Moonlock never writes: each session can be read, and keeps what
/// can be kept of it.
#[test]
fn a_session_keeps_what_can_be_read_of_it() {
    let directory = tempdir().unwrap();
    filled(directory.path());
    let path = options(directory.path()).path;
    connect(&path)
        .execute_batch(
            "PRAGMA foreign_keys = OFF;
             UPDATE sessions SET tags = '[', on_sleep = '?' WHERE key = 1;
             UPDATE timer_events SET kind = '?' WHERE session = 2;
             UPDATE checkpoints SET total = -1 WHERE session = 3;
             DELETE FROM calls WHERE id IN (SELECT call FROM paused_calls WHERE session = 3);
             UPDATE paused_calls SET tokens = -1 WHERE session = 4;
             DELETE FROM sessions WHERE key = 5; DELETE FROM timer_events WHERE session = 5;
             DELETE FROM calls WHERE session = 5;
             INSERT INTO conversations VALUES ('kept', 3, 1), (CAST(x'ff' AS TEXT), 3, 2), ('of a lost one', 5, 3);
             PRAGMA wal_checkpoint(TRUNCATE);",
        )
        .unwrap();
    damage_the_sums(&path);

    let (store, recovered) = open(directory.path());
    assert_eq!(store.health().take_news().len(), 1);
    let session = |number| store.reader().session(session_id(number)).unwrap().unwrap();
    let checkpoints = |number| {
        store
            .reader()
            .checkpoints(session_id(number), None, 10)
            .unwrap()
            .len()
    };
    let (first, _) = super::super::timers::session(1);
    let stored = session(1);
    assert_eq!(stored.session.timer, first.timer, "tags do not cost the clock");
    assert_eq!(
        (
            stored.session.tags.len(),
            stored.session.on_sleep,
            stored.marks.paused_tokens
        ),
        (0, OnSleep::Pause, Tokens(1))
    );
    assert_eq!(session(2).session.timer.status(), Status::Completed);
    assert_eq!((checkpoints(2), session(2).session.tags.len()), (1, 0));
    assert_eq!((checkpoints(3), session(3).marks.paused_tokens), (0, Tokens(0)));
    assert_eq!((checkpoints(4), session(4).marks.paused_tokens), (1, Tokens(0)));
    let open: Vec<_> = recovered
        .sessions
        .iter()
        .map(|stored| stored.session.id)
        .collect();
    let bound: Vec<_> = recovered
        .conversations
        .iter()
        .map(|(thread, _)| &**thread)
        .collect();
    assert_eq!(bound, ["kept", "bound-1", "bound-3", "bound-4"]);
    assert_eq!(open.len(), 4, "a session that is lost is no session: {open:?}");
    drop(store);
    let orphans: i64 = connect(&path)
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(
        orphans, 0,
        "its checkpoint and its report have an empty row to refer to"
    );
}

#[test]
fn a_clock_that_lacks_events_is_told_of_by_its_sessions_name() {
    let directory = tempdir().unwrap();
    filled(directory.path());
    let path = options(directory.path()).path;
    // Of seven sessions more, one is whole; the others lack what stood between the first event and the last.
    connect(&path)
        .execute_batch(
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 7)
             INSERT INTO sessions (key, id, name) SELECT 100 + n, randomblob(16), 'torn ' || n FROM numbers;
             INSERT INTO timer_events (session, seq, kind, boot_ns, mono_ns, wall_ms, boot_id)
                SELECT key, seq, kind, seq, seq, 1000, zeroblob(16) FROM sessions
                JOIN (SELECT 1 AS seq, 'started' AS kind UNION ALL SELECT 2, 'paused' UNION ALL SELECT 5, 'completed')
                WHERE key > 100 AND (seq <> 5 OR key < 107);
             PRAGMA wal_checkpoint(TRUNCATE);",
        )
        .unwrap();
    damage_the_sums(&path);
    let (store, _) = open(directory.path());
    let repair = store.health().report().repair.unwrap();
    assert_eq!(repair.tables["timer_events"].lost, 12);
    assert_eq!(repair.clocks_with_gaps.len(), 6);
    let told = store.health().take_news();
    let told = told[0].as_str();
    assert!(told.contains("so that the time may be wrong: \"torn "), "{told}");
    assert!(told.contains(" and 1 more. The damaged file"), "{told}");
    assert!(!told.contains("\"torn 7\""), "{told}");
}
