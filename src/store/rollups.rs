//! The table `rollups`: sums over ended calls, from which every total is read.
//!
//! One call's contribution is what [`Totals::add`] makes of it, so the sums cannot mean anything else. Three
//! levels hold them: quarters of an hour (days are cut from these in the viewer's zone), whole UTC days for the
//! middle of a long range, and all time for totals of sessions and of everything.

use std::collections::HashMap;

use rusqlite::{Connection, Row, params};

use super::error::ReadError;
use super::names::{Lookup, find_session};
use super::query::{GroupBy, SessionFilter, UsageGroup, UsageKeys, UsageQuery};
use super::sql_types::signed;
use crate::domain::call::{Call, Outcome, Source};
use crate::domain::operation::Operation;
use crate::domain::units::{Millis, Timestamp};
use crate::domain::wire::Totals;

const QUARTER_MS: i64 = 15 * 60 * 1_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The table's levels.
const QUARTERS: i64 = 0;
const DAYS: i64 = 1;
const ALL_TIME: i64 = 2;

/// Beyond this a number is a sender's mistake, and must not make its bucket's sum overflow for good.
const MOST_OF_ONE_CALL: i64 = 1_000_000_000_000_000;

/// The quarter of an hour that a moment is in.
pub(super) fn quarter(at: Timestamp) -> i64 {
    floor(at.0, QUARTER_MS)
}

fn floor(at: i64, width: i64) -> i64 {
    at.div_euclid(width).saturating_mul(width)
}

fn ceil(at: i64, width: i64) -> i64 {
    floor(at.saturating_add(width - 1), width)
}

/// A row's key, as ids; 0 is "none".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) bucket: i64,
    pub(super) session: i64,
    pub(super) provider: i64,
    pub(super) model: i64,
    pub(super) client: i64,
    pub(super) operation: i64,
    pub(super) source: i64,
    pub(super) outcome: i64,
}

/// A row's sums, in the order of their columns, and what follows from them.
///
/// The last is the calls without a price: no column, for it is the row's requests but for the priced ones, where the
/// row's source says that its calls have numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Measures([i64; 15]);

impl Measures {
    /// What one call adds: nothing, if it is counted with another.
    pub(super) fn of(call: &Call) -> Self {
        let mut totals = Totals::default();
        totals.add(call);
        let end = call.end.as_ref().filter(|_| call.counted_by.is_none());
        let duration = end.map_or(0, |end| end.duration.0);
        Self(
            [
                signed(totals.requests),
                signed(totals.errors),
                signed(totals.input),
                signed(totals.cache_read),
                signed(totals.cache_write),
                signed(totals.output),
                signed(totals.reasoning),
                signed(totals.total),
                totals.cost_nano_usd.unwrap_or(0),
                signed(totals.priced_requests),
                signed(totals.unpriced_tokens),
                signed(totals.inexact_tokens),
                signed(totals.unknown_requests),
                signed(duration),
                signed(totals.unpriced_requests),
            ]
            .map(|number| number.clamp(-MOST_OF_ONE_CALL, MOST_OF_ONE_CALL)),
        )
    }

    fn of_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let mut measures = Self::default();
        for (index, measure) in measures.0.iter_mut().enumerate() {
            *measure = row.get(first + index)?;
        }
        Ok(measures)
    }

    fn add(&mut self, other: &Self) {
        for (sum, number) in self.0.iter_mut().zip(other.0) {
            *sum = sum.saturating_add(number);
        }
    }

    fn negated(self) -> Self {
        Self(self.0.map(i64::saturating_neg))
    }

    fn totals(&self) -> Totals {
        let [
            requests,
            errors,
            input,
            cache_read,
            cache_write,
            output,
            reasoning,
            total,
            cost,
            priced_requests,
            unpriced_tokens,
            inexact_tokens,
            unknown_requests,
            _duration,
            unpriced_requests,
        ] = self.0;
        let unsigned = |number: i64| u64::try_from(number).unwrap_or(0);
        Totals {
            requests: unsigned(requests),
            errors: unsigned(errors),
            input: unsigned(input),
            cache_read: unsigned(cache_read),
            cache_write: unsigned(cache_write),
            output: unsigned(output),
            reasoning: unsigned(reasoning),
            total: unsigned(total),
            cost_nano_usd: (priced_requests > 0).then_some(cost),
            priced_requests: unsigned(priced_requests),
            unpriced_tokens: unsigned(unpriced_tokens),
            unpriced_requests: unsigned(unpriced_requests),
            inexact_tokens: unsigned(inexact_tokens),
            unknown_requests: unsigned(unknown_requests),
        }
    }

    fn duration(&self) -> Millis {
        let [.., duration, _unpriced_requests] = self.0;
        Millis(u64::try_from(duration).unwrap_or(0))
    }
}

/// The changes that one transaction makes, merged before they reach SQL.
#[derive(Default)]
pub(super) struct Changes(HashMap<Key, Measures>);

impl Changes {
    /// Takes a call's numbers in.
    pub(super) fn add(&mut self, key: Key, measures: &Measures) {
        if *measures != Measures::default() {
            self.0.entry(key).or_default().add(measures);
        }
    }

    /// Takes a call's numbers out.
    pub(super) fn subtract(&mut self, key: Key, measures: Measures) {
        self.add(key, &measures.negated());
    }

    /// Writes the changes to every level.
    pub(super) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        let mut days = Self::default();
        let mut all_time = Self::default();
        for (key, measures) in &self.0 {
            upsert(connection, QUARTERS, key, measures)?;
            let bucket = floor(key.bucket, DAY_MS);
            days.add(Key { bucket, ..*key }, measures);
            all_time.add(Key { bucket: 0, ..*key }, measures);
        }
        for (key, measures) in &days.0 {
            upsert(connection, DAYS, key, measures)?;
        }
        for (key, measures) in &all_time.0 {
            upsert(connection, ALL_TIME, key, measures)?;
        }
        Ok(())
    }
}

fn upsert(connection: &Connection, level: i64, key: &Key, measures: &Measures) -> rusqlite::Result<()> {
    const UPSERT: &str = "INSERT INTO rollups (level, bucket, session, provider, model, client, operation, source, \
            outcome, requests, errors, input, cache_read, cache_write, output, reasoning, total, \
            cost_nano_usd, priced_requests, unpriced_tokens, inexact_tokens, unknown_requests, duration_ms) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, \
            ?21, ?22, ?23) \
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
            duration_ms = duration_ms + excluded.duration_ms";
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
    ] = measures.0;
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
    ])?;
    Ok(())
}

/// A level and the buckets of it that a query needs, from the first to before the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    level: i64,
    from: i64,
    to: i64,
}

/// The fewest rows that answer a query: whole days where they fit, quarters of an hour at the edges.
fn ranges(query: &UsageQuery) -> Vec<Range> {
    let from = query.from.map_or(i64::MIN, |from| floor(from.0, QUARTER_MS));
    let to = query.to.map_or(i64::MAX, |to| ceil(to.0, QUARTER_MS));
    if query.group_by.contains(&GroupBy::Bucket) {
        return vec![Range {
            level: QUARTERS,
            from,
            to,
        }];
    }
    if query.from.is_none() && query.to.is_none() {
        return vec![Range {
            level: ALL_TIME,
            from,
            to,
        }];
    }
    let first_day = query.from.map_or(i64::MIN, |_| ceil(from, DAY_MS));
    let last_day = query.to.map_or(i64::MAX, |_| floor(to, DAY_MS));
    if first_day >= last_day {
        return vec![Range {
            level: QUARTERS,
            from,
            to,
        }];
    }
    let mut ranges = vec![Range {
        level: DAYS,
        from: first_day,
        to: last_day,
    }];
    for (from, to) in [(from, first_day), (last_day, to)] {
        if from < to {
            ranges.push(Range {
                level: QUARTERS,
                from,
                to,
            });
        }
    }
    ranges
}

/// A group's keys: those of a row, with 0 for what is not split by.
type Group = [i64; 8];

fn group_of(row: &Row<'_>, group_by: &[GroupBy]) -> rusqlite::Result<Group> {
    let mut group = Group::default();
    for dimension in group_by {
        let column = *dimension as usize;
        if let Some(key) = group.get_mut(column) {
            *key = row.get(column)?;
        }
    }
    Ok(group)
}

/// The sums of the groups that a query asks for: by time, then the largest first.
pub(super) fn usage(
    connection: &Connection,
    lookup: &mut Lookup,
    query: &UsageQuery,
) -> Result<Vec<UsageGroup>, ReadError> {
    // Grouping here, not in SQL, keeps the statement constant and spares SQLite a sort.
    macro_rules! select {
        ($session:literal) => {
            concat!(
                "SELECT session, provider, model, client, operation, source, outcome, bucket, requests, errors, \
                    input, cache_read, cache_write, output, reasoning, total, cost_nano_usd, priced_requests, \
                    unpriced_tokens, inexact_tokens, unknown_requests, duration_ms, \
                    CASE source WHEN 0 THEN 0 ELSE requests - priced_requests END \
                 FROM rollups WHERE level = ?1 AND bucket >= ?2 AND bucket < ?3 AND ",
                $session,
                " AND requests > 0"
            )
        };
    }
    const ANY_SESSION: &str = select!("?4 IS NULL");
    const ONE_SESSION: &str = select!("session = ?4");
    let session = match query.session {
        None => None,
        Some(SessionFilter::Unassigned) => Some(0),
        Some(SessionFilter::Id(id)) => match find_session(connection, id)? {
            Some(key) => Some(key),
            None => return Ok(Vec::new()),
        },
    };
    let sql = if session.is_some() {
        ONE_SESSION
    } else {
        ANY_SESSION
    };
    let mut groups: HashMap<Group, Measures> = HashMap::new();
    for range in ranges(query) {
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![range.level, range.from, range.to, session])?;
        while let Some(row) = rows.next()? {
            let group = group_of(row, &query.group_by)?;
            groups.entry(group).or_default().add(&Measures::of_row(row, 8)?);
        }
    }
    let mut answer = Vec::with_capacity(groups.len());
    for (group, measures) in groups {
        answer.push(UsageGroup {
            keys: keys_of(connection, lookup, group, &query.group_by)?,
            totals: measures.totals(),
            duration: measures.duration(),
        });
    }
    answer.sort_by(|left, right| {
        (left.keys.bucket, right.totals.total, right.totals.requests)
            .cmp(&(right.keys.bucket, left.totals.total, left.totals.requests))
            .then_with(|| left.keys.provider.cmp(&right.keys.provider))
            .then_with(|| left.keys.model.cmp(&right.keys.model))
    });
    Ok(answer)
}

fn keys_of(
    connection: &Connection,
    lookup: &mut Lookup,
    group: Group,
    group_by: &[GroupBy],
) -> Result<UsageKeys, ReadError> {
    let [
        session,
        provider,
        model,
        client,
        operation,
        source,
        outcome,
        bucket,
    ] = group;
    let mut name = |id: i64| match id {
        0 => Ok(None),
        id => lookup.name(connection, id).map(Some),
    };
    let bad = |field, value: &str| ReadError::bad_row("rollups", field, value);
    let provider = name(provider)?;
    let model = name(model)?;
    let client = name(client)?;
    let operation = name(operation)?
        .map(|name| Operation::from_name(&name).ok_or_else(|| bad("operation", &name)))
        .transpose()?;
    let source = name(source)?
        .map(|name| Source::from_name(&name).ok_or_else(|| bad("source", &name)))
        .transpose()?;
    let outcome = name(outcome)?
        .map(|name| Outcome::from_name(&name).ok_or_else(|| bad("outcome", &name)))
        .transpose()?;
    Ok(UsageKeys {
        session: match session {
            0 => None,
            key => Some(lookup.session(connection, key)?),
        },
        provider,
        model,
        client,
        operation,
        source,
        outcome,
        bucket: group_by.contains(&GroupBy::Bucket).then_some(Timestamp(bucket)),
    })
}

/// The tokens and the cost of every session that has calls, by its key.
pub(super) fn of_sessions(connection: &Connection) -> rusqlite::Result<HashMap<i64, (i64, i64)>> {
    const SELECT: &str = "SELECT session, sum(total), sum(cost_nano_usd) FROM rollups \
        WHERE level = ?1 AND bucket = 0 GROUP BY session";
    let mut statement = connection.prepare_cached(SELECT)?;
    let sums = statement.query_map([ALL_TIME], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    sums.collect()
}

/// The sums of one session, by its key; 0 is *Unassigned*.
pub(super) fn of_session(connection: &Connection, key: i64) -> rusqlite::Result<Totals> {
    const SELECT: &str = "SELECT requests, errors, input, cache_read, cache_write, output, reasoning, total, \
            cost_nano_usd, priced_requests, unpriced_tokens, inexact_tokens, unknown_requests, duration_ms, \
            CASE source WHEN 0 THEN 0 ELSE requests - priced_requests END \
        FROM rollups WHERE level = ?1 AND bucket = 0 AND session = ?2";
    let mut statement = connection.prepare_cached(SELECT)?;
    let mut rows = statement.query(params![ALL_TIME, key])?;
    let mut sum = Measures::default();
    while let Some(row) = rows.next()? {
        sum.add(&Measures::of_row(row, 0)?);
    }
    Ok(sum.totals())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(from: Option<i64>, to: Option<i64>) -> Vec<(i64, i64, i64)> {
        let query = UsageQuery {
            from: from.map(Timestamp),
            to: to.map(Timestamp),
            ..UsageQuery::default()
        };
        ranges(&query)
            .iter()
            .map(|range| (range.level, range.from, range.to))
            .collect()
    }

    #[test]
    fn a_range_is_cut_into_days_and_edges() {
        let hour = 3_600_000;
        assert_eq!(plan(None, None), [(ALL_TIME, i64::MIN, i64::MAX)]);
        assert_eq!(plan(Some(hour), Some(2 * hour)), [(QUARTERS, hour, 2 * hour)]);
        assert_eq!(
            plan(Some(hour + 1), Some(3 * DAY_MS + 1)),
            [
                (DAYS, DAY_MS, 3 * DAY_MS),
                (QUARTERS, hour, DAY_MS),
                (QUARTERS, 3 * DAY_MS, 3 * DAY_MS + QUARTER_MS),
            ]
        );
        assert_eq!(
            plan(None, Some(DAY_MS + 1)),
            [(DAYS, i64::MIN, DAY_MS), (QUARTERS, DAY_MS, DAY_MS + QUARTER_MS)]
        );
        assert_eq!(plan(Some(2 * DAY_MS), None), [(DAYS, 2 * DAY_MS, i64::MAX)]);
        assert_eq!(plan(Some(hour), Some(hour)), [(QUARTERS, hour, hour)]);
    }

    #[test]
    fn moments_before_1970_and_absurd_ones_have_a_quarter_too() {
        assert_eq!(quarter(Timestamp(-1)), -QUARTER_MS);
        let _lowest = quarter(Timestamp(i64::MIN));
        let _highest = quarter(Timestamp(i64::MAX));
    }
}
