//! Makes a refilled database whole again: rows that point at lost ones, and the sums.

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::lost_names;
use crate::store::error::ReadError;
use crate::store::{calls, checkpoints, reports, sessions};

/// Stands where a session's name is lost.
const LOST: &str = "unknown (lost)";

/// What was found missing while the rows were made whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Missing {
    /// Calls that had to be given up.
    pub(super) calls: u64,
    /// Names that rows refer to.
    pub(super) names: u64,
    /// Events of sessions' clocks.
    pub(super) events: u64,
    /// The names of the sessions whose clocks lack them.
    pub(super) sessions: Vec<String>,
}

/// Gives what lost rows left behind a place, and makes the sums anew.
pub(super) fn tidy(connection: &Connection) -> Result<Missing, ReadError> {
    connection.execute("DELETE FROM running_calls WHERE id IN (SELECT id FROM calls)", [])?;
    let names = lost_names::replace(connection)?;
    missing_sessions(connection)?;
    // Before what cannot be read of a clock is taken away altogether.
    let mut missing = missing_events(connection)?;
    missing.names = names;
    missing.calls = calls::sum_anew(connection)?;
    calls::note_anew(connection)?;
    reports::forget_lost(connection)?;
    checkpoints::forget_unreadable(connection)?;
    sessions::mend_unreadable(connection)?;
    Ok(missing)
}

/// Events are numbered from 1 without a gap: what the numbers leave out is lost. What is lost behind the last one
/// leaves no trace.
fn missing_events(connection: &Connection) -> rusqlite::Result<Missing> {
    const GAPS: &str = "SELECT coalesce(sessions.name, ?1), max(seq) - count(*) FROM timer_events \
            JOIN sessions ON sessions.key = timer_events.session \
        GROUP BY session HAVING min(seq) >= 1 AND max(seq) > count(*) ORDER BY sessions.id";
    let mut missing = Missing::default();
    let mut statement = connection.prepare(GAPS)?;
    let mut rows = statement.query([LOST])?;
    while let Some(row) = rows.next()? {
        missing.sessions.push(row.get(0)?);
        let events: i64 = row.get(1)?;
        missing.events = missing.events.saturating_add(events.unsigned_abs());
    }
    Ok(missing)
}

/// A session that is lost, while others point at it, gets an empty row.
fn missing_sessions(connection: &Connection) -> rusqlite::Result<()> {
    const MISSING: &str = "SELECT session FROM (SELECT session FROM calls UNION SELECT session FROM running_calls \
            UNION SELECT session FROM timer_events UNION SELECT session FROM checkpoints \
            UNION SELECT session FROM paused_calls UNION SELECT session FROM reports \
            UNION SELECT session FROM conversations UNION SELECT session FROM forecasts \
            UNION SELECT session FROM courses) \
        WHERE session IS NOT NULL AND session NOT IN (SELECT key FROM sessions)";
    const INSERT: &str = "INSERT INTO sessions (key, id) VALUES (?1, ?2)";
    // A session that has a clock was more than a name that a call gave.
    const NAME: &str = "UPDATE sessions SET name = ?1, status = 'completed' \
        WHERE name IS NULL AND key IN (SELECT session FROM timer_events)";
    let missing: Vec<i64> = connection
        .prepare(MISSING)?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for key in missing {
        connection.execute(INSERT, params![key, Uuid::now_v7().as_bytes()])?;
    }
    connection.execute(NAME, [LOST])?;
    Ok(())
}
