//! The table `answers`: what requests with an `Idempotency-Key` were answered.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::ReadError;
use crate::domain::answer::Answer;
use crate::domain::units::Timestamp;

/// Keeps an answer, and forgets those that are too old.
pub(super) fn put(connection: &Connection, answer: &Answer) -> rusqlite::Result<()> {
    const UPSERT: &str = "INSERT INTO answers (key, fingerprint, status, headers, body, at) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
        ON CONFLICT DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status, \
            headers = excluded.headers, body = excluded.body, at = excluded.at";
    const FORGET: &str = "DELETE FROM answers WHERE at < ?1";
    connection.prepare_cached(UPSERT)?.execute(params![
        answer.key,
        answer.fingerprint,
        answer.status,
        serde_json::to_string(&answer.headers).unwrap_or_default(),
        answer.body,
        answer.at,
    ])?;
    connection
        .prepare_cached(FORGET)?
        .execute([Answer::oldest(answer.at)])
        .map(drop)
}

/// What was answered under a key, unless that is too long ago.
pub(super) fn find(connection: &Connection, key: &str, now: Timestamp) -> Result<Option<Answer>, ReadError> {
    const SELECT: &str =
        "SELECT fingerprint, status, headers, body, at FROM answers WHERE key = ?1 AND at >= ?2";
    let found = connection
        .prepare_cached(SELECT)?
        .query_row(params![key, Answer::oldest(now)], |row| {
            let headers: String = row.get(2)?;
            Ok((row.get(0)?, row.get(1)?, headers, row.get(3)?, row.get(4)?))
        })
        .optional()?;
    found
        .map(|(fingerprint, status, headers, body, at)| {
            Ok(Answer {
                key: key.into(),
                fingerprint,
                status,
                headers: serde_json::from_str(&headers)
                    .map_err(|_| ReadError::bad_row("answers", "headers", &*headers))?,
                body,
                at,
            })
        })
        .transpose()
}
