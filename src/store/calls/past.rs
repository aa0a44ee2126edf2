//! What forecasts and curves have to know of a session's calls.

use rusqlite::{Connection, Row, params};

use crate::domain::call::Outcome;
use crate::domain::forecast::CallUse;
use crate::domain::forecast::alarm::Thread;
use crate::domain::live::PastCall;
use crate::domain::session::efficiency::Spent;
use crate::domain::units::{Millis, NanoUsd, Timestamp};
use crate::domain::usage::parts::Parts;
use crate::store::error::ReadError;
use crate::store::names::Lookup;

macro_rules! select_used {
    ($more:literal, $rest:literal) => {
        concat!(
            "SELECT id, started_at, duration_ms, cost_nano_usd, input_tokens, cache_read_tokens, \
                cache_write_5m_tokens, cache_write_1h_tokens, audio_in_tokens, image_in_tokens, output_tokens, \
                reasoning_tokens, audio_out_tokens, image_out_tokens, unsplit_tokens",
            $more,
            " FROM calls WHERE session = ?1 AND counted_by IS NULL ",
            $rest
        )
    };
}

/// The newest calls of a session whose usage is known, newest first; one that cannot be read is an error in its place.
pub(in crate::store) fn past(
    connection: &Connection,
    lookup: &mut Lookup,
    session: i64,
    limit: usize,
) -> rusqlite::Result<Vec<Result<PastCall, ReadError>>> {
    // What was imported says nothing of the pace.
    const SELECT: &str = select_used!(
        ", conversation, agent",
        "AND source IS NOT NULL AND source IS NOT (SELECT id FROM names WHERE name = 'imported') \
         ORDER BY id DESC LIMIT ?2"
    );
    let mut statement = connection.prepare_cached(SELECT)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![session, limit])?;
    let mut calls = Vec::new();
    while let Some(row) = rows.next()? {
        calls.extend(past_call(connection, lookup, row).transpose());
    }
    Ok(calls)
}

/// When the last of a session's newest calls ended; `None` if it has none.
pub(in crate::store) fn last_written(
    connection: &Connection,
    session: i64,
) -> rusqlite::Result<Option<Timestamp>> {
    // By when they began: one that ended last began among the newest, or before so many others that these say enough.
    const SELECT: &str = "SELECT CAST(max(started_at + duration_ms) AS INTEGER) FROM \
        (SELECT started_at, duration_ms FROM calls WHERE session = ?1 ORDER BY id DESC LIMIT 256)";
    connection
        .prepare_cached(SELECT)?
        .query_row([session], |row| row.get(0))
}

fn past_call(
    connection: &Connection,
    lookup: &mut Lookup,
    row: &Row<'_>,
) -> Result<Option<PastCall>, ReadError> {
    let call = used(row)?;
    let Some(used) = CallUse::of(&call.parts, call.cost) else {
        return Ok(None);
    };
    let mut name = |key: Option<i64>| key.map(|key| lookup.name(connection, key)).transpose();
    let (conversation, agent) = (name(row.get(15)?)?, name(row.get(16)?)?);
    Ok(Some(PastCall {
        ended_at: call.ended_at,
        id: row.get(0)?,
        used,
        thread: Thread::of(conversation.as_deref(), agent.as_deref()),
    }))
}

/// Goes through all calls of a session that count, in the order in which they began.
pub(in crate::store) fn each_spent(
    connection: &Connection,
    lookup: &mut Lookup,
    session: i64,
    mut visit: impl FnMut(&Spent),
) -> Result<(), ReadError> {
    const SELECT: &str = select_used!(
        ", outcome, conversation, agent, client, request_model, operation",
        "ORDER BY id"
    );
    let mut statement = connection.prepare_cached(SELECT)?;
    let mut rows = statement.query([session])?;
    while let Some(row) = rows.next()? {
        let outcome = lookup.name(connection, row.get(15)?)?;
        let used = used(row)?;
        visit(&Spent {
            thread: [
                row.get(16)?,
                row.get(17)?,
                row.get(18)?,
                row.get(19)?,
                row.get(20)?,
            ],
            started_at: used.started_at,
            ended_at: used.ended_at,
            outcome: Outcome::from_name(&outcome)
                .ok_or_else(|| ReadError::bad_row("calls", "outcome", outcome))?,
            parts: used.parts,
            cost: used.cost,
        });
    }
    Ok(())
}

/// What one call used, and when.
struct Used {
    started_at: Timestamp,
    ended_at: Timestamp,
    parts: Parts,
    cost: Option<NanoUsd>,
}

fn used(row: &Row<'_>) -> rusqlite::Result<Used> {
    let (started_at, duration): (Timestamp, Millis) = (row.get(1)?, row.get(2)?);
    Ok(Used {
        started_at,
        ended_at: Timestamp(started_at.0.saturating_add_unsigned(duration.0)),
        cost: row.get(3)?,
        parts: Parts {
            input: row.get(4)?,
            cache_read: row.get(5)?,
            cache_write_5m: row.get(6)?,
            cache_write_1h: row.get(7)?,
            audio_in: row.get(8)?,
            image_in: row.get(9)?,
            output: row.get(10)?,
            reasoning: row.get(11)?,
            audio_out: row.get(12)?,
            image_out: row.get(13)?,
            unsplit: row.get(14)?,
            ..Parts::default()
        },
    })
}
