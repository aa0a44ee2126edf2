//! Files whose bytes have changed under SQLite.

mod header;
mod log;
mod pages;
mod patterns;
mod sessions;
mod work;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use tempfile::tempdir;

use super::support::*;
use crate::domain::call::Call;
use crate::domain::ids::CheckpointId;
use crate::domain::record::Record;
use crate::domain::report::{Kept, ReportKey};
use crate::domain::session::checkpoint::{Checkpoint, NewCheckpoint};
use crate::domain::units::{Millis, Timestamp, Tokens};
use crate::domain::wire::CheckpointUsage;
use crate::store::{CallQuery, ReadError, SessionQuery, UsageQuery};

const CALLS: u64 = 3_000;
const SESSIONS: u64 = 5;
const PAGE: usize = 4_096;

/// What a session has beside its calls: a checkpoint, a report with a key, a call of a pause, and a conversation.
fn beside(number: u64) -> [Record; 4] {
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
        Record::Bound {
            conversation: format!("bound-{number}").into(),
            session: Some(session),
            at: Timestamp(NOON),
        },
    ]
}

/// One of the database's calls.
fn call_of(number: u64) -> Call {
    let mut call = full(number);
    call.start.conversation = Some(format!("thread-{number}").into());
    call.session = Some(session_id(number % SESSIONS + 1));
    if number.is_multiple_of(100) {
        // Longer than a page has room for.
        let end = call.end.as_mut().unwrap();
        end.raw_usage = Some(format!("{{\"text\":\"{}\"}}", "x".repeat(6_000)).into());
    }
    call
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
        last = Some(store.writer().submit(finished(&call_of(number))).unwrap());
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
    /// Those.
    found: Vec<Call>,
    /// How many conversations are bound.
    bound: usize,
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
        Err(ReadError::BadRow { .. }) if told.is_empty() => {
            return After {
                calls: None,
                found: Vec::new(),
                bound: recovered.conversations.len(),
                told,
            };
        }
        Err(error) => panic!("{error}"),
    };
    assert_eq!(recovered.recent_calls.len(), calls.len().min(50));
    let all = SessionQuery::default();
    for (stored, _) in reader.sessions(&all).unwrap() {
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
        found: calls,
        bound: recovered.conversations.len(),
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
