//! Damage that is found while the program works.

use std::time::{Duration, Instant};

use super::*;
use crate::domain::call::Outcome;
use crate::store::{Limits, Store};

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
