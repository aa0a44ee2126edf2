//! Copies of the database, made while it is in use.
//!
//! SQLite's backup interface copies pages, so it costs what reading the file costs. It begins anew whenever somebody
//! writes between two of its steps (<https://sqlite.org/backup.html>), unless the copying connection stays in one read
//! transaction: then every step sees the same state, nobody waits, and what is written meanwhile stands in the
//! write-ahead log. `VACUUM INTO` would make a smaller file, but writes every row anew, at several times the cost.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::{Timestamp, ToSpan};
use rusqlite::backup::{Backup as Copying, StepResult};
use rusqlite::{Connection, ErrorCode};

use super::connection;
use super::error::{StoreError, is_damage};
use super::repair::sync_directory;
use super::{check, migrations};

/// Room that a backup leaves on its disk: the database must be able to go on.
const LEFT_FREE: u64 = 64 << 20;

/// How a backup's name begins and ends; between stands when it was made, in UTC.
const NAME: (&str, &str) = ("moonlock-", ".db");
pub(super) const STAMP: &str = "%Y-%m-%dT%H%M%S";

/// A backup that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// The file.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// How many calls that have ended it holds.
    pub calls: u64,
    /// How many sessions it holds.
    pub sessions: u64,
}

/// No backup was made. The database was not touched.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database cannot be read.
    #[error(transparent)]
    Source(#[from] StoreError),
    /// There is a file of that name already.
    #[error("{} exists already: choose another name, or remove it first", .0.display())]
    Exists(PathBuf),
    /// The disk is short of room.
    #[error("the disk of {} has {free} bytes free, a backup needs {needed}: make room, or choose another directory", .directory.display())]
    NoRoom {
        /// Where it was to be made.
        directory: PathBuf,
        /// What is free there.
        free: u64,
        /// What it takes, with some room to spare.
        needed: u64,
    },
    /// The file could not be made.
    #[error("the backup {} could not be written ({source}): check the directory and its disk, or choose another", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database is damaged.
    #[error("the copy is damaged ({problem}), so the database is: restart Moonlock, which rebuilds it")]
    Damaged {
        /// What is wrong.
        problem: String,
    },
    /// SQLite failed.
    #[error("the backup could not be made ({0}): check the disk")]
    Sqlite(#[from] rusqlite::Error),
    /// The program is being stopped.
    #[error("the program stops before the backup is done")]
    Stopped,
}

/// The name of a backup that is made now.
#[must_use]
pub fn file_name(now: Timestamp) -> String {
    format!("{}{}{}", NAME.0, now.strftime(STAMP), NAME.1)
}

/// When a backup of that name was made; `None` if the name is none of ours.
fn made_at(name: &str) -> Option<Timestamp> {
    let stamp = name.strip_prefix(NAME.0)?.strip_suffix(NAME.1)?;
    let time = DateTime::strptime(STAMP, stamp).ok()?;
    let at = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    (file_name(at) == name).then_some(at)
}

/// Copies the database at `source`, which may be in use, to a file that does not exist yet.
///
/// The file appears under its name when it is whole, looked through and safe from a power cut. `stopping` ends it
/// early.
///
/// # Errors
/// Nothing is left behind.
pub fn backup(source: &Path, target: &Path, stopping: &Arc<AtomicBool>) -> Result<Backup, BackupError> {
    make(source, target, stopping).map_err(|error| match &error {
        BackupError::Source(StoreError::Sqlite { source, .. }) | BackupError::Sqlite(source) => {
            match source.sqlite_error_code() {
                Some(ErrorCode::OperationInterrupted) => BackupError::Stopped,
                _ if is_damage(source) => BackupError::Damaged {
                    problem: source.to_string(),
                },
                _ => error,
            }
        }
        _ => error,
    })
}

fn make(source: &Path, target: &Path, stopping: &Arc<AtomicBool>) -> Result<Backup, BackupError> {
    if target.exists() {
        return Err(BackupError::Exists(target.to_owned()));
    }
    let file = |source| BackupError::File {
        path: target.to_owned(),
        source,
    };
    let directory = match target.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let from = open_source(source)?;
    has_room(directory, source)?;
    // Readable by its owner only, and removed if it does not get its name.
    let unfinished = tempfile::Builder::new()
        .prefix(".moonlock-backup-")
        .tempfile_in(directory)
        .map_err(file)?;
    let copy = copy(&from, unfinished.path(), stopping)?;
    connection::stop_with(&copy, stopping)?;
    if let Some(problem) = check::problem(&copy)? {
        return Err(BackupError::Damaged { problem });
    }
    let count = |sql| {
        copy.query_row(sql, [], |row| row.get::<_, i64>(0))
            .map(i64::unsigned_abs)
    };
    let calls = count("SELECT count(*) FROM calls")?;
    let sessions = count("SELECT count(*) FROM sessions WHERE name IS NOT NULL")?;
    copy.close().map_err(|(_, error)| error)?;
    let written = File::open(unfinished.path()).map_err(file)?;
    written.sync_all().map_err(file)?;
    let bytes = written.metadata().map_err(file)?.len();
    unfinished
        .persist_noclobber(target)
        .map_err(|error| match error.error.kind() {
            std::io::ErrorKind::AlreadyExists => BackupError::Exists(target.to_owned()),
            _ => file(error.error),
        })?;
    sync_directory(target);
    Ok(Backup {
        path: target.to_owned(),
        bytes,
        calls,
        sessions,
    })
}

fn open_source(path: &Path) -> Result<Connection, StoreError> {
    let missing = || StoreError::Missing {
        path: path.to_owned(),
    };
    if !path.exists() {
        return Err(missing());
    }
    let connection = connection::open_reader(path).map_err(|source| connection::failure(path, source))?;
    match connection::ours(path, &connection)? {
        migrations::Owner::Ours => Ok(connection),
        _ => Err(missing()),
    }
}

/// Copies all pages as they are now.
pub(super) fn copy(from: &Connection, to: &Path, stopping: &AtomicBool) -> Result<Connection, BackupError> {
    /// A megabyte: between two steps it looks whether it should stop.
    const PAGES: i32 = 256;
    const BUSY: Duration = Duration::from_millis(20);
    // Pins the state that is copied.
    from.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")?;
    let mut copy = connection::open_copy(to)?;
    {
        let copying = Copying::new(from, &mut copy)?;
        loop {
            if stopping.load(Ordering::Acquire) {
                return Err(BackupError::Stopped);
            }
            match copying.step(PAGES)? {
                StepResult::Done => break,
                StepResult::Busy | StepResult::Locked => std::thread::park_timeout(BUSY),
                _ => {}
            }
        }
    }
    from.execute_batch("COMMIT")?;
    // One file by itself, without a log beside it.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    Ok(copy)
}

/// Asks whether a copy fits.
fn has_room(directory: &Path, source: &Path) -> Result<(), BackupError> {
    let length = std::fs::metadata(source).map_or(0, |file| file.len());
    let needed = length.saturating_add(LEFT_FREE);
    match free_bytes(directory) {
        Some(free) if free < needed => Err(BackupError::NoRoom {
            directory: directory.to_owned(),
            free,
            needed,
        }),
        _ => Ok(()),
    }
}

/// What is free for this user; `None` where the platform does not say.
#[cfg(unix)]
fn free_bytes(directory: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(directory).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_: &Path) -> Option<u64> {
    None
}

/// The daily backups.
#[derive(Clone, Debug)]
pub struct Daily {
    /// The database.
    pub database: PathBuf,
    /// Where the backups are. It is made if it is missing.
    pub directory: PathBuf,
    /// How many days one is kept.
    pub keep_days: u32,
}

impl Daily {
    /// Makes a backup if the newest is a day old, and then removes those that are too old; `None` if it is not time, or
    /// there is nothing to keep.
    ///
    /// # Errors
    /// No backup was made, and none removed.
    pub fn look(&self, now: Timestamp, stopping: &Arc<AtomicBool>) -> Result<Option<Backup>, BackupError> {
        if newest_backup(&self.directory)
            .is_some_and(|(at, _)| at <= now && now.duration_since(at) < jiff::SignedDuration::from_hours(24))
        {
            return Ok(None);
        }
        if !self.database.exists() {
            return Ok(None);
        }
        connection::make_private(&self.directory)?;
        let made = backup(&self.database, &self.directory.join(file_name(now)), stopping)?;
        self.prune(now, &made.path);
        Ok(Some(made))
    }

    /// Removes backups that are too old; never the one that was just made, nor what has another name.
    fn prune(&self, now: Timestamp, newest: &Path) {
        let Ok(oldest) = now.checked_sub((i64::from(self.keep_days) * 24).hours()) else {
            return;
        };
        for (at, path) in backups(&self.directory) {
            if at < oldest
                && path != newest
                && let Err(error) = std::fs::remove_file(&path)
            {
                tracing::warn!(%error, path = %path.display(), "an old backup could not be removed");
            }
        }
    }
}

/// The newest backup in a directory, daily or not, and when it was made.
#[must_use]
pub fn newest_backup(directory: &Path) -> Option<(Timestamp, PathBuf)> {
    backups(directory).pop()
}

/// Backups of ours, oldest first.
fn backups(directory: &Path) -> Vec<(Timestamp, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut backups: Vec<_> = entries
        .flatten()
        .filter_map(|entry| Some((made_at(entry.file_name().to_str()?)?, entry.path())))
        .collect();
    backups.sort_unstable();
    backups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_known_by_its_name() {
        let at: Timestamp = "2026-11-22T11:53:07.9Z".parse().unwrap();
        assert_eq!(file_name(at), "moonlock-2026-11-22T115307.db");
        assert_eq!(
            made_at("moonlock-2026-11-22T115307.db"),
            "2026-11-22T11:53:07Z".parse().ok()
        );
        for other in [
            "moonlock.db",
            "moonlock-.db",
            "moonlock-2026-11-22.db",
            "moonlock-2026-13-22T115307.db",
            "moonlock-2026-11-22T115307.db-journal",
            "moonlock-before-the-move.db",
            "moonlock-2026-11-22T115307 copy.db",
        ] {
            assert_eq!(made_at(other), None, "{other}");
        }
    }
}
