//! Opening the file: its directory, its lock, its mode, its connections.

use std::cell::Cell;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::StoreError;
use super::migrations::{self, Owner};
use super::{Directory, Durability};

/// Statements that a connection keeps compiled: more than there are in this module.
const STATEMENTS: usize = 48;

/// Makes sure that a file's directory is there.
///
/// # Errors
/// It is not, or cannot be made.
pub fn prepare_directory(path: &Path, directory: Directory) -> Result<(), StoreError> {
    let parent = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => return Ok(()),
    };
    if parent.is_dir() {
        return Ok(());
    }
    if directory == Directory::MustExist {
        return Err(StoreError::DirectoryMissing {
            directory: parent.to_owned(),
        });
    }
    make_private(parent)
}

/// Makes a directory for the owner alone, unless it is there.
pub(super) fn make_private(directory: &Path) -> Result<(), StoreError> {
    if directory.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory).map_err(|source| StoreError::Unusable {
        path: directory.to_owned(),
        source,
    })
}

/// How long the lock may be held by a Moonlock that is just ending.
const LOCK_WAIT: Duration = Duration::from_millis(500);

/// Takes the lock that keeps a second Moonlock off; it is held as long as the file is open.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let mut lock_path = path.as_os_str().to_owned();
    lock_path.push(".lock");
    let lock_path = PathBuf::from(lock_path);
    let file = open_private(&lock_path)?;
    let end = Instant::now() + LOCK_WAIT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // One that is just ending may still have it: a service is often started in the moment it stops.
            Err(TryLockError::WouldBlock) if Instant::now() < end => {
                std::thread::park_timeout(LOCK_WAIT / 20);
            }
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse {
                    path: path.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => {
                return Err(StoreError::Unusable {
                    path: lock_path,
                    source,
                });
            }
        }
    }
}

/// Opens a file for writing; a new one can be read by its owner only.
///
/// SQLite gives its `-wal` and `-shm` files the mode of the database.
pub(super) fn open_private(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|source| StoreError::Unusable {
        path: path.to_owned(),
        source,
    })
}

/// Opens the connection that writes, and brings the schema up to date.
pub(super) fn open_writer(
    path: &Path,
    durability: Durability,
    busy_timeout: Duration,
) -> Result<Connection, StoreError> {
    let sqlite = |source| failure(path, source);
    let mut connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(sqlite)?;
    connection.busy_timeout(busy_timeout).map_err(sqlite)?;
    let owner = ours(path, &connection)?;
    if connection.is_readonly("main").map_err(sqlite)? {
        return Err(StoreError::ReadOnly {
            path: path.to_owned(),
        });
    }
    configure_writer(&connection, owner, durability).map_err(sqlite)?;
    migrations::run(&mut connection).map_err(|source| StoreError::Migration {
        path: path.to_owned(),
        source,
    })?;
    Ok(connection)
}

fn configure_writer(connection: &Connection, owner: Owner, durability: Durability) -> rusqlite::Result<()> {
    if owner == Owner::Nobody {
        // Has to be said before the first table, or never: it lets rows be deleted later in small steps.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Normal | Durability::Relaxed => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -4_096)?;
    // Checkpoints are done beside the writer, so that no call waits for them.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.wal_hook(Some(|_, pages| {
        IN_LOG.set(usize::try_from(pages).unwrap_or(0));
        Ok(())
    }));
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

thread_local! {
    /// SQLite tells it to a function that can hold nothing, on the thread that commits.
    static IN_LOG: Cell<usize> = const { Cell::new(0) };
}

/// How many pages the write-ahead log had after the last commit of this thread.
pub(super) fn pages_in_log() -> usize {
    IN_LOG.get()
}

/// Opens the connection that moves the write-ahead log into the database.
pub(super) fn open_checkpointer(path: &Path) -> Result<Connection, StoreError> {
    let open = || {
        let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.pragma_update(None, "cache_size", -64)?;
        Ok(connection)
    };
    open().map_err(|source| failure(path, source))
}

/// Opens the file that a backup is copied to.
pub(super) fn open_copy(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    Ok(connection)
}

/// Ends what a connection does as soon as it is told to.
pub(super) fn stop_with(connection: &Connection, stopping: &Arc<AtomicBool>) -> rusqlite::Result<()> {
    const STEPS: i32 = 10_000;
    let stopping = Arc::clone(stopping);
    connection.progress_handler(STEPS, Some(move || stopping.load(Ordering::Acquire)))
}

/// Opens the new file of a repair: nobody else knows it, and if it is not finished it is thrown away.
pub(super) fn open_rebuilt(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "OFF")?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Opens a connection that only reads.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -2_048)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// How many bytes of the file are in no use.
pub(super) fn free_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    const SELECT: &str = "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size";
    let bytes: i64 = connection.query_row(SELECT, [], |row| row.get(0))?;
    Ok(bytes.unsigned_abs())
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that opens the database"
)]
fn open(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
}

/// Checks that a database is ours, or new.
pub(super) fn ours(path: &Path, connection: &Connection) -> Result<Owner, StoreError> {
    match migrations::owner(connection).map_err(|source| failure(path, source))? {
        Owner::Foreign => Err(StoreError::Foreign {
            path: path.to_owned(),
        }),
        Owner::Newer { version } => Err(StoreError::Newer {
            path: path.to_owned(),
            found: version,
            known: migrations::latest(),
        }),
        owner @ (Owner::Nobody | Owner::Ours) => Ok(owner),
    }
}

/// What SQLite's error means to the user.
pub(super) fn failure(path: &Path, source: rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => StoreError::NotADatabase { path },
        Some(ErrorCode::ReadOnly) => StoreError::ReadOnly { path },
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => StoreError::Unusable {
            path,
            source: std::io::Error::new(ErrorKind::PermissionDenied, source),
        },
        _ => StoreError::Sqlite { path, source },
    }
}
