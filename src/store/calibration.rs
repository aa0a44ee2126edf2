//! The table `calibration`: how far the estimates of each model's calls were off.

use rusqlite::{Connection, Row, params};

use super::error::ReadError;
use crate::domain::estimate::Kind;
use crate::domain::estimate::calibration::{Direction, KEYS, Key, Learnt, Pair};
use crate::domain::units::{Timestamp, Tokens};

/// Stores what is known of a key in place of what was; what learnt nothing for the longest makes room.
pub(super) fn put(connection: &Connection, learnt: &Learnt, at: Timestamp) -> rusqlite::Result<()> {
    const UPSERT: &str = "INSERT INTO calibration (model, side, kind, pairs, learnt_at) VALUES (?1, ?2, ?3, ?4, ?5) \
        ON CONFLICT DO UPDATE SET pairs = excluded.pairs, learnt_at = excluded.learnt_at";
    const FORGET: &str = "DELETE FROM calibration WHERE (model, side, kind) IN \
        (SELECT model, side, kind FROM calibration ORDER BY learnt_at DESC LIMIT -1 OFFSET ?1)";
    let pairs = learnt.pairs.iter();
    let pairs: Vec<_> = pairs.map(|pair| (pair.estimated().0, pair.truth().0)).collect();
    let pairs = serde_json::to_string(&pairs)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let Learnt { key, .. } = learnt;
    connection.prepare_cached(UPSERT)?.execute(params![
        key.model(),
        key.direction().name(),
        key.kind().name(),
        pairs,
        at
    ])?;
    connection
        .prepare_cached(FORGET)?
        .execute([i64::try_from(KEYS).unwrap_or(i64::MAX)])?;
    Ok(())
}

/// All that is known, what learnt last comes last; what cannot be read is an error in its place.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<Vec<Result<Learnt, ReadError>>> {
    const SELECT: &str = "SELECT model, side, kind, pairs FROM calibration ORDER BY learnt_at";
    let mut statement = connection.prepare_cached(SELECT)?;
    let mut rows = statement.query([])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(learnt(row));
    }
    Ok(all)
}

fn learnt(row: &Row<'_>) -> Result<Learnt, ReadError> {
    let bad = |field, value: &str| ReadError::bad_row("calibration", field, value);
    let text = |column: usize| row.get::<_, String>(column);
    let (model, side, kind, pairs) = (text(0)?, text(1)?, text(2)?, text(3)?);
    let direction = Direction::from_name(&side).ok_or_else(|| bad("side", &side))?;
    let kind = Kind::from_name(&kind).ok_or_else(|| bad("kind", &kind))?;
    let pairs: Vec<(u64, u64)> = serde_json::from_str(&pairs).map_err(|_| bad("pairs", &pairs))?;
    let pair = |(estimated, truth)| Pair::new(Tokens(estimated), Tokens(truth));
    Ok(Learnt {
        key: Key::new(&model, direction, kind),
        pairs: pairs.into_iter().map(pair).collect(),
    })
}
