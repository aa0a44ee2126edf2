//! Putting a backup in the database's place.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::backup::{Backup, BackupError, STAMP, backup};
use super::{Directory, StoreError, connection, prepare_directory};

/// Why a backup was not put in the database's place. The database is what it was.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Moonlock runs, or the place cannot be used.
    #[error(transparent)]
    Place(#[from] StoreError),
    /// It is the database itself.
    #[error("{} is the database itself: name a backup", .0.display())]
    Same(PathBuf),
    /// The backup cannot be used.
    #[error("{} cannot be restored: {source}", .path.display())]
    Backup {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<BackupError>,
    },
    /// A file could not be moved.
    #[error("{} could not be moved ({source}): check the directory", .path.display())]
    Move {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// The database that was made of the backup.
    pub backup: Backup,
    /// Where the database is that was there before, if there was one.
    pub aside: Option<PathBuf>,
}

/// Puts a copy of a backup in the database's place, once it is looked through; what was there is moved aside.
///
/// # Errors
/// Moonlock runs on the database, the backup is damaged or none of ours, or the disk is full.
pub fn restore(from: &Path, database: &Path, now: Timestamp) -> Result<Restored, RestoreError> {
    if let (Ok(one), Ok(other)) = (from.canonicalize(), database.canonicalize())
        && one == other
    {
        return Err(RestoreError::Same(from.to_owned()));
    }
    prepare_directory(database, Directory::Create)?;
    // Nobody can start on it meanwhile.
    let _lock = connection::lock(database)?;
    let stamp = now.strftime(STAMP).to_string();
    let whole = beside(database, &format!(".restoring-{stamp}"));
    let made = backup(from, &whole, &Arc::default()).map_err(|source| RestoreError::Backup {
        path: from.to_owned(),
        source: Box::new(source),
    })?;
    let aside = move_aside(database, &beside(database, &format!(".before-restore-{stamp}")));
    let placed = aside.and_then(|aside| {
        rename(&whole, database)?;
        Ok(aside)
    });
    if placed.is_err() {
        std::fs::remove_file(&whole).ok();
    }
    Ok(Restored {
        aside: placed?,
        backup: Backup {
            path: database.to_owned(),
            ..made
        },
    })
}

/// Moves a database away together with its log, which belongs to it; `None` if there is none.
fn move_aside(database: &Path, aside: &Path) -> Result<Option<PathBuf>, RestoreError> {
    if !database.exists() {
        return Ok(None);
    }
    let log = beside(database, "-wal");
    // The log first: without it, the database is whole as it was before what the log holds.
    if log.exists() {
        rename(&log, &beside(aside, "-wal"))?;
    }
    if let Err(error) = rename(database, aside) {
        rename(&beside(aside, "-wal"), &log).ok();
        return Err(error);
    }
    // Made anew at the next opening.
    std::fs::remove_file(beside(database, "-shm")).ok();
    Ok(Some(aside.to_owned()))
}

fn rename(from: &Path, to: &Path) -> Result<(), RestoreError> {
    std::fs::rename(from, to).map_err(|source| RestoreError::Move {
        path: from.to_owned(),
        source,
    })
}

/// A file's name with something behind it.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
