//! Sums into rows.

use foldhash::HashMap;
use rusqlite::{Connection, params};

use super::folding::{Coarse, Folded, quarters_of};
use super::{Key, Measures, QUARTERS, blob};

/// The changes that one transaction makes, merged before they reach SQL.
#[derive(Default)]
pub(in crate::store) struct Changes(HashMap<Key, Measures>);

/// So many rows of quarters are changed at once where all sums are made anew: what is changed is held in memory.
const MOST_CHANGED: usize = 20_000;

impl Changes {
    /// Takes a call's numbers in.
    pub(in crate::store) fn add(&mut self, key: Key, measures: &Measures) {
        if *measures != Measures::default() {
            self.0.entry(key).or_default().add(measures);
        }
    }

    /// Takes a call's numbers out.
    pub(in crate::store) fn subtract(&mut self, key: Key, measures: Measures) {
        self.add(key, &measures.negated());
    }

    /// Writes the changes if there are many.
    pub(in crate::store) fn write_if_many(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        match self.0.len() {
            ..MOST_CHANGED => Ok(()),
            _ => std::mem::take(self).write(connection),
        }
    }

    /// Writes the changes.
    pub(in crate::store) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        let Some(newest) = self.0.keys().map(|key| key.bucket).max() else {
            return Ok(());
        };
        let folded = Folded::of(connection)?.advance(connection, newest)?;
        let mut coarse = Coarse::default();
        for (key, measures) in &self.0 {
            upsert(connection, QUARTERS, key, measures)?;
            if folded.holds(key.bucket) {
                coarse.add(*key, measures);
            }
        }
        coarse.write(connection)
    }
}

/// Takes what is left of a session's sums to *Unassigned*.
pub(in crate::store) fn unassign(connection: &Connection, session: i64) -> rusqlite::Result<()> {
    let mut changes = Changes::default();
    for (key, measures) in quarters_of(connection, session)? {
        changes.add(Key { session: 0, ..key }, &measures);
        changes.subtract(key, measures);
    }
    changes.write(connection)
}

/// Adds to a row, or makes it.
pub(super) fn upsert(
    connection: &Connection,
    level: i64,
    key: &Key,
    measures: &Measures,
) -> rusqlite::Result<()> {
    const TIMINGS: &str = "SELECT durations, ttfts FROM rollups WHERE level = ?1 AND bucket = ?2 AND session = ?3 \
        AND provider = ?4 AND model = ?5 AND client = ?6 AND operation = ?7 AND source = ?8 AND outcome = ?9 \
        AND conversation = ?10";
    const UPSERT: &str = "INSERT INTO rollups (level, bucket, session, provider, model, client, operation, source, \
            outcome, conversation, requests, errors, input, cache_read, cache_write, output, reasoning, total, \
            cost_nano_usd, priced_requests, unpriced_tokens, inexact_tokens, unknown_requests, duration_ms, \
            durations, ttfts) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, \
            ?21, ?22, ?23, ?24, ?25, ?26) \
        ON CONFLICT DO UPDATE SET \
            requests = requests + excluded.requests, errors = errors + excluded.errors, \
            input = input + excluded.input, cache_read = cache_read + excluded.cache_read, \
            cache_write = cache_write + excluded.cache_write, output = output + excluded.output, \
            reasoning = reasoning + excluded.reasoning, total = total + excluded.total, \
            cost_nano_usd = cost_nano_usd + excluded.cost_nano_usd, \
            priced_requests = priced_requests + excluded.priced_requests, \
            unpriced_tokens = unpriced_tokens + excluded.unpriced_tokens, \
            inexact_tokens = inexact_tokens + excluded.inexact_tokens, \
            unknown_requests = unknown_requests + excluded.unknown_requests, \
            duration_ms = duration_ms + excluded.duration_ms, \
            durations = excluded.durations, ttfts = excluded.ttfts";
    let (mut durations, mut ttfts) = (measures.durations.clone(), measures.ttfts.clone());
    let mut statement = connection.prepare_cached(TIMINGS)?;
    let mut rows = statement.query(params![
        level,
        key.bucket,
        key.session,
        key.provider,
        key.model,
        key.client,
        key.operation,
        key.source,
        key.outcome,
        key.conversation,
    ])?;
    if let Some(row) = rows.next()? {
        durations.add_bytes(blob(row, 0)?);
        ttfts.add_bytes(blob(row, 1)?);
    }
    drop(rows);
    let [
        m1,
        m2,
        m3,
        m4,
        m5,
        m6,
        m7,
        m8,
        m9,
        m10,
        m11,
        m12,
        m13,
        m14,
        _derived,
    ] = measures.numbers.0;
    connection.prepare_cached(UPSERT)?.execute(params![
        level,
        key.bucket,
        key.session,
        key.provider,
        key.model,
        key.client,
        key.operation,
        key.source,
        key.outcome,
        key.conversation,
        m1,
        m2,
        m3,
        m4,
        m5,
        m6,
        m7,
        m8,
        m9,
        m10,
        m11,
        m12,
        m13,
        m14,
        durations.to_bytes(),
        ttfts.to_bytes(),
    ])?;
    Ok(())
}
