use tempfile::tempdir;

use super::support::*;
use crate::domain::record::Record;
use crate::domain::units::{Millis, Timestamp};
use crate::domain::windows::{Fingerprint, Kind, LimitSet, Permille, Role, SeenWindow, Standing, Window};

fn window(name: &str) -> SeenWindow {
    let window = Window {
        name: name.into(),
        kind: Kind::Plan,
        period: Some(Millis(18_000_000)),
        limit: Some(u64::MAX),
        remaining: Some(0),
        said_used: Some(Permille(1020)),
        standing: Some(Standing::Warning),
        role: Role::Deciding,
        resets_at: Some(Timestamp(NOON)),
    };
    let seen_at = Timestamp(NOON - 1);
    SeenWindow { window, seen_at }
}

fn set(credential: Option<u64>, windows: Vec<SeenWindow>) -> LimitSet {
    LimitSet {
        provider: "anthropic".into(),
        credential: credential.map(Fingerprint),
        windows,
    }
}

fn write(set: LimitSet) -> Record {
    Record::Limits(Box::new(set))
}

#[test]
fn limits_come_back_and_can_be_forgotten() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    let bare = Window {
        period: None,
        limit: None,
        remaining: None,
        said_used: None,
        standing: None,
        role: Role::Unnamed,
        resets_at: None,
        ..window("bare").window
    };
    let nobodys = set(
        None,
        vec![SeenWindow {
            window: bare,
            seen_at: Timestamp(NOON),
        }],
    );
    put(&store, write(nobodys.clone()));
    put(&store, write(set(Some(1), vec![window("5h")])));
    put(&store, write(set(Some(1), vec![window("7d")])));
    put(&store, write(set(Some(u64::MAX), vec![window("5h")])));
    put(&store, write(set(Some(u64::MAX), vec![])));
    drop(store);
    let (_store, recovered) = open(directory.path());
    // SQLite holds no larger number.
    let mut kept = window("7d");
    kept.window.limit = Some(i64::MAX.unsigned_abs());
    assert_eq!(recovered.limits, [nobodys, set(Some(1), vec![kept])]);
}

#[test]
fn fingerprints_stay_the_same_until_their_secret_is_lost() {
    let directory = tempdir().unwrap();
    let key = |store: &crate::store::Store| *store.fingerprint_key().bytes();
    let (store, _) = open(directory.path());
    let first = key(&store);
    drop(store);
    let (store, _) = open(directory.path());
    assert_eq!(key(&store), first);
    drop(store);
    let other = tempdir().unwrap();
    assert_ne!(key(&open(other.path()).0), first);

    connect(&options(directory.path()).path)
        .execute(
            "UPDATE settings SET value = 'damaged' WHERE key = 'fingerprint_key'",
            [],
        )
        .unwrap();
    assert_ne!(key(&open(directory.path()).0), first);
}
