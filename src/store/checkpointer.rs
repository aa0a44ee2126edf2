//! Moves the write-ahead log into the database beside the writer, so that no commit waits for the disk to be flushed.
//!
//! A passive checkpoint lets others write meanwhile (<https://sqlite.org/wal.html>, "Checkpointing"). What they write
//! then is left for the next one; the log starts anew only after a checkpoint that left nothing.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::connection;
use super::error::StoreError;

/// A thread with a connection of its own. Dropped, it ends what it is doing and stops.
pub(super) struct Checkpointer {
    /// `None` once it is told to stop.
    asks: Option<SyncSender<()>>,
    left_nothing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub(super) fn start(path: &Path) -> Result<Self, StoreError> {
        let connection = connection::open_checkpointer(path)?;
        let (asks, asked) = sync_channel(1);
        let left_nothing = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&left_nothing);
        let thread = std::thread::Builder::new()
            .name("checkpointer".to_owned())
            .spawn(move || run(&connection, &asked, &told))
            .map_err(|source| StoreError::NoThread {
                path: path.to_owned(),
                source,
            })?;
        Ok(Self {
            asks: Some(asks),
            left_nothing,
            thread: Some(thread),
        })
    }

    /// Asks for a checkpoint, unless one is waiting already.
    pub(super) fn ask(&self) {
        if let Some(asks) = &self.asks {
            asks.try_send(()).ok();
        }
    }

    /// Whether a checkpoint has left nothing since the last time this was asked.
    pub(super) fn has_left_nothing(&self) -> bool {
        self.left_nothing.swap(false, Ordering::AcqRel)
    }

    /// Waits until it has ended what it is doing.
    pub(super) fn stop(&mut self) {
        self.asks = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the store's checkpointer panicked");
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn run(connection: &Connection, asked: &Receiver<()>, left_nothing: &AtomicBool) {
    while asked.recv().is_ok() {
        match checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)") {
            Ok(true) => left_nothing.store(true, Ordering::Release),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the write-ahead log could not be moved to the database"),
        }
    }
}

/// Does one checkpoint; true if it left nothing in the log.
pub(super) fn checkpoint(connection: &Connection, pragma: &str) -> rusqlite::Result<bool> {
    connection.query_row(pragma, [], |row| {
        let (log, moved): (i64, i64) = (row.get(1)?, row.get(2)?);
        Ok(log == moved)
    })
}
