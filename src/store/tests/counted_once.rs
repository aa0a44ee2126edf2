//! Who counts what can be fetched more than once is kept as long as the rows are.

use tempfile::tempdir;

use super::support::{finished, full, open, put, started};
use crate::domain::record::{Counted, Record, Standing};
use crate::domain::usage::once::OnceKey;
use crate::domain::wire::Totals;
use crate::store::UsageQuery;

#[test]
fn who_counts_is_known_after_a_restart_once_its_row_is_there() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    let key = OnceKey::new("openai", "resp_1");
    let counted = |number, standing| {
        Record::Counted(Counted {
            key,
            call: full(number).start.id,
            standing,
        })
    };
    assert_eq!(store.reader().counting(&key).unwrap(), None);
    put(&store, counted(1, Standing::Open));
    put(&store, started(&full(1)));
    assert_eq!(
        store.reader().counting(&key).unwrap(),
        None,
        "its row was never written"
    );
    put(&store, finished(&full(1)));
    put(&store, counted(2, Standing::Settled));
    put(&store, finished(&full(2)));
    drop(store);
    let (store, _) = open(directory.path());
    let counting = store.reader().counting(&key).unwrap().unwrap();
    assert_eq!(
        (counting.call.as_deref(), counting.standing),
        (Some(&full(2)), Standing::Settled)
    );
    assert_eq!(
        store
            .reader()
            .counting(&OnceKey::new("openai", "resp_2"))
            .unwrap(),
        None
    );
}

#[test]
fn a_row_that_gives_its_numbers_up_leaves_the_sums_as_if_it_had_never_been() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    put(&store, finished(&full(1)));
    put(&store, finished(&full(2)));
    let given_up = full(1).counted_with(full(2).start.id);
    put(&store, finished(&given_up));
    assert_eq!(store.reader().call(given_up.start.id).unwrap(), Some(given_up));
    let mut expected = Totals::default();
    expected.add(&full(2));
    let groups = store.reader().usage(&UsageQuery::default()).unwrap();
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].totals, expected);
    assert_eq!(groups[0].duration, full(2).end.unwrap().duration);
}
