//! Calls that are older than the user keeps them: their rows go, their sums stay.
//!
//! The mark is the moment before which rows may be gone, on a quarter of an hour. It only ever moves forward, in the
//! transaction of the first rows that go for it. From then on:
//!
//! - What the quarters before it hold is never summed from calls again (see [`super::sums`]), whether their rows are still
//!   there or not. So it makes no difference at which piece a deletion was cut off.
//! - A call before it that is still there can be moved, corrected or deleted as any other, and the sums follow.
//! - What is said of a call before it that is not there was said of one that has gone, and is dropped: its old numbers are
//!   in the sums, and nobody knows any more which they were.
//!
//! Rows stay that belong to a session which lasts, or ended behind the mark. Of what may be fetched again it stays noted
//! who counts it, some sixty bytes for each, so that it is never counted twice; and what a session used while it was
//! paused, which is rare.

use rusqlite::{Connection, OptionalExtension, params};

use super::filters::id_at;
use crate::domain::call::Call;
use crate::domain::ids::{CallId, SessionId};
use crate::domain::units::Timestamp;
use crate::store::courses;
use crate::store::error::ReadError;
use crate::store::names::Lookup;
use crate::store::rollups::quarter;

/// The setting that holds the mark, in UTC epoch milliseconds.
const KEY: &str = "calls_since";

/// What may go of the calls from one id to another that began before a moment.
macro_rules! forgettable {
    ($what:literal, $rest:literal) => {
        concat!(
            $what,
            " FROM calls WHERE id >= ?1 AND id < ?2 AND started_at < ?3 AND (session IS NULL OR EXISTS ( \
                SELECT 1 FROM sessions WHERE key = calls.session AND emptying IS NULL AND (name IS NULL \
                    OR status = 'completed' AND coalesce((SELECT wall_ms FROM timer_events \
                        WHERE timer_events.session = key ORDER BY seq DESC LIMIT 1), 0) < ?3)))",
            $rest
        )
    };
}

/// Some calls that may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgettable {
    /// The oldest of them.
    pub first: CallId,
    /// The youngest.
    pub last: CallId,
    /// How many they are.
    pub calls: u64,
    /// The sessions that they belong to.
    pub sessions: Vec<SessionId>,
}

/// The mark; `None` while no call has gone.
pub(in crate::store) fn since(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    const SELECT: &str = "SELECT value FROM settings WHERE key = ?1";
    let value: Option<String> = connection
        .prepare_cached(SELECT)?
        .query_row([KEY], |row| row.get(0))
        .optional()?;
    Ok(value.and_then(|value| value.parse().ok()).map(Timestamp))
}

/// Moves the mark forward.
fn set_since(connection: &Connection, mark: Timestamp) -> rusqlite::Result<()> {
    const UPSERT: &str = "INSERT INTO settings (key, value) VALUES (?1, ?2) \
        ON CONFLICT DO UPDATE SET value = excluded.value";
    let mark = quarter(mark);
    if since(connection)?.is_none_or(|since| since.0 < mark) {
        connection
            .prepare_cached(UPSERT)?
            .execute(params![KEY, mark.to_string()])?;
    }
    Ok(())
}

/// The oldest calls behind one that may go, up to so many.
pub(in crate::store) fn forgettable(
    connection: &Connection,
    before: Timestamp,
    after: Option<CallId>,
    limit: usize,
) -> rusqlite::Result<Option<Forgettable>> {
    const SELECT: &str = concat!(
        "SELECT min(id), max(id), count(*) FROM (",
        forgettable!("SELECT id", " AND id <> ?1 ORDER BY id LIMIT ?4"),
        ")"
    );
    let before = quarter(before);
    let after = after.map_or([0; 16], |after| *after.as_bytes());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found: (Option<CallId>, Option<CallId>, i64) = connection
        .prepare_cached(SELECT)?
        .query_row(params![after, id_at(before), before, limit], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    let (Some(first), Some(last), calls) = found else {
        return Ok(None);
    };
    Ok(Some(Forgettable {
        first,
        last,
        calls: calls.unsigned_abs(),
        sessions: sessions(connection, before, first, last)?,
    }))
}

/// The sessions of the calls from one to another that may go.
fn sessions(
    connection: &Connection,
    before: i64,
    first: CallId,
    last: CallId,
) -> rusqlite::Result<Vec<SessionId>> {
    const SELECT: &str = concat!(
        "SELECT id FROM sessions WHERE key IN (",
        forgettable!("SELECT session", ""),
        ")"
    );
    let mut statement = connection.prepare_cached(SELECT)?;
    let end = next(last).min(id_at(before));
    let ids = statement.query_map(params![first, end, before], |row| row.get(0))?;
    ids.collect()
}

/// Deletes the rows from one id to another that may go, without a change of any sum. What they made of their sessions is
/// kept.
pub(in crate::store) fn forget(
    connection: &Connection,
    lookup: &mut Lookup,
    before: Timestamp,
    first: CallId,
    last: CallId,
) -> Result<(), ReadError> {
    const DELETE: &str = forgettable!("DELETE", "");
    set_since(connection, before)?;
    let before = quarter(before);
    for session in sessions(connection, before, first, last)? {
        match courses::keep(connection, lookup, session) {
            Ok(()) => {}
            Err(ReadError::Sqlite(error)) => return Err(error.into()),
            // Its course could not be read either.
            Err(error) => tracing::warn!(%error, session.id = %session, "a session's course is not kept"),
        }
    }
    let end = next(last).min(id_at(before));
    connection
        .prepare_cached(DELETE)?
        .execute(params![first, end, before])?;
    Ok(())
}

/// The id behind one.
fn next(id: CallId) -> [u8; 16] {
    u128::from_be_bytes(*id.as_bytes())
        .saturating_add(1)
        .to_be_bytes()
}

/// Whether a call of that id may have gone: it began before the mark, and is not there.
pub(in crate::store) fn may_have_gone(connection: &Connection, id: CallId) -> rusqlite::Result<bool> {
    let since = since(connection)?.map(|since| id_at(since.0));
    Ok(since.is_some_and(|since| *id.as_bytes() < since) && !is_there(connection, id)?)
}

/// Whether what is said of a call is said of one that has gone.
pub(in crate::store) fn has_gone(connection: &Connection, call: &Call) -> rusqlite::Result<bool> {
    // A call that ends for the first time is never one, however the clock was set.
    if call.changed_at.is_none() {
        return Ok(false);
    }
    let since = since(connection)?;
    Ok(since.is_some_and(|since| call.start.started_at < since) && !is_there(connection, call.start.id)?)
}

fn is_there(connection: &Connection, id: CallId) -> rusqlite::Result<bool> {
    const EXISTS: &str = "SELECT EXISTS (SELECT 1 FROM calls WHERE id = ?1) \
        OR EXISTS (SELECT 1 FROM running_calls WHERE id = ?1)";
    connection
        .prepare_cached(EXISTS)?
        .query_row([id], |row| row.get(0))
}
