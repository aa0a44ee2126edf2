//! The table `checkpoints`.

use rusqlite::{Connection, Row, params};

use super::error::ReadError;
use super::names::{Dictionary, find_session};
use super::sql_types::{Unsigned, signed};
use crate::domain::ids::{CheckpointId, SessionId};
use crate::domain::session::checkpoint::{Checkpoint, NewCheckpoint};
use crate::domain::units::Millis;
use crate::domain::wire::CheckpointUsage;

/// Stores a checkpoint. Storing it again is harmless.
pub(super) fn put(
    connection: &Connection,
    dictionary: &mut Dictionary,
    checkpoint: &Checkpoint,
) -> rusqlite::Result<()> {
    const INSERT: &str = "INSERT INTO checkpoints (id, session, at, elapsed_ms, phase, prompt_count, metadata, input, \
            cache_read, cache_write, output, reasoning, total, cost_nano_usd) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT DO NOTHING";
    let key = dictionary.session(connection, checkpoint.session)?;
    let Checkpoint { said, usage, .. } = checkpoint;
    connection.prepare_cached(INSERT)?.execute(params![
        checkpoint.id,
        key,
        checkpoint.at,
        checkpoint.elapsed,
        said.phase,
        said.prompt_count.map(signed),
        said.metadata,
        signed(usage.input),
        signed(usage.cache_read),
        signed(usage.cache_write),
        signed(usage.output),
        signed(usage.reasoning),
        signed(usage.total),
        usage.cost_nano_usd,
    ])?;
    Ok(())
}

/// Forgets checkpoints that cannot be read, after a repair: each would keep its session from being read.
pub(super) fn forget_unreadable(connection: &Connection) -> rusqlite::Result<()> {
    const DELETE: &str = "DELETE FROM checkpoints WHERE length(id) <> 16 OR min(coalesce(elapsed_ms, 0), \
        coalesce(prompt_count, 0), input, cache_read, cache_write, output, reasoning, total) < 0";
    connection.execute(DELETE, []).map(drop)
}

macro_rules! select_checkpoints {
    ($rest:literal) => {
        concat!(
            "SELECT id, at, elapsed_ms, phase, prompt_count, metadata, input, cache_read, cache_write, output, \
                reasoning, total, cost_nano_usd FROM checkpoints WHERE session = ?1 ",
            $rest
        )
    };
}

/// A session's checkpoints in order, from the one `from` on, which may be the last of the page before.
pub(super) fn of_session(
    connection: &Connection,
    session: SessionId,
    from: Option<CheckpointId>,
    limit: usize,
) -> Result<Vec<Checkpoint>, ReadError> {
    const SELECT: &str = select_checkpoints!("AND id >= ?2 ORDER BY id LIMIT ?3");
    let Some(key) = find_session(connection, session)? else {
        return Ok(Vec::new());
    };
    let from = from.map_or([0; 16], |from| *from.as_bytes());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(SELECT)?;
    let mut rows = statement.query(params![key, from, limit])?;
    let mut checkpoints: Vec<Checkpoint> = Vec::new();
    while let Some(row) = rows.next()? {
        checkpoints.push(checkpoint(session, row, checkpoints.last())?);
    }
    Ok(checkpoints)
}

/// How many checkpoints a session has, and the last of them.
pub(super) fn last(
    connection: &Connection,
    session: SessionId,
    key: i64,
) -> Result<(u64, Option<Checkpoint>), ReadError> {
    const COUNT: &str = "SELECT count(*) FROM checkpoints WHERE session = ?1";
    const LAST: &str = select_checkpoints!("ORDER BY id DESC LIMIT 2");
    let Unsigned(count) = connection
        .prepare_cached(COUNT)?
        .query_row([key], |row| row.get(0))?;
    if count == 0 {
        return Ok((0, None));
    }
    let mut statement = connection.prepare_cached(LAST)?;
    let mut rows = statement.query([key])?;
    let mut last = rows
        .next()?
        .map(|row| checkpoint(session, row, None))
        .transpose()?;
    if let (Some(last), Some(row)) = (&mut last, rows.next()?) {
        let before = checkpoint(session, row, None)?;
        last.before = (before.elapsed, before.usage);
    }
    Ok((count, last))
}

fn checkpoint(
    session: SessionId,
    row: &Row<'_>,
    before: Option<&Checkpoint>,
) -> Result<Checkpoint, ReadError> {
    let number = |column: usize| row.get::<_, Unsigned>(column).map(|number| number.0);
    Ok(Checkpoint {
        id: row.get(0)?,
        session,
        said: NewCheckpoint {
            phase: row.get(3)?,
            prompt_count: row.get::<_, Option<Unsigned>>(4)?.map(|count| count.0),
            metadata: row.get(5)?,
        },
        at: row.get(1)?,
        elapsed: row.get::<_, Option<Millis>>(2)?.unwrap_or_default(),
        usage: CheckpointUsage {
            input: number(6)?,
            cache_read: number(7)?,
            cache_write: number(8)?,
            output: number(9)?,
            reasoning: number(10)?,
            total: number(11)?,
            cost_nano_usd: row.get(12)?,
        },
        before: before.map_or_else(Default::default, |before| (before.elapsed, before.usage)),
    })
}
