use std::os::unix::fs::PermissionsExt;

use tempfile::tempdir;

use super::support::*;
use crate::store::{Directory, Reader, Recovered, Store, StoreError};

#[test]
fn a_new_database_is_empty_and_private() {
    let directory = tempdir().unwrap();
    let (store, recovered) = open(directory.path());
    assert_eq!(recovered, Recovered::default());
    put(&store, finished(&full(1)));
    for name in [
        "moonlock.db",
        "moonlock.db-wal",
        "moonlock.db-shm",
        "moonlock.db.lock",
    ] {
        let mode = std::fs::metadata(directory.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn only_its_own_directory_is_created() {
    let directory = tempdir().unwrap();
    let missing = directory.path().join("not").join("there");
    let error = Store::open(options(&missing)).unwrap_err();
    assert!(matches!(&error, StoreError::DirectoryMissing { directory } if *directory == missing));
    assert!(error.to_string().contains("not/there does not exist"), "{error}");

    let mut own = options(&missing);
    own.directory = Directory::Create;
    let (_store, _) = Store::open(own).unwrap();
    let mode = std::fs::metadata(&missing).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_second_moonlock_is_kept_off_until_the_first_has_gone() {
    let directory = tempdir().unwrap();
    let (store, _) = open(directory.path());
    let error = Store::open(options(directory.path())).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }));
    assert!(
        error.to_string().contains("in use by another Moonlock"),
        "{error}"
    );
    drop(store);
    open(directory.path());
}

#[test]
fn what_is_not_ours_is_left_as_it_is() {
    let directory = tempdir().unwrap();
    let path = options(directory.path()).path;
    std::fs::write(&path, "just text").unwrap();
    assert!(matches!(
        Store::open(options(directory.path())),
        Err(StoreError::NotADatabase { .. })
    ));
    assert_eq!(std::fs::read(&path).unwrap(), b"just text");

    std::fs::remove_file(&path).unwrap();
    connect(&path)
        .execute_batch("CREATE TABLE theirs (id INTEGER)")
        .unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(
        Store::open(options(directory.path())),
        Err(StoreError::Foreign { .. })
    ));
    assert!(matches!(Reader::open(&path), Err(StoreError::Foreign { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_newer_schema_is_refused() {
    let directory = tempdir().unwrap();
    let path = options(directory.path()).path;
    drop(open(directory.path()));
    connect(&path).pragma_update(None, "user_version", 99).unwrap();
    let error = Store::open(options(directory.path())).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
}

#[test]
fn a_path_that_cannot_be_written_is_named() {
    let directory = tempdir().unwrap();
    let path = options(directory.path()).path;
    std::fs::create_dir(&path).unwrap();
    let error = Store::open(options(directory.path())).unwrap_err();
    assert!(matches!(error, StoreError::Unusable { .. }));
    assert!(error.to_string().contains("moonlock.db for writing"), "{error}");
}

#[test]
fn a_read_only_file_is_an_error() {
    let directory = tempdir().unwrap();
    let path = options(directory.path()).path;
    drop(open(directory.path()));
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o400)).unwrap();
    if std::fs::OpenOptions::new().write(true).open(&path).is_ok() {
        return; // A superuser may write all the same.
    }
    let error = Store::open(options(directory.path())).unwrap_err();
    assert!(error.to_string().contains("moonlock.db"), "{error}");
}

#[test]
fn a_reader_opens_beside_the_store_but_makes_no_file() {
    let directory = tempdir().unwrap();
    let path = options(directory.path()).path;
    assert!(matches!(Reader::open(&path), Err(StoreError::Missing { .. })));
    assert!(!path.exists());
    let (store, _) = open(directory.path());
    put(&store, finished(&full(1)));
    let reader = Reader::open(&path).unwrap();
    assert_eq!(reader.call(full(1).start.id).unwrap(), Some(full(1)));
}
