//! Moves the write-ahead log into the database beside the writer, so that no commit waits for the disk to be flushed.
//!
//! A passive checkpoint lets others write meanwhile (<https://sqlite.org/wal.html>, "Checkpointing"). What they write
//! then is left for the next one; the log starts anew only after a checkpoint that left nothing.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::connection;
use super::error::StoreError;

/// A thread with a connection of its own. Dropped, it ends what it is doing and stops.
pub(super) struct Checkpointer {
    /// `None` once it is told to stop.
    asks: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub(super) fn start(path: &Path) -> Result<Self, StoreError> {
        let connection = connection::open_checkpointer(path)?;
        let (asks, asked) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("checkpointer".to_owned())
            .spawn(move || run(&connection, &asked))
            .map_err(|source| StoreError::NoThread {
                path: path.to_owned(),
                source,
            })?;
        Ok(Self {
            asks: Some(asks),
            thread: Some(thread),
        })
    }

    /// Asks for a checkpoint, unless one is waiting already.
    pub(super) fn ask(&self) {
        if let Some(asks) = &self.asks {
            asks.try_send(()).ok();
        }
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

fn run(connection: &Connection, asked: &Receiver<()>) {
    while asked.recv().is_ok() {
        if let Err(error) = checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)") {
            tracing::warn!(%error, "the write-ahead log could not be moved to the database");
        }
    }
}

/// Does one checkpoint.
pub(super) fn checkpoint(connection: &Connection, pragma: &str) -> rusqlite::Result<()> {
    connection.query_row(pragma, [], |_| Ok(()))
}
