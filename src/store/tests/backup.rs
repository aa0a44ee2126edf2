//! Copies that are made while the database is in use.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use jiff::{Timestamp, ToSpan};
use tempfile::tempdir;

use super::support::*;
use crate::store::backup::{BackupError, Daily, backup};
use crate::store::{CallQuery, Store, StoreError};

fn never() -> Arc<AtomicBool> {
    Arc::default()
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_backup_is_whole_though_calls_go_on_and_holds_up_none_of_them() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    let mut last = None;
    for number in 1..=5_000 {
        last = Some(store.writer().submit(finished(&full(number))).unwrap());
        if number % 1_000 == 0 {
            last.take().unwrap().wait().unwrap();
        }
    }
    drop(last);
    let done = AtomicBool::new(false);
    let path = options(directory.path()).path;
    let target = directory.path().join("copy.db");
    let (made, written) = std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let mut number = 5_000;
            // At least one, also where this thread comes late.
            loop {
                number += 1;
                put(&store, finished(&full(number)));
                if done.load(Ordering::Acquire) {
                    return number;
                }
            }
        });
        let made = backup(&path, &target, &never()).unwrap();
        done.store(true, Ordering::Release);
        (made, writing.join().unwrap())
    });
    assert!(written > 5_000, "calls went on");
    assert!((5_000..=written).contains(&made.calls), "{made:?}");
    assert_eq!(made.bytes, std::fs::metadata(&target).unwrap().len());
    let mode = std::fs::metadata(&target).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(
        names(directory.path()),
        [
            "copy.db",
            "moonlock.db",
            "moonlock.db-shm",
            "moonlock.db-wal",
            "moonlock.db.lock"
        ]
    );

    // Restored by putting it in the database's place.
    let restored = tempdir().unwrap();
    std::fs::copy(&target, options(restored.path()).path).unwrap();
    let (store, _) = open(restored.path());
    assert_eq!(
        store.reader().call(full(4_711).start.id).unwrap(),
        Some(full(4_711))
    );
    put(&store, finished(&full(1_000_000)));
}

#[test]
fn a_backup_takes_no_others_place_and_leaves_nothing_behind() {
    let directory = tempdir().unwrap();
    let path = options(directory.path()).path;
    let target = directory.path().join("copy.db");
    let error = backup(&path, &target, &never()).unwrap_err();
    assert!(
        matches!(error, BackupError::Source(StoreError::Missing { .. })),
        "{error}"
    );
    let (store, _) = open(directory.path());
    put(&store, finished(&full(1)));
    std::fs::write(&target, "mine").unwrap();
    let error = backup(&path, &target, &never()).unwrap_err();
    assert!(error.to_string().contains("copy.db exists already"), "{error}");
    assert_eq!(std::fs::read(&target).unwrap(), b"mine");
    let error = backup(&path, &directory.path().join("no/where.db"), &never()).unwrap_err();
    assert!(error.to_string().contains("could not be written"), "{error}");
    let stopped = Arc::new(AtomicBool::new(true));
    let error = backup(&path, &directory.path().join("other.db"), &stopped).unwrap_err();
    assert!(matches!(error, BackupError::Stopped), "{error}");
    let left: Vec<String> = names(directory.path());
    assert!(
        left.iter()
            .all(|name| name.starts_with("moonlock.db") || name == "copy.db"),
        "{left:?}"
    );
}

#[test]
fn a_damaged_database_makes_no_backup_and_takes_no_older_ones_place() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    for number in 1..=500 {
        put(&store, finished(&full(number)));
    }
    drop(store);
    let path = options(directory.path()).path;
    let daily = Daily {
        database: path.clone(),
        directory: directory.path().join("backups"),
        keep_days: 1,
    };
    let day: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    daily.look(day, &never()).unwrap().unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let length = bytes.len();
    let at = length / 2 / 4_096 * 4_096;
    bytes[at..at + 4_096].fill(0);
    std::fs::write(&path, &bytes).unwrap();
    let error = daily.look(day + 240.hours(), &never()).unwrap_err();
    assert!(matches!(error, BackupError::Damaged { .. }), "{error}");
    assert_eq!(names(&daily.directory), ["moonlock-2026-11-22T120000.db"]);
}

#[test]
fn one_backup_a_day_is_kept_for_some_days_and_nothing_else_is_removed() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    put(&store, finished(&full(1)));
    let daily = Daily {
        database: options(directory.path()).path,
        directory: directory.path().join("backups"),
        keep_days: 3,
    };
    let start: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    let mut made = 0;
    std::fs::create_dir(&daily.directory).unwrap();
    for other in ["moonlock-mine.db", "moonlock-2001-01-01T000000.db.old"] {
        std::fs::write(daily.directory.join(other), "mine").unwrap();
    }
    for hour in 0..24 * 6 {
        made += usize::from(daily.look(start + hour.hours(), &never()).unwrap().is_some());
    }
    assert_eq!(made, 6);
    assert_eq!(
        names(&daily.directory),
        [
            "moonlock-2001-01-01T000000.db.old",
            "moonlock-2026-11-24T120000.db",
            "moonlock-2026-11-25T120000.db",
            "moonlock-2026-11-26T120000.db",
            "moonlock-2026-11-27T120000.db",
            "moonlock-mine.db",
        ]
    );
    // After a long pause the last good one is there until the next is.
    daily.look(start + (24 * 100).hours(), &never()).unwrap().unwrap();
    assert_eq!(names(&daily.directory).len(), 3);
}

/// A reader that takes its time holds up no writer, and the log does not grow without end behind it.
#[test]
fn a_long_question_holds_up_no_write_and_the_log_shrinks_behind_it() {
    let directory = tempdir().unwrap();
    let (store, _) = Store::open(options(directory.path())).unwrap();
    put(&store, finished(&full(1)));
    let log = directory.path().join("moonlock.db-wal");
    let length = || std::fs::metadata(&log).unwrap().len();
    let write = |from: u64, to: u64| {
        let tickets: Vec<_> = (from..to)
            .map(|number| {
                loop {
                    match store.writer().submit(finished(&full(number))) {
                        Ok(ticket) => break ticket,
                        Err(_) => std::thread::yield_now(),
                    }
                }
            })
            .collect();
        for ticket in tickets {
            ticket.wait().unwrap();
        }
    };
    let question = connect(&options(directory.path()).path);
    question.execute_batch("BEGIN").unwrap();
    let count = |connection: &rusqlite::Connection| -> i64 {
        connection
            .query_row("SELECT count(*) FROM calls", [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(count(&question), 1);
    let began = Instant::now();
    write(2, 20_000);
    println!(
        "20 000 calls in {:?} beside an open question; the log has {} KiB",
        began.elapsed(),
        length() >> 10
    );
    assert_eq!(count(&question), 1, "it sees one state");
    assert_eq!(
        store
            .reader()
            .calls(&CallQuery {
                limit: 20_000,
                ..CallQuery::default()
            })
            .unwrap()
            .len(),
        19_999
    );
    let behind = length();
    question.execute_batch("COMMIT").unwrap();
    drop(question);
    // It is moved while calls go on, and begins anew at 64 MiB at the latest.
    write(20_000, 80_000);
    println!("after 60 000 more it has {} KiB", length() >> 10);
    assert!(length() <= 72 << 20, "{} after {behind}", length());
    drop(store);
    assert_eq!(std::fs::metadata(&log).map_or(0, |log| log.len()), 0);
}
