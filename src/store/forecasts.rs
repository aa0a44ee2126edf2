//! The table `forecasts`: what was foretold of each session, and what came of it.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::ReadError;
use super::names::Dictionary;
use crate::domain::forecast::{Settled, Shown};
use crate::domain::record::Foretold;

/// Sessions of which it is kept what came of their forecasts; of older ones it is forgotten.
const KEPT: i64 = 1_000;

/// Stores what was foretold of a session in place of what was there.
pub(super) fn put(
    connection: &Connection,
    dictionary: &mut Dictionary,
    foretold: &Foretold,
) -> rusqlite::Result<()> {
    const UPSERT: &str = "INSERT INTO forecasts (session, shown, settled) VALUES (?1, ?2, ?3) \
        ON CONFLICT DO UPDATE SET shown = excluded.shown, settled = excluded.settled";
    const FORGET: &str = "DELETE FROM forecasts WHERE settled IS NOT NULL AND session <= \
        (SELECT session FROM forecasts ORDER BY session DESC LIMIT 1 OFFSET ?1)";
    let key = dictionary.session(connection, foretold.session)?;
    connection.prepare_cached(UPSERT)?.execute(params![
        key,
        serde_json::to_string(&foretold.shown).unwrap_or_default(),
        foretold
            .settled
            .map(|settled| serde_json::to_string(&settled).unwrap_or_default()),
    ])?;
    if foretold.settled.is_some() {
        connection.prepare_cached(FORGET)?.execute([KEPT])?;
    }
    Ok(())
}

/// What was foretold of a session that runs; nothing if there is nothing, or it cannot be read.
pub(super) fn shown(connection: &Connection, session: i64) -> rusqlite::Result<Shown> {
    const SELECT: &str = "SELECT shown FROM forecasts WHERE session = ?1 AND settled IS NULL";
    let text: Option<String> = connection
        .prepare_cached(SELECT)?
        .query_row([session], |row| row.get(0))
        .optional()?;
    Ok(text
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default())
}

/// What came of the newest sessions' forecasts, the newest last; one that cannot be read is an error in its place.
pub(super) fn settled(
    connection: &Connection,
    limit: usize,
) -> rusqlite::Result<Vec<Result<Settled, ReadError>>> {
    const SELECT: &str =
        "SELECT settled FROM forecasts WHERE settled IS NOT NULL ORDER BY session DESC LIMIT ?1";
    let mut statement = connection.prepare_cached(SELECT)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let texts: Vec<String> = statement
        .query_map([limit], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let read = |text: String| {
        serde_json::from_str(&text).map_err(|_| ReadError::bad_row("forecasts", "settled", text))
    };
    Ok(texts.into_iter().rev().map(read).collect())
}
