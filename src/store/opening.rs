//! Opens the database in a state that can be worked with, whatever the last run left.

use std::path::Path;

use jiff::Timestamp;

use super::batch::Database;
use super::check;
use super::connection;
use super::error::StoreError;
use super::health::Health;
use super::recover::{self, Recovered};
use super::repair;
use super::writer::Home;

/// How the last run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// In order: it left no write-ahead log.
    Orderly {
        /// The file is looked through in no time.
        is_small: bool,
    },
    /// Killed, or by a power cut.
    Sudden {
        /// The file is looked through in no time.
        is_small: bool,
    },
}

impl End {
    /// `small` is the most bytes of a file that is looked through in no time.
    pub(super) fn of_last_run(path: &Path, small: u64) -> Self {
        let length = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        let log = length(&repair::beside(path, "-wal"));
        let is_small = length(path).saturating_add(log) <= small;
        if log == 0 {
            Self::Orderly { is_small }
        } else {
            Self::Sudden { is_small }
        }
    }

    const fn is_checked_at_once(self) -> bool {
        let (Self::Orderly { is_small } | Self::Sudden { is_small }) = self;
        is_small
    }

    /// Says what a damaged write-ahead log has lost, and keeps a copy: SQLite writes over what it cannot use.
    pub(super) fn keep_damaged_log(self, path: &Path) -> Option<String> {
        if matches!(self, Self::Orderly { .. }) {
            return None;
        }
        let lost = repair::lost_of_log(path)?;
        let kept = repair::dated(path, "-wal.damaged", Timestamp::now());
        Some(match std::fs::copy(repair::beside(path, "-wal"), &kept) {
            Ok(_) => format!("{lost} The log is kept as {}.", kept.display()),
            Err(_) => lost,
        })
    }
}

impl Home {
    /// Opens the database, ends the calls that were left running, and rebuilds it first if it is damaged.
    pub(super) fn open_sound(&self, end: End, health: &Health) -> Result<(Database, Recovered), StoreError> {
        let error = match self.open(end.is_checked_at_once()) {
            Ok(opened) => return Ok(opened),
            Err(error) => error,
        };
        let Some(problem) = error.damage() else {
            return Err(error);
        };
        tracing::error!(problem, "the database is damaged and is being rebuilt");
        let repair = self.repair(&problem)?;
        let opened = self.open(false)?;
        health.repaired(repair);
        Ok(opened)
    }

    fn open(&self, is_checked: bool) -> Result<(Database, Recovered), StoreError> {
        let connection = connection::open_writer(&self.path, self.durability, self.busy_timeout)?;
        let problem = if is_checked {
            check::problem(&connection)
        } else {
            Ok(None)
        };
        let problem = problem.map_err(|source| connection::failure(&self.path, source))?;
        if let Some(problem) = problem {
            return Err(StoreError::Damaged {
                path: self.path.clone(),
                problem,
            });
        }
        let mut database = Database::new(connection);
        let recovered = recover::recover(&mut database).map_err(|source| StoreError::Read {
            path: self.path.clone(),
            source,
        })?;
        Ok((database, recovered))
    }
}
