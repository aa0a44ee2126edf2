//! A damaged write-ahead log.

use super::*;

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
