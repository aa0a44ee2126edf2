//! Rebuilds a damaged database from what can be read of it.
//!
//! [`pages`] reads the file as its last commit left it, [`trees`] and [`bytes`] know SQLite's format, [`layout`] how
//! the rows of this schema look, [`refill`] moves them into a new file and [`tidy`] makes that whole. SQLite's own
//! recovery extension does the same and is in no build that a crate brings along. The damaged file is kept beside the
//! new one.

mod bytes;
mod layout;
mod lost_names;
mod pages;
mod refill;
mod tidy;
mod trees;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::connection;
use super::error::ReadError;
use super::migrations;
pub use refill::Rows;

/// A database that was rebuilt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// What was wrong, in SQLite's words.
    pub problem: Box<str>,
    /// Where the damaged file is kept.
    pub damaged: PathBuf,
    /// What became of each table's rows.
    pub tables: BTreeMap<String, Rows>,
    /// Pages of tables that could not be read: what stood on them is lost, too.
    pub unreadable_pages: u64,
    /// The names of the sessions whose clocks lack events: their time may be wrong.
    pub clocks_with_gaps: Vec<String>,
}

/// So many sessions are told of by name.
const MOST_NAMED: usize = 5;

/// The damaged database could not be rebuilt. It was not changed.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// A file could not be read, made or moved.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The new database could not be filled.
    #[error(transparent)]
    Fill(#[from] ReadError),
    /// The new database could not be given its schema.
    #[error(transparent)]
    Schema(#[from] rusqlite_migration::Error),
}

impl std::fmt::Display for Repair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "The database was damaged ({}) and was rebuilt. Kept:",
            self.problem
        )?;
        let mut separator = " ";
        for (table, rows) in self.tables.iter().filter(|(_, rows)| **rows != Rows::default()) {
            write!(f, "{separator}{} {}", rows.kept, table.replace('_', " "))?;
            if rows.lost > 0 {
                write!(f, " (at least {} lost)", rows.lost)?;
            }
            separator = ", ";
        }
        if self.unreadable_pages > 0 {
            write!(f, "; {} pages of 4 KiB could not be read", self.unreadable_pages)?;
        }
        if let [first, others @ ..] = &self.clocks_with_gaps[..] {
            write!(
                f,
                ". Pauses or other events of a clock are lost, so that the time may be wrong: \"{first}\""
            )?;
            for name in others.iter().take(MOST_NAMED - 1) {
                write!(f, ", \"{name}\"")?;
            }
            if let Some(more) = others.len().checked_sub(MOST_NAMED - 1).filter(|more| *more > 0) {
                write!(f, " and {more} more")?;
            }
        }
        write!(
            f,
            ". The damaged file is kept as {}; a backup may have more.",
            self.damaged.display()
        )
    }
}

/// A file beside the database.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The name of something that is kept for good: no file has it yet.
pub(super) fn dated(path: &Path, suffix: &str, now: Timestamp) -> PathBuf {
    let dated = format!("{suffix}-{}", now.strftime("%Y-%m-%dT%H%M%SZ"));
    let mut name = beside(path, &dated);
    for number in 2..1_000 {
        if !name.exists() {
            break;
        }
        name = beside(path, &format!("{dated}-{number}"));
    }
    name
}

/// Whether a file that SQLite does not take for a database of ours once was one: its first page may be the damaged one.
///
/// Of these tables two are enough: more of the schema may be damaged, and nobody else has two of them.
pub(super) fn was_ours(path: &Path) -> bool {
    const TABLES: [&str; 7] = [
        "calls",
        "counted_once",
        "paused_calls",
        "provider_windows",
        "rollups",
        "running_calls",
        "timer_events",
    ];
    let Ok(mut pages) = pages::Pages::open(path) else {
        return false;
    };
    match refill::roots(&mut pages) {
        // With a schema of its own it is what that says.
        Ok(roots) if !roots.is_empty() => {
            TABLES.iter().filter(|table| roots.contains_key(**table)).count() >= 2
        }
        Ok(_) => looks_like_ours(&mut pages, &TABLES).unwrap_or(false),
        Err(_) => false,
    }
}

/// Whether the rows of a file without header and schema are such as ours: no other database has rows of forty columns
/// of just these types.
fn looks_like_ours(pages: &mut pages::Pages, tables: &[&str]) -> Option<bool> {
    let mut empty = rusqlite::Connection::open_in_memory().ok()?;
    migrations::run(&mut empty).ok()?;
    let found = refill::tables_by_shape(pages, &empty, MOST_LOOKED_AT).ok()?;
    let found = || tables.iter().filter(|table| found.contains(**table));
    Some(found().count() >= 2 || found().any(|table| *table == "calls"))
}

/// So many pages of a file without header and schema are looked at: somebody else's may be huge.
const MOST_LOOKED_AT: u32 = 4_096;

/// Whether a file's header says that it must not be written: no SQLite says so of a file that it makes.
pub(super) fn calls_itself_read_only(path: &Path) -> bool {
    const WRITE_VERSION: usize = 18;
    const NEWEST: u8 = 2;
    let first = pages::Pages::open(path).and_then(|mut pages| pages.read(1));
    first.is_ok_and(|first| first.is_some_and(|page| page[WRITE_VERSION] > NEWEST))
}

/// What the write-ahead log has lost, as a sentence; `None` if it is whole, or there is none.
///
/// SQLite stops at the first damaged frame, and says nothing.
pub(super) fn lost_of_log(path: &Path) -> Option<String> {
    let log = pages::Log::open(&beside(path, "-wal")).ok()??;
    if log.has_no_header {
        let text = "The database's write-ahead log is damaged at its beginning: what was committed last, before Moonlock \
                    was killed, is lost.";
        return Some(text.to_owned());
    }
    (log.cut_off > 0).then(|| {
        format!(
            "The database's write-ahead log is damaged: its last {} commits, before Moonlock was killed, are lost.",
            log.cut_off
        )
    })
}

/// Rebuilds the database. No connection to it may be open.
pub(super) fn repair(path: &Path, problem: &str, now: Timestamp) -> Result<Repair, RepairError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| RepairError::File { path, source }
    };
    let sqlite = |error| RepairError::Fill(ReadError::Sqlite(error));
    let mut pages = pages::Pages::open(path).map_err(at(path))?;
    let rebuilt = beside(path, ".rebuilt");
    for file in [rebuilt.clone(), beside(&rebuilt, "-journal")] {
        if file.exists() {
            std::fs::remove_file(&file).map_err(at(&file))?;
        }
    }
    drop(
        connection::open_private(&rebuilt).map_err(|error| RepairError::File {
            path: rebuilt.clone(),
            source: std::io::Error::other(error),
        })?,
    );
    let mut connection = connection::open_rebuilt(&rebuilt).map_err(sqlite)?;
    let version = pages.user_version().map_err(at(path))?;
    migrations::run_to(&mut connection, version as usize)?;
    let transaction = connection.transaction().map_err(sqlite)?;
    let moved = refill::refill(&mut pages, &transaction)?;
    transaction.commit().map_err(sqlite)?;
    // The sums and names are those of the newest schema.
    migrations::run(&mut connection)?;
    let transaction = connection.transaction().map_err(sqlite)?;
    let missing = tidy::tidy(&transaction)?;
    transaction.commit().map_err(sqlite)?;
    connection.close().map_err(|(_, error)| sqlite(error))?;
    drop(pages);
    File::open(&rebuilt)
        .and_then(|file| file.sync_all())
        .map_err(at(&rebuilt))?;
    let mut tables = moved.tables;
    let mut lost = |table: &str, lost: u64| {
        let rows = tables.entry(table.to_owned()).or_default();
        rows.lost = rows.lost.max(lost);
    };
    lost("names", missing.names);
    lost("timer_events", missing.events);
    let calls = tables.entry("calls".to_owned()).or_default();
    calls.kept = calls.kept.saturating_sub(missing.calls);
    calls.lost += missing.calls;
    Ok(Repair {
        problem: problem.into(),
        damaged: exchange(path, &rebuilt, now)?,
        tables,
        unreadable_pages: moved.unreadable_pages,
        clocks_with_gaps: missing.sessions,
    })
}

/// Puts the new file in the damaged one's place, and that one, with its log, beside it.
fn exchange(path: &Path, rebuilt: &Path, now: Timestamp) -> Result<PathBuf, RepairError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| RepairError::File { path, source }
    };
    let kept = dated(path, ".damaged", now);
    // The place is never empty: were Moonlock killed here, it would begin with an empty history.
    if std::fs::hard_link(path, &kept).is_err() {
        std::fs::copy(path, &kept).map_err(at(&kept))?;
    }
    // The log belongs to the damaged file: SQLite would apply it to the new one.
    let log = beside(path, "-wal");
    if log.exists() {
        std::fs::rename(&log, beside(&kept, "-wal")).map_err(at(&log))?;
    }
    std::fs::rename(rebuilt, path).map_err(at(path))?;
    let index = beside(path, "-shm");
    if index.exists() {
        std::fs::remove_file(&index).map_err(at(&index))?;
    }
    sync_directory(path);
    Ok(kept)
}

/// Makes the names in a file's directory survive a power cut, where the platform has a way.
pub(super) fn sync_directory(path: &Path) {
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    if let Ok(directory) = File::open(parent.unwrap_or_else(|| Path::new("."))) {
        directory.sync_all().ok();
    }
}
