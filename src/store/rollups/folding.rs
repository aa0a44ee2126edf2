//! Until where the coarse levels hold what the quarters hold.
//!
//! A call's transaction changes its quarter's row, and the coarse levels' rows only if the quarter was folded into them
//! before: that of a late call. The two youngest quarters are not, so a call that was long under way is seldom late.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::write::upsert;
use super::{Key, Measures, QUARTER_MS, QUARTERS, QUARTERS_OF_ALL};
use crate::domain::units::Timestamp;

/// Where the coarse levels end: they hold the quarters before this moment. `None` while all sums are being made anew, or
/// are an older program's: then they hold none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Folded(pub(super) Option<i64>);

/// The setting that says which form the sums have, and until when they are folded. In another form than this program's
/// they are made anew, but for the one before: that lacks a level.
const KEY: &str = "sums";
const FORM: &str = "5 ";
const FORM_BEFORE: &str = "4 ";
const ADDED: i64 = QUARTERS_OF_ALL;

/// So many rows of coarse levels are held in memory at most.
const MOST_FOLDED: usize = 50_000;

impl Folded {
    pub(super) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        Self::in_form(connection, FORM)
    }

    fn in_form(connection: &Connection, form: &str) -> rusqlite::Result<Self> {
        const SELECT: &str = "SELECT value FROM settings WHERE key = ?1";
        let mut statement = connection.prepare_cached(SELECT)?;
        let value: Option<String> = statement.query_row([KEY], |row| row.get(0)).optional()?;
        Ok(Self(
            value.and_then(|value| value.strip_prefix(form)?.parse().ok()),
        ))
    }

    /// Whether the coarse levels hold a quarter.
    pub(super) fn holds(self, bucket: i64) -> bool {
        self.0.is_some_and(|end| bucket < end)
    }

    /// The part of a range of quarters that the coarse levels do not hold.
    pub(super) fn rest(self, from: i64, to: i64) -> Option<(i64, i64)> {
        let from = self.0?.max(from);
        (from < to).then_some((from, to))
    }

    /// The part of a range that they hold.
    pub(super) fn held(self, from: i64, to: i64) -> Option<(i64, i64)> {
        let to = self.0.map_or(to, |end| end.min(to));
        (from < to).then_some((from, to))
    }

    /// Folds the quarters that are over, now that there are calls of a newer one.
    pub(super) fn advance(self, connection: &Connection, newest: i64) -> rusqlite::Result<Self> {
        let over = newest.saturating_sub(QUARTER_MS);
        match self.0 {
            Some(end) if end < over => {
                fold(connection, end, over)?;
                set(connection, over)
            }
            _ => Ok(self),
        }
    }
}

/// What is to be added to the coarse levels.
#[derive(Default)]
pub(super) struct Coarse(HashMap<(i64, Key), Measures>);

impl Coarse {
    pub(super) fn add(&mut self, key: Key, measures: &Measures) {
        self.add_to(key, measures, |_| true);
    }

    fn add_to(&mut self, key: Key, measures: &Measures, is_wanted: impl Fn(i64) -> bool) {
        for level in key.coarse() {
            if is_wanted(level.0) {
                self.0.entry(level).or_default().add(measures);
            }
        }
    }

    pub(super) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        for ((level, key), measures) in &self.0 {
            upsert(connection, *level, key, measures)?;
        }
        Ok(())
    }
}

/// What selects the quarters' rows.
macro_rules! quarters {
    ($from:literal) => {
        concat!(
            "SELECT bucket, session, provider, model, client, operation, source, outcome, conversation, \
                requests, errors, input, cache_read, cache_write, output, reasoning, total, cost_nano_usd, \
                priced_requests, unpriced_tokens, inexact_tokens, unknown_requests, duration_ms, 0, durations, ttfts \
             FROM rollups ",
            $from
        )
    };
}

fn of_quarter(row: &Row<'_>) -> rusqlite::Result<(Key, Measures)> {
    let key = Key {
        bucket: row.get(0)?,
        session: row.get(1)?,
        provider: row.get(2)?,
        model: row.get(3)?,
        client: row.get(4)?,
        operation: row.get(5)?,
        source: row.get(6)?,
        outcome: row.get(7)?,
        conversation: row.get(8)?,
    };
    Ok((key, Measures::of_row(row, 9)?))
}

/// The quarters of one session.
pub(super) fn quarters_of(connection: &Connection, session: i64) -> rusqlite::Result<Vec<(Key, Measures)>> {
    const SELECT: &str =
        quarters!("INDEXED BY rollups_session WHERE session = ?1 AND level = ?2 AND requests <> 0");
    let mut statement = connection.prepare_cached(SELECT)?;
    let rows = statement.query_map([session, QUARTERS], of_quarter)?;
    rows.collect()
}

fn fold(connection: &Connection, from: i64, to: i64) -> rusqlite::Result<()> {
    fold_into(connection, from, to, |_| true)
}

/// Adds quarters to the levels that are wanted, in bounded memory. (What is written meanwhile is no quarter, so the
/// statement does not come upon it.)
fn fold_into(
    connection: &Connection,
    from: i64,
    to: i64,
    is_wanted: impl Fn(i64) -> bool,
) -> rusqlite::Result<()> {
    const SELECT: &str = quarters!("WHERE level = ?1 AND bucket >= ?2 AND bucket < ?3");
    let mut coarse = Coarse::default();
    let mut statement = connection.prepare_cached(SELECT)?;
    let mut rows = statement.query(params![QUARTERS, from, to])?;
    while let Some(row) = rows.next()? {
        let (key, measures) = of_quarter(row)?;
        coarse.add_to(key, &measures, &is_wanted);
        if coarse.0.len() >= MOST_FOLDED {
            std::mem::take(&mut coarse).write(connection)?;
        }
    }
    coarse.write(connection)
}

fn set(connection: &Connection, end: i64) -> rusqlite::Result<Folded> {
    const UPSERT: &str = "INSERT INTO settings (key, value) VALUES (?1, ?2) \
        ON CONFLICT DO UPDATE SET value = excluded.value";
    connection.execute(UPSERT, [KEY, &format!("{FORM}{end}")])?;
    Ok(Folded(Some(end)))
}

/// Brings the sums to the form that this program writes, out of what they hold; gives whether they have it now. If not,
/// they are to be made anew of the calls.
pub(in crate::store) fn renew(connection: &Connection) -> rusqlite::Result<bool> {
    const REMOVE: &str = "DELETE FROM rollups WHERE level = ?1";
    if let Some(end) = Folded::in_form(connection, FORM_BEFORE)?.0 {
        connection.execute(REMOVE, [ADDED])?;
        fold_into(connection, i64::MIN, end, |level| level == ADDED)?;
        set(connection, end)?;
    }
    Ok(Folded::of(connection)?.0.is_some())
}

/// Deletes all sums but for those of the quarters before a moment: until [`fold_anew`], only quarters are written.
pub(in crate::store) fn forget(connection: &Connection, since: Option<Timestamp>) -> rusqlite::Result<()> {
    const DELETE: &str = "DELETE FROM rollups WHERE level <> ?1 OR bucket >= ?2";
    match since {
        Some(since) => connection.execute(DELETE, params![QUARTERS, since])?,
        None => connection.execute("DELETE FROM rollups", [])?,
    };
    connection.execute("DELETE FROM settings WHERE key = ?1", [KEY])?;
    Ok(())
}

/// Makes every coarse level anew out of the quarters, whatever it held, and notes that the sums are whole.
pub(in crate::store) fn fold_anew(connection: &Connection) -> rusqlite::Result<()> {
    const REMOVE: &str = "DELETE FROM rollups WHERE level <> ?1";
    const NEWEST: &str = "SELECT max(bucket) FROM rollups WHERE level = ?1";
    connection.execute(REMOVE, [QUARTERS])?;
    let newest: Option<i64> = connection.query_row(NEWEST, [QUARTERS], |row| row.get(0))?;
    let end = newest.map_or(i64::MIN, |newest| newest.saturating_add(QUARTER_MS));
    fold(connection, i64::MIN, end)?;
    set(connection, end)?;
    Ok(())
}
