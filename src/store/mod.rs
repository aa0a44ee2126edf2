//! The history, in one SQLite file. Only this module knows SQL.
//!
//! - [`WriterHandle`] hands a [`Record`] to the one thread that writes; its [`Ticket`] resolves when the
//!   transaction that holds it is committed (`writer.rs`, `batch.rs`).
//! - [`Reader`] answers questions on connections of its own; a write-ahead log lets both go on side by side.
//! - One file or folder a table: `calls`, `sessions`, `rollups`, `alerts.rs`, `windows.rs`, `conversations.rs`,
//!   `budgets.rs`; repeated text is kept once (`names.rs`), and so are the shapes of the providers' usage objects
//!   (`raw_usage.rs`).
//!
//! Totals come from `rollups`, which change in the transaction that changes `calls`, and never from a scan. Rare calls are
//! found by `call_places`, without an index for each thing that can be asked for.

mod alerts;
mod answers;
mod backup;
mod batch;
mod budgets;
mod calibration;
mod calls;
mod check;
mod checkpointer;
mod checkpoints;
mod connection;
mod conversations;
mod counted_once;
mod courses;
mod error;
mod forecasts;
mod health;
mod migrations;
mod names;
mod opening;
mod query;
mod raw_usage;
mod reader;
mod recover;
mod repair;
mod reports;
mod rescue;
mod restore;
mod rollups;
mod secret;
mod sessions;
mod sql_types;
mod windows;
mod writer;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::Duration;

pub use backup::{Backup, BackupError, Daily, backup, file_name, newest_backup};
pub use calls::Forgettable;
pub use connection::prepare_directory;
pub use error::{ReadError, StoreError};
pub use health::{Health, HealthReport};
pub use query::{
    AlertQuery, CallQuery, Extent, GroupBy, SessionFilter, SessionPlace, SessionQuery, SessionSort, Step,
    StoredSession, Timings, UsageGroup, UsageKeys, UsageQuery,
};
pub use reader::{Reader, Size};
pub use recover::Recovered;
pub use repair::{Repair, RepairError, Rows};
pub use restore::{RestoreError, Restored, restore};
pub use writer::{QueueFull, Reply, Ticket, WriteFailed, WriterHandle};

use crate::domain::durability::Durability;
use crate::domain::windows::FingerprintKey;
use check::Checker;
use checkpointer::Checkpointer;
use opening::End;
use writer::{Home, Message, Tuning, Writer};

/// What to do about a directory that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directory {
    /// Create it for the owner alone: it is Moonlock's own.
    Create,
    /// Say so: the user named it, and may have mistyped.
    MustExist,
}

/// Where the database is and how it is written.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The file.
    pub path: PathBuf,
    /// What to do if its directory is not there.
    pub directory: Directory,
    /// What a commit promises.
    pub durability: Durability,
    /// The most writes of one transaction.
    pub batch_size: usize,
    /// How long a commit may be put off; only for [`Durability::Relaxed`].
    pub batch_interval: Duration,
}

/// Writes that can wait for the writer: some seconds of the heaviest traffic.
const QUEUE: usize = 8_192;

/// Writes that are kept in memory while the database takes none.
const KEPT: usize = 10_000;

/// What is not a user's setting.
#[derive(Clone, Copy, Debug)]
struct Limits {
    queue: usize,
    kept: usize,
    backoff: (Duration, Duration),
    busy_timeout: Duration,
    /// A file of up to so many bytes is looked at before the start.
    checked_at_once: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queue: QUEUE,
            kept: KEPT,
            backoff: (Duration::from_millis(50), Duration::from_secs(5)),
            busy_timeout: Duration::from_secs(5),
            checked_at_once: check::AT_ONCE,
        }
    }
}

/// The open database. Dropping it writes what waits, and blocks until that is done.
#[derive(Debug)]
pub struct Store {
    handle: WriterHandle,
    reader: Reader,
    fingerprint_key: FingerprintKey,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    checker: Option<Checker>,
    /// Held until the thread has ended.
    _lock: File,
}

impl Store {
    /// Opens the database, or creates it, and ends the calls that a former process left running.
    ///
    /// # Errors
    /// The message says what is in the way and what to do.
    pub fn open(options: StoreOptions) -> Result<(Self, Recovered), StoreError> {
        Self::open_with(options, Limits::default())
    }

    fn open_with(options: StoreOptions, limits: Limits) -> Result<(Self, Recovered), StoreError> {
        let path = options.path;
        connection::prepare_directory(&path, options.directory)?;
        let lock = connection::lock(&path)?;
        drop(connection::open_private(&path)?);
        let health = Arc::new(Health::new());
        let end = End::of_last_run(&path, limits.checked_at_once);
        if let Some(lost) = end.keep_damaged_log(&path) {
            tracing::error!("{lost}");
            health.tell(lost);
        }
        let (sender, queue) = sync_channel(limits.queue);
        let handle = WriterHandle {
            queue: sender,
            health: Arc::clone(&health),
        };
        let reader = Reader::of_store(&path, handle.clone());
        let home = Home {
            path: path.clone(),
            durability: options.durability,
            busy_timeout: limits.busy_timeout,
            readers: reader.clone(),
        };
        let (database, recovered) = home.open_sound(end, &health)?;
        let fingerprint_key =
            secret::fingerprint_key(&database.connection).map_err(|source| StoreError::Read {
                path: path.clone(),
                source,
            })?;
        let stopping = Arc::new(AtomicBool::new(false));
        let tuning = Tuning {
            batch_size: options.batch_size.max(1),
            linger: match options.durability {
                Durability::Relaxed => options.batch_interval,
                Durability::Normal | Durability::Full => Duration::ZERO,
            },
            kept: limits.kept.max(1),
            backoff: limits.backoff,
            checkpoint_pages: 4_000,
        };
        let writer = Writer::new(
            database,
            Checkpointer::start(&path)?,
            home,
            queue,
            Arc::clone(&stopping),
            Arc::clone(&health),
            tuning,
        );
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(|| writer.run())
            .map_err(|source| StoreError::NoThread {
                path: path.clone(),
                source,
            })?;
        let store = Self {
            checker: (end == End::Sudden { is_small: false })
                .then(|| Checker::start(reader.clone(), handle.clone())),
            handle,
            reader,
            fingerprint_key,
            stopping,
            thread: Some(thread),
            _lock: lock,
        };
        Ok((store, recovered))
    }

    /// Hands writes to the writer.
    #[must_use]
    pub fn writer(&self) -> WriterHandle {
        self.handle.clone()
    }

    /// Answers questions.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// The secret that fingerprints of credentials are made with.
    #[must_use]
    pub fn fingerprint_key(&self) -> FingerprintKey {
        self.fingerprint_key.clone()
    }

    /// How the writer is doing.
    #[must_use]
    pub fn health(&self) -> Arc<Health> {
        Arc::clone(&self.handle.health)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.checker = None;
        self.stopping.store(true, Ordering::Release);
        // If the queue is full the thread is awake, or parked because it keeps too much.
        self.handle.queue.try_send(Message::Stop).ok();
        thread.thread().unpark();
        if thread.join().is_err() {
            tracing::error!("the store's writer panicked");
        }
    }
}
