//! A damaged header, or schema: whose file it is, and what its pages are.

use super::*;
use crate::store::{Store, StoreError};

#[test]
fn a_damaged_schema_costs_nothing() {
    strike_each(&BLOWS, |name| name == "sqlite_schema");
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
