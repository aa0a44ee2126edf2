//! The table `counted_once`: which call counts what can be fetched more than once.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::calls;
use super::error::ReadError;
use super::names::Lookup;
use crate::domain::ids::CallId;
use crate::domain::live::Counting;
use crate::domain::record::{Counted, Standing};
use crate::domain::usage::once::OnceKey;

/// Writes down who counts the usage behind a key, in place of who did.
pub(super) fn put(connection: &Connection, counted: &Counted) -> rusqlite::Result<()> {
    const UPSERT: &str = "INSERT INTO counted_once (key, call, settled) VALUES (?1, ?2, ?3) \
        ON CONFLICT (key) DO UPDATE SET call = excluded.call, settled = excluded.settled";
    connection.prepare_cached(UPSERT)?.execute(params![
        counted.key.as_bytes(),
        counted.call,
        counted.standing == Standing::Settled,
    ])?;
    Ok(())
}

/// Who counts the usage behind a key; `None` if nobody does, or nobody whose row was ever written.
pub(super) fn find(
    connection: &Connection,
    lookup: &mut Lookup,
    key: &OnceKey,
) -> Result<Option<Counting>, ReadError> {
    const SELECT: &str = "SELECT call, settled FROM counted_once WHERE key = ?1";
    let found: Option<(CallId, bool)> = connection
        .prepare_cached(SELECT)?
        .query_row([key.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((id, is_settled)) = found else {
        return Ok(None);
    };
    let call = calls::call(connection, lookup, id)?.filter(|call| call.end.is_some());
    if call.is_none() && !calls::may_have_gone(connection, id)? {
        return Ok(None);
    }
    let standing = if is_settled {
        Standing::Settled
    } else {
        Standing::Open
    };
    Ok(Some(Counting {
        id,
        call: call.map(Arc::new),
        standing,
    }))
}
