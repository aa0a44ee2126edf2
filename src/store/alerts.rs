//! The table `alerts`: one row an episode.

use rusqlite::{Connection, Row, params};

use super::error::ReadError;
use crate::domain::wire::AlertView;

/// Stores an episode as it stands now.
pub(super) fn put(connection: &Connection, alert: &AlertView) -> rusqlite::Result<()> {
    const UPSERT: &str = "INSERT INTO alerts (id, rule, message, raised_at, cleared_at) VALUES (?1, ?2, ?3, ?4, ?5) \
        ON CONFLICT DO UPDATE SET rule = excluded.rule, message = excluded.message, \
            raised_at = excluded.raised_at, cleared_at = excluded.cleared_at";
    connection.prepare_cached(UPSERT)?.execute(params![
        alert.id,
        alert.rule,
        alert.message,
        alert.raised_at,
        alert.cleared_at
    ])?;
    Ok(())
}

/// The newest episodes, newest first.
pub(super) fn newest(connection: &Connection, limit: usize) -> Result<Vec<AlertView>, ReadError> {
    const SELECT: &str =
        "SELECT id, rule, message, raised_at, cleared_at FROM alerts ORDER BY id DESC LIMIT ?1";
    let mut statement = connection.prepare_cached(SELECT)?;
    let alerts = statement
        .query_map([i64::try_from(limit).unwrap_or(i64::MAX)], alert)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(alerts)
}

fn alert(row: &Row<'_>) -> rusqlite::Result<AlertView> {
    Ok(AlertView {
        id: row.get(0)?,
        rule: row.get(1)?,
        message: row.get(2)?,
        raised_at: row.get(3)?,
        cleared_at: row.get(4)?,
    })
}
