//! What can go wrong when the database is opened and when it is read.

use std::path::PathBuf;

use rusqlite::ErrorCode;

use super::repair::{self, RepairError};

/// The database cannot be used. The message names the path and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory that should hold it is not there.
    #[error(
        "the directory {} does not exist: create it, or choose another path with DB_PATH",
        .directory.display()
    )]
    DirectoryMissing {
        /// The directory.
        directory: PathBuf,
    },
    /// The file, its lock or its directory cannot be opened for writing.
    #[error("cannot open the database file {} for writing ({source}): check its permissions and those of its directory, or choose another path with DB_PATH", .path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file can be read but not written.
    #[error("the database {} is read-only: make it and its directory writable, or choose another path with DB_PATH", .path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// The file is not an SQLite database.
    #[error("{} is not an SQLite database: choose another path with DB_PATH; the file was not changed", .path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is another program's database.
    #[error("{} is a database of another program: choose another path with DB_PATH; the file was not changed", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a newer Moonlock.
    #[error("the database {} has schema version {found}, this program knows {known}: run the newer Moonlock that wrote it, or choose another path with DB_PATH", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: usize,
        /// The newest version that is known here.
        known: usize,
    },
    /// Another process has it.
    #[error("the database {} is in use by another Moonlock: stop that one, or choose another path with DB_PATH", .path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// There is no database to read yet.
    #[error("there is no database at {}: start Moonlock once, or choose its path with DB_PATH", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// SQLite failed.
    #[error("the database {} failed ({source}): check the disk, or restore a backup", .path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The schema cannot be brought to this program's version.
    #[error("the schema of the database {} could not be updated ({source}): restore a backup, or choose another path with DB_PATH", .path.display())]
    Migration {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite_migration::Error,
    },
    /// What the database holds cannot be understood.
    #[error("the database {} could not be read ({source}): restore a backup, or choose another path with DB_PATH", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ReadError,
    },
    /// A part of the file is damaged.
    #[error("the database {} is damaged ({problem}): restore a backup, or choose another path with DB_PATH", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// It is damaged, and could not be rebuilt.
    #[error("the database {} is damaged ({problem}) and could not be rebuilt ({source}); it was not changed: make room on its disk, restore a backup, or choose another path with DB_PATH", .path.display())]
    Repair {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
        /// Why it could not be rebuilt.
        source: Box<RepairError>,
    },
    /// The writer's thread could not be started.
    #[error("the database {} has no writer: no thread could be started ({source})", .path.display())]
    NoThread {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl StoreError {
    /// What is wrong with the file, if that is why it cannot be used, and it is ours.
    pub(super) fn damage(&self) -> Option<String> {
        let header = || "its header is damaged".to_owned();
        match self {
            Self::Damaged { problem, .. } => Some(problem.clone()),
            Self::NotADatabase { path } | Self::Foreign { path } => repair::was_ours(path).then(header),
            // A format or a text encoding that there is none of.
            Self::Sqlite { path, source } if source.sqlite_error_code() == Some(ErrorCode::Unknown) => {
                repair::was_ours(path).then(|| source.to_string())
            }
            Self::ReadOnly { path } => repair::calls_itself_read_only(path).then(header),
            Self::Sqlite { source, .. }
            | Self::Read {
                source: ReadError::Sqlite(source),
                ..
            }
            | Self::Migration {
                source: rusqlite_migration::Error::RusqliteError { err: source, .. },
                ..
            } => is_damage(source).then(|| source.to_string()),
            _ => None,
        }
    }
}

/// Whether SQLite says that the file is damaged.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

/// A query could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// SQLite failed, or a value does not have its column's kind.
    #[error("the database could not be read: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A row holds what Moonlock never writes.
    #[error("a row of {table} holds a {field} that cannot be used: {value}")]
    BadRow {
        /// The table.
        table: &'static str,
        /// What is wrong.
        field: &'static str,
        /// What stands there.
        value: Box<str>,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers")]
    NoRandomness,
}

impl ReadError {
    /// A row that holds what Moonlock never writes.
    pub(super) fn bad_row(table: &'static str, field: &'static str, value: impl std::fmt::Display) -> Self {
        Self::BadRow {
            table,
            field,
            value: value.to_string().into(),
        }
    }
}
