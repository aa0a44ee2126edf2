//! The tables `reports` and `paused_calls`: what is known of calls beside their rows.

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::calls;
use super::error::ReadError;
use super::names::{Dictionary, find_session};
use crate::domain::ids::{CallId, SessionId};
use crate::domain::report::{KEY_LIFE, Kept, ReportKey};
use crate::domain::units::{Timestamp, Tokens};

/// Remembers what was reported under a key, and forgets keys that are too old.
pub(super) fn put(connection: &Connection, dictionary: &mut Dictionary, kept: &Kept) -> rusqlite::Result<()> {
    const INSERT: &str = "INSERT INTO reports (session, key, fingerprint, calls, at) VALUES (?1, ?2, ?3, ?4, ?5) \
        ON CONFLICT DO UPDATE SET fingerprint = excluded.fingerprint, calls = excluded.calls, at = excluded.at";
    const FORGET: &str = "DELETE FROM reports WHERE at < ?1";
    let session = dictionary.session(connection, kept.session)?;
    let calls: Vec<u8> = kept.calls.iter().flat_map(CallId::as_bytes).copied().collect();
    connection.prepare_cached(INSERT)?.execute(params![
        session,
        kept.key.key,
        kept.key.fingerprint,
        calls,
        kept.at
    ])?;
    let oldest = kept.at.0.saturating_sub_unsigned(KEY_LIFE.0);
    connection.prepare_cached(FORGET)?.execute([oldest])?;
    Ok(())
}

/// What was reported under a key, unless that is too long ago.
pub(super) fn find(
    connection: &Connection,
    session: SessionId,
    key: &str,
    now: Timestamp,
) -> Result<Option<Kept>, ReadError> {
    const SELECT: &str =
        "SELECT fingerprint, calls, at FROM reports WHERE session = ?1 AND key = ?2 AND at >= ?3";
    let Some(row) = find_session(connection, session)? else {
        return Ok(None);
    };
    let oldest = now.0.saturating_sub_unsigned(KEY_LIFE.0);
    let found = connection
        .prepare_cached(SELECT)?
        .query_row(params![row, key, oldest], |row| {
            Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?, row.get(2)?))
        })
        .optional()?;
    Ok(found.map(|(fingerprint, calls, at)| {
        let (ids, _) = calls.as_chunks::<16>();
        Kept {
            session,
            key: ReportKey {
                key: key.into(),
                fingerprint,
            },
            calls: ids
                .iter()
                .map(|id| CallId::from_uuid(Uuid::from_bytes(*id)))
                .collect(),
            at,
        }
    }))
}

/// Notes that a call began while its session was paused, and what it used.
pub(super) fn put_paused(
    connection: &Connection,
    dictionary: &mut Dictionary,
    call: CallId,
    session: SessionId,
    tokens: Tokens,
) -> rusqlite::Result<()> {
    const UPSERT: &str = "INSERT INTO paused_calls (call, session, tokens) VALUES (?1, ?2, ?3) \
        ON CONFLICT DO UPDATE SET session = excluded.session, tokens = excluded.tokens";
    let session = dictionary.session(connection, session)?;
    connection
        .prepare_cached(UPSERT)?
        .execute(params![call, session, tokens])?;
    Ok(())
}

/// Forgets that a call began while its session was paused.
pub(super) fn remove_paused(connection: &Connection, call: CallId) -> rusqlite::Result<()> {
    const DELETE: &str = "DELETE FROM paused_calls WHERE call = ?1";
    connection.prepare_cached(DELETE)?.execute([call]).map(drop)
}

/// What a call used that began while its session was paused; `None` if it did not.
pub(super) fn paused(connection: &Connection, call: CallId) -> rusqlite::Result<Option<Tokens>> {
    const SELECT: &str = "SELECT tokens FROM paused_calls WHERE call = ?1";
    connection
        .prepare_cached(SELECT)?
        .query_row([call], |row| row.get(0))
        .optional()
}

/// Forgets what is noted of calls that are lost, or cannot be, after a repair. Those that are no longer kept are not lost.
pub(super) fn forget_lost(connection: &Connection) -> rusqlite::Result<()> {
    const PAUSED: &str = "DELETE FROM paused_calls \
        WHERE call NOT IN (SELECT id FROM calls) AND call >= ?1 OR tokens < 0";
    let since = calls::since(connection)?.map_or([0; 16], |since| calls::id_at(since.0));
    connection.execute(PAUSED, [since]).map(drop)
}

/// The tokens of a session's calls that began while it was paused.
pub(super) fn paused_tokens(connection: &Connection, session: i64) -> rusqlite::Result<Tokens> {
    const SUM: &str = "SELECT coalesce(sum(tokens), 0) FROM paused_calls WHERE session = ?1";
    connection
        .prepare_cached(SUM)?
        .query_row([session], |row| row.get(0))
}
