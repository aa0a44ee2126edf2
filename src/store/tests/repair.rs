//! Files whose bytes have changed under SQLite.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::tempdir;

use super::support::*;
use crate::domain::call::Outcome;
use crate::domain::ids::CheckpointId;
use crate::domain::record::Record;
use crate::domain::report::{Kept, ReportKey};
use crate::domain::session::Status;
use crate::domain::session::checkpoint::{Checkpoint, NewCheckpoint};
use crate::domain::session::timer::OnSleep;
use crate::domain::units::{Millis, Timestamp, Tokens};
use crate::domain::wire::CheckpointUsage;
use crate::store::{CallQuery, Limits, ReadError, Store, StoreError, UsageQuery};

const CALLS: u64 = 3_000;
const SESSIONS: u64 = 5;
const PAGE: usize = 4_096;

/// What a session has beside its calls: a checkpoint, a report with a key, and a call of a pause.
fn beside(number: u64) -> [Record; 3] {
    let session = session_id(number);
    let call = full(number + SESSIONS - 1).start.id;
    [
        Record::Checkpoint(Box::new(Checkpoint {
            id: CheckpointId::from_uuid(uuid_at(NOON, number)),
            session,
            said: NewCheckpoint {
                phase: "review".into(),
                prompt_count: Some(number),
                metadata: None,
            },
            at: Timestamp(NOON),
            elapsed: Millis(1),
            usage: CheckpointUsage::default(),
            before: Default::default(),
        })),
        Record::Reported(Box::new(Kept {
            session,
            key: ReportKey {
                key: "k".into(),
                fingerprint: [7; 32],
            },
            calls: vec![call],
            at: Timestamp(NOON),
        })),
        Record::WhilePaused {
            call,
            session,
            tokens: Tokens(number),
        },
    ]
}

/// A database of some thousand rows, closed in order.
fn filled(directory: &Path) {
    let (store, _) = open(directory);
    for number in 1..=SESSIONS {
        let (session, events) = super::timers::session(number);
        let session = Record::Session {
            session: Box::new(session),
            events,
            current: None,
        };
        put(&store, session);
        beside(number).into_iter().for_each(|record| put(&store, record));
    }
    let mut last = None;
    for number in 1..=CALLS {
        let mut call = full(number);
        call.start.conversation = Some(format!("thread-{number}").into());
        call.session = Some(session_id(number % SESSIONS + 1));
        if number % 100 == 0 {
            // Longer than a page has room for.
            let end = call.end.as_mut().unwrap();
            end.raw_usage = Some(format!("{{\"text\":\"{}\"}}", "x".repeat(6_000)).into());
        }
        last = Some(store.writer().submit(finished(&call)).unwrap());
        if number % 1_000 == 0 {
            last.take().unwrap().wait().unwrap();
        }
    }
    drop(last);
    // Pages that are free: a table that was there and is gone.
    drop(store);
    let connection = connect(&options(directory).path);
    connection
        .execute_batch(
            "CREATE TABLE gone (id INTEGER PRIMARY KEY, text TEXT);
             INSERT INTO gone (text) SELECT hex(randomblob(500)) FROM calls LIMIT 200;
             DROP TABLE gone; PRAGMA wal_checkpoint(TRUNCATE);",
        )
        .unwrap();
}

/// What SQLite says of each page: the tree that it is of, and its kind.
fn page_kinds(path: &Path) -> BTreeMap<u32, (String, String)> {
    let connection = connect(path);
    let mut statement = connection
        .prepare("SELECT pageno, name, pagetype, path FROM dbstat")
        .unwrap();
    let rows = statement.query_map([], |row| {
        let (page, name, kind, at): (u32, String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let kind = if at == "/" { format!("root {kind}") } else { kind };
        Ok((page, (name, kind)))
    });
    rows.unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

/// What is done to a page.
type Blow = (&'static str, fn(&mut [u8]));

const BLOWS: [Blow; 4] = [
    ("zeros", |page| page.fill(0)),
    ("noise", |page| {
        let mut number = 0x9e37_79b9_u32;
        for byte in page {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = (number >> 24) as u8;
        }
    }),
    ("its beginning", |page| page[..12].fill(0xff)),
    ("a hole", |page| page[1_000..3_000].fill(0xa5)),
];

struct After {
    /// How many can be read; `None` where one of them is an error.
    calls: Option<usize>,
    told: Vec<String>,
}

/// Damages pages, and looks what a start makes of it: it must work whatever was done.
fn strike(from: &Path, pages: &[u32], blow: fn(&mut [u8])) -> After {
    let directory = tempdir().unwrap();
    let path = options(directory.path()).path;
    let mut bytes = std::fs::read(options(from).path).unwrap();
    for page in pages {
        let at = (*page as usize - 1) * PAGE;
        blow(&mut bytes[at..at + PAGE]);
    }
    std::fs::write(&path, &bytes).unwrap();
    let (store, recovered) = open(directory.path());
    let health = store.health();
    let told = health.take_news();
    let reader = store.reader();
    let query = CallQuery {
        limit: 1_000_000,
        ..CallQuery::default()
    };
    let calls = match reader.calls(&query) {
        Ok(calls) => calls,
        // Text that has changed inside a row is none of SQLite's business; whoever reads the row is told.
        Err(ReadError::BadRow { .. }) if told.is_empty() => return After { calls: None, told },
        Err(error) => panic!("{error}"),
    };
    assert_eq!(recovered.recent_calls.len(), calls.len().min(50));
    for stored in reader.sessions(100, None).unwrap() {
        reader.checkpoints(stored.session.id, None, 100).unwrap();
    }
    let sums = reader.usage(&UsageQuery::default()).unwrap();
    let counted: u64 = sums.iter().map(|group| group.totals.requests).sum();
    if let Some(repair) = health.report().repair {
        assert_eq!(counted, calls.len() as u64, "sums are the calls'");
        assert_eq!(repair.tables["calls"].kept, calls.len() as u64);
        assert_eq!(std::fs::read(&repair.damaged).unwrap().len(), bytes.len());
        assert_eq!(told.len(), 1);
    }
    let known: HashSet<_> = (1..=CALLS).map(|number| full(number).start.id).collect();
    assert!(
        calls.iter().all(|call| known.contains(&call.start.id)),
        "no call is made up"
    );
    put(&store, finished(&full(CALLS + 1)));
    drop(store);
    let said: String = connect(&path)
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(said, "ok");
    After {
        calls: Some(calls.len()),
        told,
    }
}

/// Strikes one page of each kind that the trees with these names have.
fn strike_each(blows: &[Blow], is_meant: impl Fn(&str) -> bool) {
    let directory = tempdir().unwrap();
    filled(directory.path());
    let path = options(directory.path()).path;
    let kinds = page_kinds(&path);
    let mut of_kind: BTreeMap<(&str, &str), Vec<u32>> = BTreeMap::new();
    for (page, (name, kind)) in kinds.iter().filter(|(_, (name, _))| is_meant(name)) {
        of_kind.entry((name, kind)).or_default().push(*page);
    }
    assert!(!of_kind.is_empty());
    println!("{:<44}{:<16}{:>6}{:>9}  told", "page", "damage", "kept", "lost");
    for ((name, kind), pages) in &of_kind {
        let page = pages[pages.len() / 2];
        for (blow_name, blow) in blows {
            let after = strike(directory.path(), &[page], *blow);
            let Some(kept) = after.calls else {
                println!(
                    "{:<44}{blow_name:<16}  a row that is an error",
                    format!("{name} {kind}")
                );
                continue;
            };
            let lost = CALLS as usize - kept;
            println!(
                "{:<44}{blow_name:<16}{kept:>6}{lost:>9}  {}",
                format!("{name} {kind}"),
                after.told.first().map_or("nothing", |_| "rebuilt")
            );
            // A page holds some dozens of calls; where a page of another table is hit, none is lost.
            let most = if *name == "calls" { 60 } else { 0 };
            assert!(
                lost <= most,
                "{name} {kind}, {blow_name}: {lost} of {CALLS} calls are lost"
            );
        }
    }
}

#[test]
fn a_damaged_page_of_calls_costs_what_stood_on_it() {
    strike_each(&BLOWS, |name| name == "calls");
}

#[test]
fn a_damaged_page_of_an_index_or_of_sums_costs_nothing() {
    strike_each(&BLOWS[1..2], |name| {
        name.starts_with("calls_") || name.starts_with("sqlite_autoindex") || name.starts_with("rollups")
    });
}

#[test]
fn a_damaged_schema_costs_nothing() {
    strike_each(&BLOWS, |name| name == "sqlite_schema");
}

#[test]
fn a_damaged_page_of_names_or_sessions_costs_no_call() {
    strike_each(&BLOWS, |name| {
        matches!(name, "names" | "sessions" | "timer_events")
    });
}

#[test]
fn a_damaged_page_of_what_a_session_has_beside_its_clock_costs_no_call() {
    strike_each(&BLOWS, |name| {
        ["checkpoints", "reports", "paused_calls"]
            .iter()
            .any(|table| name.starts_with(table))
    });
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
    let kinds = page_kinds(&path);
    let sums = kinds.iter().find(|(_, (name, _))| name == "rollups").unwrap().0;
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[(*sums as usize - 1) * PAGE..][..PAGE].fill(0);
    std::fs::write(&path, &bytes).unwrap();

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
    let (first, _) = super::timers::session(1);
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
    assert_eq!(bound, ["kept"]);
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
fn a_damaged_page_that_is_free_or_of_the_map_of_pages_costs_nothing() {
    let directory = tempdir().unwrap();
    filled(directory.path());
    let path = options(directory.path()).path;
    let kinds = page_kinds(&path);
    let count = u32::try_from(std::fs::metadata(&path).unwrap().len()).unwrap() / PAGE as u32;
    // The second page is the map's first.
    let free: Vec<u32> = (2..=count).filter(|page| !kinds.contains_key(page)).collect();
    assert!(free.len() > 3 && free[0] == 2, "{free:?}");
    for page in [free[0], free[1], free[free.len() - 1]] {
        for (blow_name, blow) in BLOWS {
            let after = strike(directory.path(), &[page], blow);
            assert_eq!(after.calls, Some(CALLS as usize), "{page}, {blow_name}");
        }
    }
}

#[test]
fn many_damaged_pages_cost_their_rows_and_not_the_rest() {
    let directory = tempdir().unwrap();
    filled(directory.path());
    let path = options(directory.path()).path;
    let pages = u32::try_from(std::fs::metadata(&path).unwrap().len()).unwrap() / PAGE as u32;
    // Without its header and all of its schema, nothing tells whose file it is: the third time the header is spared.
    for (every, first) in [(50, 1), (10, 1), (4, 5)] {
        let struck: Vec<u32> = (first..=pages).filter(|page| page % every == 1).collect();
        let after = strike(directory.path(), &struck, BLOWS[1].1);
        let kept = after.calls.unwrap();
        let expected = CALLS as usize - CALLS as usize / every as usize;
        println!(
            "every {every}th page: {kept} of {CALLS} calls kept; {}",
            after.told[0]
        );
        assert!(kept * 100 >= expected * 90, "{kept} of {expected}");
    }
}

#[test]
fn a_file_that_was_cut_off_keeps_its_beginning() {
    let directory = tempdir().unwrap();
    filled(directory.path());
    let path = options(directory.path()).path;
    let bytes = std::fs::read(&path).unwrap();
    for (numerator, odd) in [(3, 0), (2, 1_000), (1, 1)] {
        let length = bytes.len() / 4 * numerator / PAGE * PAGE + odd;
        let copy = tempdir().unwrap();
        std::fs::write(options(copy.path()).path, &bytes[..length]).unwrap();
        let (store, _) = open(copy.path());
        let told = store.health().take_news();
        assert_eq!(told.len(), 1);
        let kept = store.health().report().repair.unwrap().tables["calls"].kept;
        println!("{numerator}/4 of the file: {kept} calls kept; {}", told[0]);
        assert!(kept * 10 >= CALLS * numerator as u64, "{kept}");
        put(&store, finished(&full(CALLS + 1)));
    }
}

#[test]
fn a_damaged_header_is_told_from_somebody_elses_file() {
    let directory = tempdir().unwrap();
    filled(directory.path());
    let path = options(directory.path()).path;
    let bytes = std::fs::read(&path).unwrap();
    let mut refused = Vec::new();
    // One byte of each of the header's fields, or both ends.
    for at in [
        0, 15, 16, 17, 18, 19, 20, 21, 23, 24, 28, 32, 36, 40, 44, 47, 52, 56, 59, 60, 63, 64, 68, 92, 96,
    ] {
        let copy = tempdir().unwrap();
        let mut struck = bytes.clone();
        struck[at] ^= 0xff;
        std::fs::write(options(copy.path()).path, &struck).unwrap();
        match Store::open(options(copy.path())) {
            Ok((store, _)) => {
                let counted = store.reader().usage(&UsageQuery::default()).unwrap();
                assert_eq!(counted[0].totals.requests, CALLS, "byte {at}");
            }
            // A schema from the future cannot be told from a number that has changed.
            Err(error @ StoreError::Newer { .. }) => {
                refused.push(at);
                assert!(error.to_string().contains("run the newer Moonlock"), "{error}");
                assert_eq!(std::fs::read(options(copy.path()).path).unwrap(), struck);
            }
            Err(error) => panic!("byte {at}: {error}"),
        }
    }
    assert!(refused.iter().all(|at| (60..64).contains(at)), "{refused:?}");
}

/// What a program that is killed leaves: a file, and a log that was not yet moved to it.
fn killed(directory: &Path, calls: u64) {
    let running = tempdir().unwrap();
    let (store, _) = open(running.path());
    for number in 1..=calls {
        put(&store, finished(&full(number)));
    }
    for name in ["moonlock.db", "moonlock.db-wal"] {
        std::fs::copy(running.path().join(name), directory.join(name)).unwrap();
    }
}

#[test]
fn a_log_that_was_cut_off_or_changed_keeps_what_stands_before() {
    const COMMITS: u64 = 200;
    let directory = tempdir().unwrap();
    killed(directory.path(), COMMITS);
    let log = std::fs::read(directory.path().join("moonlock.db-wal")).unwrap();
    let mut kept_before = 0;
    for tenth in 0..=10 {
        for is_cut in [true, false] {
            let copy = tempdir().unwrap();
            let path = options(copy.path()).path;
            std::fs::copy(directory.path().join("moonlock.db"), &path).unwrap();
            let at = (log.len() * tenth / 10).min(log.len() - 1);
            let mut struck = log.clone();
            if is_cut {
                struck.truncate(at);
            } else {
                struck[at] ^= 0xff;
            }
            std::fs::write(copy.path().join("moonlock.db-wal"), &struck).unwrap();
            let (store, _) = open(copy.path());
            let kept = store.reader().usage(&UsageQuery::default()).unwrap();
            let kept = kept.first().map_or(0, |group| group.totals.requests);
            let told = store.health().take_news();
            println!(
                "{} at {tenth}/10: {kept} of {COMMITS}; {told:?}",
                if is_cut { "cut off" } else { "changed" }
            );
            if is_cut {
                assert!(kept >= kept_before, "the longer the log, the more there is");
                kept_before = kept;
            } else {
                // What is cut off leaves no trace; what has changed does.
                assert_eq!(told.len(), usize::from(tenth < 10 || kept < COMMITS), "{told:?}");
            }
            put(&store, finished(&full(COMMITS + 1)));
        }
    }
    assert!(kept_before >= COMMITS - 1);
}

/// Waits until a repair was told.
fn until_repaired(store: &Store) -> std::sync::Arc<crate::store::Repair> {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(repair) = store.health().report().repair {
            return repair;
        }
        assert!(Instant::now() < end, "{:?}", store.health().report());
        std::thread::yield_now();
    }
}

#[test]
fn a_large_file_is_looked_at_beside_the_work_and_rebuilt_under_it() {
    let directory = tempdir().unwrap();
    filled(directory.path());
    let path = options(directory.path()).path;
    let kinds = page_kinds(&path);
    let leaves = kinds
        .iter()
        .filter(|(_, (name, kind))| name == "calls" && kind == "leaf");
    let page = *leaves.map(|(page, _)| page).nth(40).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[(page as usize - 1) * PAGE..][..PAGE].fill(0);
    std::fs::write(&path, &bytes).unwrap();
    // As after a kill.
    {
        let connection = connect(&path);
        connection
            .execute_batch("PRAGMA wal_autocheckpoint = 0; INSERT INTO settings VALUES ('a', 'b')")
            .unwrap();
        for suffix in ["", "-wal"] {
            let name = format!("moonlock.db{suffix}");
            std::fs::copy(
                directory.path().join(&name),
                directory.path().join(format!("copy{suffix}")),
            )
            .unwrap();
        }
    }
    for suffix in ["", "-wal"] {
        let name = format!("moonlock.db{suffix}");
        std::fs::rename(
            directory.path().join(format!("copy{suffix}")),
            directory.path().join(name),
        )
        .unwrap();
    }
    let limits = Limits {
        checked_at_once: 0,
        ..impatient()
    };
    let (store, _) = Store::open_with(options(directory.path()), limits).unwrap();
    put(&store, started(&full(CALLS + 1)));
    let mut tickets = Vec::new();
    for number in CALLS + 2..CALLS + 500 {
        tickets.push(store.writer().submit(finished(&full(number))).unwrap());
        store.reader().unassigned().unwrap();
    }
    let repair = until_repaired(&store);
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    put(&store, finished(&full(CALLS + 1)));
    assert!(repair.tables["calls"].lost > 0);
    let expected = CALLS + 499 - repair.tables["calls"].lost;
    let sums = store.reader().usage(&UsageQuery::default()).unwrap();
    assert_eq!(
        sums.iter().map(|group| group.totals.requests).sum::<u64>(),
        expected
    );
    let running = CallQuery {
        outcome: Some(Outcome::Running),
        ..CallQuery::default()
    };
    assert_eq!(store.reader().calls(&running).unwrap(), []);
    drop(store);
    let (store, recovered) = open(directory.path());
    assert_eq!(recovered.interrupted, 0);
    assert_eq!(store.health().report().repair, None, "it is sound");
}

#[test]
fn what_waits_is_written_though_the_database_breaks_under_it() {
    let directory = tempdir().unwrap();
    filled(directory.path());
    let (store, _) = Store::open_with(options(directory.path()), impatient()).unwrap();
    // Everything but the header: whatever the writer has not read yet is gone.
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(options(directory.path()).path)
        .unwrap();
    let length = usize::try_from(file.metadata().unwrap().len()).unwrap();
    for page in (1..length / PAGE).rev().take(length / PAGE / 2) {
        std::os::unix::fs::FileExt::write_all_at(&file, &[0; PAGE], (page * PAGE) as u64).unwrap();
    }
    let tickets: Vec<_> = (CALLS + 1..CALLS + 200)
        .map(|number| {
            let mut call = full(number);
            call.start.conversation = Some(format!("new-{number}").into());
            store.writer().submit(finished(&call)).unwrap()
        })
        .collect();
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    // What the writer has in memory it does not read again; a question for all does.
    let all = CallQuery {
        limit: 1_000_000,
        ..CallQuery::default()
    };
    let end = Instant::now() + Duration::from_secs(20);
    while store.health().report().repair.is_none() {
        let said = store.reader().calls(&all).map(|calls| calls.len());
        assert!(Instant::now() < end, "{said:?} {:?}", store.health().take_news());
    }
    assert!(store.reader().call(full(CALLS + 100).start.id).unwrap().is_some());
    drop(store);
    let said: String = connect(&options(directory.path()).path)
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(said, "ok");
}
