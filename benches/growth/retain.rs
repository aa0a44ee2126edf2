//! What it takes to be rid of old calls while others are written. It changes the database: give it a copy.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::park_timeout;
use std::time::{Duration, Instant};

use moonlock::domain::record::Record;
use moonlock::domain::session::clock::{BootId, Nanos, Reading};
use moonlock::domain::session::curve::Reach;
use moonlock::domain::units::Timestamp;
use moonlock::domain::wire::Totals;
use moonlock::store::{CallQuery, Reader, Store, UsageQuery};

use crate::{history, now, options};

/// As the engine does it.
const PIECE: usize = 250;
const PAUSE: Duration = Duration::from_millis(20);
/// From one new call to the next.
const EVERY: Duration = Duration::from_millis(2);

pub(crate) fn retain(directory: &Path, days: u64) {
    let store = Store::open(options(directory)).expect("a store").0;
    let reader = store.reader();
    let newest = reader.ended_calls(&CallQuery {
        limit: 1,
        ..CallQuery::default()
    });
    let newest = newest.expect("calls").first().expect("a call").start.started_at;
    let days = i64::try_from(days).expect("a number of days");
    let before = Timestamp(newest.0 - days * 86_400_000);
    let old = UsageQuery {
        to: Some(before),
        ..UsageQuery::default()
    };
    let sums = |query: &UsageQuery| -> Totals {
        let groups = reader.usage(query).expect("sums");
        groups.first().map(|group| group.totals).unwrap_or_default()
    };
    let sums_before = sums(&old);
    let size_before = reader.size().expect("a size");
    let idle = waits(&store, &AtomicBool::new(false), 0, Some(Duration::from_secs(5)));

    let done = AtomicBool::new(false);
    let (pieces, forgotten, took, busy) = std::thread::scope(|scope| {
        let writing = scope.spawn(|| waits(&store, &done, idle.len(), None));
        let began = Instant::now();
        let (pieces, forgotten) = forget(&store, &reader, before);
        let took = began.elapsed();
        done.store(true, Ordering::Release);
        (pieces, forgotten, took, writing.join().expect("calls"))
    });
    let size = reader.size().expect("a size");
    println!("| what | figure |\n|---|---|");
    println!("| calls deleted | {forgotten} |");
    println!(
        "| deleted, calls a second, with the pauses | {:.0} |",
        forgotten as f64 / took.as_secs_f64()
    );
    for (what, mut times) in [
        ("a piece's commit", pieces),
        ("a new call's commit beside it", busy),
        ("a new call's commit without it", idle),
    ] {
        times.sort_unstable();
        let at = |share: usize| {
            let index = (times.len() * share / 1_000).min(times.len().saturating_sub(1));
            times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e3)
        };
        println!(
            "| {what}, ms: p50, p99, longest of {} | {:.2}, {:.2}, {:.2} |",
            times.len(),
            at(500),
            at(990),
            at(1_000)
        );
    }
    println!(
        "| bytes free in the file, before and after | {}, {} of {} |",
        size_before.free_bytes, size.free_bytes, size.bytes
    );
    let is_same = sums(&old) == sums_before;
    println!(
        "| sums of the deleted calls' time | {} |",
        if is_same { "equal" } else { "DIFFER" }
    );
    assert!(is_same, "{sums_before:?}");
}

/// Deletes all of them; gives how long each piece took, and how many calls they were.
fn forget(store: &Store, reader: &Reader, before: Timestamp) -> (Vec<Duration>, u64) {
    let at = Reading {
        boot: Nanos(0),
        mono: Nanos(0),
        wall: Timestamp(now()),
        boot_id: BootId(0),
    };
    let (mut times, mut forgotten, mut after) = (Vec::new(), 0, None);
    while let Some(piece) = reader.forgettable(before, after, PIECE).expect("a piece") {
        reader
            .courses(&piece.sessions, Reach::SoFar, at)
            .expect("courses");
        let began = Instant::now();
        let ticket = store.writer().submit(Record::CallsForgotten {
            before,
            first: piece.first,
            last: piece.last,
        });
        ticket.expect("room").wait().expect("a commit");
        times.push(began.elapsed());
        forgotten += piece.calls;
        after = Some(piece.last);
        park_timeout(PAUSE);
    }
    (times, forgotten)
}

/// Writes new calls behind the first ones, one after the other, for so long or until told; gives how long each waited for its
/// commit.
fn waits(store: &Store, done: &AtomicBool, first: usize, longest: Option<Duration>) -> Vec<Duration> {
    let began = Instant::now();
    // As many calls as there were never in so short a time, so that they do not run out.
    let records = history::records(10_000_000, now() + history::SPAN_MS);
    let mut times = Vec::new();
    for record in records.skip(first) {
        if done.load(Ordering::Acquire) || longest.is_some_and(|longest| began.elapsed() > longest) {
            break;
        }
        let submitted = Instant::now();
        let ticket = store.writer().submit(record).expect("room");
        ticket.wait().expect("a commit");
        times.push(submitted.elapsed());
        park_timeout(EVERY);
    }
    times
}
