//! Writes the database anew where its file was deleted, moved or replaced while it is in use.
//!
//! On Unix an open file outlives its name: SQLite would go on writing to one that is gone as soon as the program ends, and
//! with it all that was counted.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use jiff::Timestamp;
use rusqlite::Connection;

use super::backup::{BackupError, copy};
use super::connection;
use super::repair::{beside, dated, sync_directory};

/// Which file a name led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(Option<(u64, u64)>);

impl Place {
    /// The file that the name leads to now.
    pub(super) fn of(path: &Path) -> Self {
        Self(std::fs::metadata(path).ok().as_ref().and_then(identity))
    }

    /// Whether the name still leads to that file. Where it cannot be asked, it is taken to.
    pub(super) fn is_still(self, path: &Path) -> bool {
        match std::fs::metadata(path) {
            Ok(found) => self.0 == identity(&found),
            Err(error) => {
                let is_gone = matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
                self.0.is_none() || !is_gone
            }
        }
    }
}

#[cfg(unix)]
fn identity(file: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((file.dev(), file.ino()))
}

/// Elsewhere a file that is open can be neither deleted nor replaced.
#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<(u64, u64)> {
    None
}

/// A copy of the database that has no name yet that anybody knows.
pub(super) struct Copy(tempfile::TempPath);

/// Copies what a connection has open to a new file beside its name, readable by its owner only.
pub(super) fn save(open: &Connection, path: &Path) -> Result<Copy, BackupError> {
    let directory = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    connection::make_private(directory)?;
    let file = |source| BackupError::File {
        path: path.to_owned(),
        source,
    };
    let unfinished = tempfile::Builder::new()
        .prefix(".moonlock-rescued-")
        .tempfile_in(directory)
        .map_err(file)?;
    let copied = copy(open, unfinished.path(), &AtomicBool::new(false));
    if copied.is_err() {
        // What was begun to be read.
        open.execute_batch("ROLLBACK").ok();
    }
    copied?.close().map_err(|(_, error)| error)?;
    unfinished.as_file().sync_all().map_err(file)?;
    Ok(Copy(unfinished.into_temp_path()))
}

impl Copy {
    /// Puts it in its place. What was put there by somebody else is kept beside it, and its new name returned. No
    /// connection may be open.
    pub(super) fn put(self, path: &Path, now: Timestamp) -> Result<Option<PathBuf>, BackupError> {
        let file = |source| BackupError::File {
            path: path.to_owned(),
            source,
        };
        let found = path.exists().then(|| dated(path, ".found", now));
        if let Some(found) = &found {
            std::fs::rename(path, found).map_err(file)?;
        }
        // A log that is left belongs to the file that was found, or to the one that is copied: never to the copy.
        for end in ["-wal", "-shm"] {
            let left = beside(path, end);
            match &found {
                Some(found) => std::fs::rename(&left, beside(found, end)).ok(),
                None => std::fs::remove_file(&left).ok(),
            };
        }
        self.0
            .persist_noclobber(path)
            .map_err(|error| file(error.error))?;
        sync_directory(path);
        Ok(found)
    }
}

/// What the user is told.
pub(super) fn news(path: &Path, found: Option<&Path>) -> String {
    match found {
        None => format!(
            "The database {} was deleted or moved while Moonlock uses it, and was written anew with all that it held. To \
             begin with an empty one, stop Moonlock before you delete it.",
            path.display()
        ),
        Some(found) => format!(
            "The database {} was replaced while Moonlock uses it, and was written anew with all that it held. What was put \
             in its place is kept as {}: to use that, stop Moonlock and run `moonlock restore` with it.",
            path.display(),
            found.display()
        ),
    }
}
