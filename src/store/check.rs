//! Looks whether a database is sound.
//!
//! SQLite keeps no checksums: what it can see is a broken structure, not a number that changed. A small file is looked
//! at before the start, every time; it takes milliseconds. A large one only if Moonlock was not ended in order, and
//! beside its work. Every backup is looked at as well (`backup.rs`), so that the daily one is also a daily look.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::reader::Reader;
use super::writer::WriterHandle;

/// A file of up to so many bytes is looked at before the start.
pub(super) const AT_ONCE: u64 = 8 << 20;

/// What is wrong with a database; `None` if it is sound, as far as can be seen.
pub(super) fn problem(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let said: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok((said != "ok").then(|| one_line(&said)))
}

/// SQLite's complaints have headings and line ends.
fn one_line(said: &str) -> String {
    let words = said.split_whitespace().filter(|word| *word != "***");
    words.collect::<Vec<_>>().join(" ")
}

/// A look at a large database beside the work. Dropped, it stops.
#[derive(Debug)]
pub(super) struct Checker {
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Checker {
    /// Starts to look. Without a thread there is no look, and no harm.
    pub(super) fn start(reader: Reader, writer: WriterHandle) -> Self {
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopping);
        let thread = std::thread::Builder::new()
            .name("check".to_owned())
            .spawn(move || match reader.problem(&stop) {
                Ok(Some(problem)) => writer.report_damage(problem),
                Ok(None) => tracing::debug!("the database is sound"),
                Err(error) => tracing::debug!(%error, "the database was not looked at to the end"),
            });
        Self {
            stopping,
            thread: thread.ok(),
        }
    }
}

impl Drop for Checker {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the look at the database panicked");
        }
    }
}
