//! How long what is kept: backups, and single calls.

use std::num::NonZero;
use std::path::{Path, PathBuf};

use super::{ConfigError, DatabasePlace, wrong};
use crate::config::raw;

/// The backups of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSettings {
    /// Whether the program makes one every day.
    pub daily: bool,
    /// How many days those are kept.
    pub keep_days: u32,
    /// Where they are.
    pub directory: PathBuf,
}

pub(super) fn backup(file: &raw::Backup, database: &DatabasePlace) -> Result<BackupSettings, ConfigError> {
    let keep_days = file.keep_days.unwrap_or(7);
    if !(1..=3_650).contains(&keep_days) {
        let problem = "a backup is kept for 1 to 3650 days";
        return Err(wrong("backup.keep_days", &keep_days.to_string(), problem));
    }
    let directory = file
        .directory
        .as_deref()
        .filter(|directory| !directory.is_empty());
    Ok(BackupSettings {
        daily: file.daily.unwrap_or(true),
        keep_days,
        directory: directory.map_or_else(|| beside(database.path()), PathBuf::from),
    })
}

/// The longest that calls are kept, if not for ever: ten years.
const MAX_KEEP_CALLS_DAYS: u32 = 3_650;

pub(super) fn keep_calls_days(store: &raw::Store) -> Result<Option<NonZero<u32>>, ConfigError> {
    let days = store.keep_calls_days.unwrap_or(0);
    if days > MAX_KEEP_CALLS_DAYS {
        let problem = format!("calls are kept for 1 to {MAX_KEEP_CALLS_DAYS} days, or for ever, which is 0");
        return Err(wrong("store.keep_calls_days", &days.to_string(), problem));
    }
    Ok(NonZero::new(days))
}

/// Where the backups of a database are, if nobody says otherwise.
pub(super) fn beside(database: &Path) -> PathBuf {
    database.with_file_name("backups")
}
