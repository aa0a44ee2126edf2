//! The table `conversations`: the clients' own threads that are bound to a session.

use rusqlite::{Connection, params};

use super::error::ReadError;
use super::names::Dictionary;
use crate::domain::ids::SessionId;
use crate::domain::units::Timestamp;

/// A conversation, and its session.
type Binding = (Box<str>, SessionId);

/// Binds a conversation to a session, or to none.
pub(super) fn put(
    connection: &Connection,
    dictionary: &mut Dictionary,
    conversation: &str,
    session: Option<SessionId>,
    at: Timestamp,
) -> rusqlite::Result<()> {
    const UPSERT: &str = "INSERT INTO conversations (conversation, session, bound_at) VALUES (?1, ?2, ?3) \
        ON CONFLICT DO UPDATE SET session = excluded.session, bound_at = excluded.bound_at";
    const DELETE: &str = "DELETE FROM conversations WHERE conversation = ?1";
    match session {
        Some(session) => {
            let session = dictionary.session(connection, session)?;
            connection
                .prepare_cached(UPSERT)?
                .execute(params![conversation, session, at])?;
        }
        None => {
            connection.prepare_cached(DELETE)?.execute([conversation])?;
        }
    }
    Ok(())
}

/// Forgets the conversations of sessions that have ended: they take no calls any more.
pub(super) fn forget_ended(connection: &Connection) -> rusqlite::Result<()> {
    const DELETE: &str = "DELETE FROM conversations \
        WHERE session IN (SELECT key FROM sessions WHERE name IS NULL OR status = 'completed')";
    connection.execute(DELETE, []).map(drop)
}

/// All of them, the one that was bound first comes first; one that cannot be read is an error in its place.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<Result<Binding, ReadError>>> {
    const SELECT: &str = "SELECT conversation, sessions.id FROM conversations \
        JOIN sessions ON sessions.key = conversations.session ORDER BY bound_at, conversation";
    let mut statement = connection.prepare_cached(SELECT)?;
    let bound = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(bound.map(|bound| bound.map_err(ReadError::from)).collect())
}
