//! What is said of the history as a file.

use serde::Serialize;

/// What `/api/storage` answers. Calls are kept until the user deletes them, or for as long as the user says; their sums are
/// kept either way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct StorageView {
    /// The database.
    pub path: String,
    /// How large it is, with what waits in its log.
    pub bytes: u64,
    /// How many calls are in the sums.
    pub calls: u64,
    /// When the oldest call began; UTC epoch milliseconds. `null` where there is none.
    pub oldest_call_at: Option<i64>,
    /// How many days single calls are kept; `null`: for ever.
    pub keep_calls_days: Option<u32>,
    /// Calls that began before this moment are no longer kept, but for those of sessions that last; UTC epoch milliseconds.
    /// `null` where all are. Their sums are.
    pub calls_since: Option<i64>,
    /// How much room is free inside the database: it does not shrink, what comes next is written there.
    pub free_bytes: u64,
    /// Whether a copy is made every day.
    pub daily_backups: bool,
    /// How many days a daily copy is kept.
    pub keep_days: u32,
    /// Where the copies are.
    pub directory: String,
    /// The newest of them, daily or not; `null` where there is none.
    pub last_backup: Option<BackupView>,
}

/// One copy of the history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct BackupView {
    /// When it was made; UTC epoch milliseconds.
    pub at: i64,
    /// The file's name.
    pub file: String,
    /// Its length.
    pub bytes: u64,
}
