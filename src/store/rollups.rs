//! The table `rollups`: sums over ended calls, from which every total is read.
//!
//! One call's contribution is what [`Totals::add`] makes of it, so the sums cannot mean anything else. Several levels hold
//! the same sums, each for one kind of question, so that no answer reads many more rows than it gives:
//!
//! | level | cut by | knows apart |
//! |---|---|---|
//! | [`QUARTERS`] | quarters of an hour, which fit every zone's days | all |
//! | [`DAYS`] | UTC days, for the middle of a long range | all |
//! | [`ALL_TIME`] | nothing | all but the conversation: these come without end |
//! | [`CLOCK`] | quarters of an hour | only whether numbers are known: for calendars |
//! | [`HOURS`] | hours, for zones whose days begin at whole ones | neither session nor conversation |
//! | [`DAYS_OF_ALL`] | UTC days | neither session nor conversation |
//! | [`DAYS_OF_SESSIONS`] | UTC days | all but the conversation |
//! | [`HOUR_CLOCK`] | hours | only whether numbers are known |

use std::collections::HashMap;

use rusqlite::{Connection, Row, params};

use super::error::ReadError;
use super::names::{Lookup, find_session};
use super::query::{GroupBy, SessionFilter, Step, Timings, UsageGroup, UsageKeys, UsageQuery};
use super::sql_types::signed;
use crate::domain::call::{Call, Outcome, Source};
use crate::domain::histogram::Histogram;
use crate::domain::operation::Operation;
use crate::domain::units::{Millis, Timestamp};
use crate::domain::wire::Totals;

const QUARTER_MS: i64 = 15 * 60 * 1_000;
const HOUR_MS: i64 = 60 * 60 * 1_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The table's levels.
const QUARTERS: i64 = 0;
const DAYS: i64 = 1;
const ALL_TIME: i64 = 2;
const CLOCK: i64 = 3;
const HOURS: i64 = 4;
const DAYS_OF_ALL: i64 = 5;
const DAYS_OF_SESSIONS: i64 = 6;
const HOUR_CLOCK: i64 = 7;

/// The setting that says which form the sums have, and the form that this program writes: in another, they are made anew.
const FORM: (&str, &str) = ("sums", "3");

/// The source in [`CLOCK`] of calls whose numbers are known: one for all.
const KNOWN: i64 = 1;

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
    pub(super) conversation: i64,
}

impl Key {
    /// The key of a quarter's row at every level, with the level.
    fn levels(self) -> [(i64, Self); 8] {
        let without_conversation = Self {
            conversation: 0,
            ..self
        };
        let clock = Self {
            source: if self.source == 0 { 0 } else { KNOWN },
            ..Self::nobody(self.bucket)
        };
        let hour = Self {
            bucket: floor(self.bucket, HOUR_MS),
            session: 0,
            ..without_conversation
        };
        let day = Self {
            bucket: floor(self.bucket, DAY_MS),
            ..self
        };
        let all_time = Self {
            bucket: 0,
            ..without_conversation
        };
        let of_all = |key: Self| Self { session: 0, ..key };
        let day_of_session = Self {
            bucket: day.bucket,
            ..without_conversation
        };
        let hour_clock = Self {
            bucket: hour.bucket,
            ..clock
        };
        [
            (QUARTERS, self),
            (DAYS, day),
            (ALL_TIME, all_time),
            (CLOCK, clock),
            (HOURS, hour),
            (DAYS_OF_ALL, of_all(day_of_session)),
            (DAYS_OF_SESSIONS, day_of_session),
            (HOUR_CLOCK, hour_clock),
        ]
    }

    const fn nobody(bucket: i64) -> Self {
        Self {
            bucket,
            session: 0,
            provider: 0,
            model: 0,
            client: 0,
            operation: 0,
            source: 0,
            outcome: 0,
            conversation: 0,
        }
    }
}

/// A row's sums: numbers, and how long calls took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Measures {
    numbers: Numbers,
    /// Until a reply's end.
    durations: Histogram,
    /// Until a streamed reply's first byte.
    ttfts: Histogram,
}

impl Measures {
    /// What one call adds: nothing, if it is counted with another.
    pub(super) fn of(call: &Call) -> Self {
        let end = call.end.as_ref().filter(|_| call.counted_by.is_none());
        let Some(end) = end else {
            return Self::default();
        };
        Self {
            numbers: Numbers::of(call, end.duration),
            durations: Histogram::of(end.duration),
            ttfts: end.ttft.map(Histogram::of).unwrap_or_default(),
        }
    }

    fn add(&mut self, other: &Self) {
        self.numbers.add(&other.numbers);
        self.durations.add(&other.durations);
        self.ttfts.add(&other.ttfts);
    }

    fn negated(self) -> Self {
        Self {
            numbers: self.numbers.negated(),
            durations: self.durations.negated(),
            ttfts: self.ttfts.negated(),
        }
    }
}

/// A row's numbers, in the order of their columns, and what follows from them.
///
/// The last is the calls without a price: no column, for it is the row's requests but for the priced ones, where the
/// row's source says that its calls have numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Numbers([i64; 15]);

impl Step {
    const fn width(self) -> i64 {
        match self {
            Self::Quarters => QUARTER_MS,
            Self::Hours => HOUR_MS,
        }
    }
}

impl Numbers {
    fn of(call: &Call, duration: Millis) -> Self {
        let mut totals = Totals::default();
        totals.add(call);
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
                signed(duration.0),
                signed(totals.unpriced_requests),
            ]
            .map(|number| number.clamp(-MOST_OF_ONE_CALL, MOST_OF_ONE_CALL)),
        )
    }

    fn of_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let mut numbers = Self::default();
        for (index, number) in numbers.0.iter_mut().enumerate() {
            *number = row.get(first + index)?;
        }
        Ok(numbers)
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

/// So many rows of quarters are changed at once where all sums are made anew: what is changed is held in memory.
const MOST_CHANGED: usize = 20_000;

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

    /// Writes the changes if there are many.
    pub(super) fn write_if_many(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        match self.0.len() {
            ..MOST_CHANGED => Ok(()),
            _ => std::mem::take(self).write(connection),
        }
    }

    /// Writes the changes to every level.
    pub(super) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        let mut coarse: HashMap<(i64, Key), Measures> = HashMap::new();
        for (key, measures) in &self.0 {
            for (level, key) in key.levels() {
                match level {
                    QUARTERS => upsert(connection, level, &key, measures)?,
                    _ => coarse.entry((level, key)).or_default().add(measures),
                }
            }
        }
        for ((level, key), measures) in &coarse {
            upsert(connection, *level, key, measures)?;
        }
        Ok(())
    }
}

/// Adds to a row, or makes it.
fn upsert(connection: &Connection, level: i64, key: &Key, measures: &Measures) -> rusqlite::Result<()> {
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

/// A row's bytes; what is something else is none.
fn blob<'row>(row: &'row Row<'_>, column: usize) -> rusqlite::Result<&'row [u8]> {
    Ok(row.get_ref(column)?.as_blob().unwrap_or_default())
}

/// Whether the sums have the form that this program writes.
pub(super) fn is_current(connection: &Connection) -> rusqlite::Result<bool> {
    const SELECT: &str = "SELECT EXISTS (SELECT 1 FROM settings WHERE key = ?1 AND value = ?2)";
    connection.query_row(SELECT, [FORM.0, FORM.1], |row| row.get(0))
}

/// Notes that the sums have that form.
pub(super) fn set_current(connection: &Connection) -> rusqlite::Result<()> {
    const UPSERT: &str = "INSERT INTO settings (key, value) VALUES (?1, ?2) \
        ON CONFLICT DO UPDATE SET value = excluded.value";
    connection.execute(UPSERT, [FORM.0, FORM.1]).map(drop)
}

/// A level and the buckets of it that a query needs, from the first to before the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    level: i64,
    from: i64,
    to: i64,
}

/// The fewest rows that answer a query: those of the coarsest level that knows apart what is asked for, and finer ones at
/// the edges.
fn ranges(query: &UsageQuery) -> Vec<Range> {
    let from = query.from.map_or(i64::MIN, |from| floor(from.0, QUARTER_MS));
    let to = query.to.map_or(i64::MAX, |to| ceil(to.0, QUARTER_MS));
    let by = |dimension| query.group_by.contains(&dimension);
    let knows_sessions = query.session.is_some() || by(GroupBy::Session);
    let knows_all = by(GroupBy::Conversation);
    // From the finest to the coarsest, each with the width of its buckets.
    let levels: &[(i64, i64)] = if by(GroupBy::Bucket) {
        let is_clock = !knows_sessions && query.group_by.iter().all(|by| *by == GroupBy::Bucket);
        match query.step {
            Step::Hours if is_clock => &[(CLOCK, QUARTER_MS), (HOUR_CLOCK, HOUR_MS)],
            Step::Quarters if is_clock => &[(CLOCK, QUARTER_MS)],
            Step::Hours if !knows_sessions && !knows_all => &[(QUARTERS, QUARTER_MS), (HOURS, HOUR_MS)],
            _ => &[(QUARTERS, QUARTER_MS)],
        }
    } else if knows_all {
        &[(QUARTERS, QUARTER_MS), (DAYS, DAY_MS)]
    } else if knows_sessions {
        if query.from.is_none() && query.to.is_none() {
            let level = ALL_TIME;
            return vec![Range { level, from, to }];
        }
        &[(QUARTERS, QUARTER_MS), (DAYS_OF_SESSIONS, DAY_MS)]
    } else {
        &[(QUARTERS, QUARTER_MS), (HOURS, HOUR_MS), (DAYS_OF_ALL, DAY_MS)]
    };
    let mut ranges = Vec::new();
    cut(levels, from, to, &mut ranges);
    ranges
}

/// The coarsest level where its buckets fit whole, the finer ones at the edges. What is open has no edge.
fn cut(levels: &[(i64, i64)], from: i64, to: i64, ranges: &mut Vec<Range>) {
    let Some(((level, width), finer)) = levels.split_last().filter(|_| from < to) else {
        return;
    };
    let level = *level;
    if finer.is_empty() {
        ranges.push(Range { level, from, to });
        return;
    }
    let first = if from == i64::MIN {
        from
    } else {
        ceil(from, *width)
    };
    let last = if to == i64::MAX { to } else { floor(to, *width) };
    if first >= last {
        return cut(finer, from, to, ranges);
    }
    ranges.push(Range {
        level,
        from: first,
        to: last,
    });
    cut(finer, from, first, ranges);
    cut(finer, last, to, ranges);
}

/// A group's keys: those of a row, with 0 for what is not split by.
type Group = [i64; 9];

fn group_of(row: &Row<'_>, query: &UsageQuery) -> rusqlite::Result<Group> {
    let mut group = Group::default();
    for dimension in &query.group_by {
        let column = *dimension as usize;
        if let Some(key) = group.get_mut(column) {
            *key = match dimension {
                GroupBy::Bucket => floor(row.get(column)?, query.step.width()),
                _ => row.get(column)?,
            };
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
                "SELECT session, provider, model, client, operation, source, outcome, bucket, conversation, requests, \
                    errors, input, cache_read, cache_write, output, reasoning, total, cost_nano_usd, priced_requests, \
                    unpriced_tokens, inexact_tokens, unknown_requests, duration_ms, \
                    CASE source WHEN 0 THEN 0 ELSE requests - priced_requests END, durations, ttfts \
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
            let group = groups.entry(group_of(row, query)?).or_default();
            group.numbers.add(&Numbers::of_row(row, 9)?);
            if query.timings == Timings::Wanted {
                group.durations.add_bytes(blob(row, 24)?);
                group.ttfts.add_bytes(blob(row, 25)?);
            }
        }
    }
    let mut answer = Vec::with_capacity(groups.len());
    for (group, measures) in groups {
        answer.push(UsageGroup {
            keys: keys_of(connection, lookup, group, &query.group_by)?,
            totals: measures.numbers.totals(),
            duration: measures.numbers.duration(),
            durations: measures.durations,
            ttfts: measures.ttfts,
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
        conversation,
    ] = group;
    let mut name = |id: i64| match id {
        0 => Ok(None),
        id => lookup.name(connection, id).map(Some),
    };
    let bad = |field, value: &str| ReadError::bad_row("rollups", field, value);
    let provider = name(provider)?;
    let model = name(model)?;
    let client = name(client)?;
    let conversation = name(conversation)?;
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
        conversation,
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
    let mut sum = Numbers::default();
    while let Some(row) = rows.next()? {
        sum.add(&Numbers::of_row(row, 0)?);
    }
    Ok(sum.totals())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(from: Option<i64>, to: Option<i64>, group_by: &[GroupBy]) -> Vec<(i64, i64, i64)> {
        let query = UsageQuery {
            from: from.map(Timestamp),
            to: to.map(Timestamp),
            group_by: group_by.to_vec(),
            ..UsageQuery::default()
        };
        ranges(&query)
            .iter()
            .map(|range| (range.level, range.from, range.to))
            .collect()
    }

    #[test]
    fn a_range_is_cut_into_days_hours_and_quarters() {
        let hour = HOUR_MS;
        assert_eq!(plan(None, None, &[]), [(DAYS_OF_ALL, i64::MIN, i64::MAX)]);
        assert_eq!(plan(Some(hour), Some(2 * hour), &[]), [(HOURS, hour, 2 * hour)]);
        assert_eq!(
            plan(Some(hour + 1), Some(3 * DAY_MS + 1), &[GroupBy::Model]),
            [
                (DAYS_OF_ALL, DAY_MS, 3 * DAY_MS),
                (HOURS, hour, DAY_MS),
                (QUARTERS, 3 * DAY_MS, 3 * DAY_MS + QUARTER_MS),
            ]
        );
        assert_eq!(
            plan(Some(QUARTER_MS), Some(DAY_MS + hour + 1), &[]),
            [
                (HOURS, hour, DAY_MS + hour),
                (QUARTERS, QUARTER_MS, hour),
                (QUARTERS, DAY_MS + hour, DAY_MS + hour + QUARTER_MS),
            ]
        );
        assert_eq!(
            plan(Some(2 * DAY_MS), None, &[]),
            [(DAYS_OF_ALL, 2 * DAY_MS, i64::MAX)]
        );
        assert_eq!(plan(Some(hour), Some(hour), &[]), []);
    }

    #[test]
    fn sessions_and_conversations_have_days_of_their_own() {
        let edges = |level| {
            vec![
                (level, DAY_MS, 2 * DAY_MS),
                (QUARTERS, HOUR_MS, DAY_MS),
                (QUARTERS, 2 * DAY_MS, 2 * DAY_MS + HOUR_MS),
            ]
        };
        let (from, to) = (Some(HOUR_MS), Some(2 * DAY_MS + HOUR_MS));
        assert_eq!(plan(from, to, &[GroupBy::Session]), edges(DAYS_OF_SESSIONS));
        assert_eq!(plan(from, to, &[GroupBy::Conversation]), edges(DAYS));
        let all = |level| vec![(level, i64::MIN, i64::MAX)];
        assert_eq!(plan(None, None, &[GroupBy::Session]), all(ALL_TIME));
        assert_eq!(plan(None, None, &[GroupBy::Conversation]), all(DAYS));
    }

    #[test]
    fn the_clock_and_the_hours_are_read_where_they_know_enough() {
        let levels = |group_by: &[GroupBy], step, session| {
            let query = UsageQuery {
                from: Some(Timestamp(0)),
                to: Some(Timestamp(DAY_MS)),
                group_by: group_by.to_vec(),
                session,
                step,
                ..UsageQuery::default()
            };
            ranges(&query).iter().map(|range| range.level).collect::<Vec<_>>()
        };
        let (bucket, model) = (GroupBy::Bucket, GroupBy::Model);
        assert_eq!(levels(&[bucket], Step::Quarters, None), [CLOCK]);
        assert_eq!(levels(&[bucket], Step::Hours, None), [HOUR_CLOCK]);
        assert_eq!(levels(&[bucket, model], Step::Hours, None), [HOURS]);
        assert_eq!(levels(&[bucket, model], Step::Quarters, None), [QUARTERS]);
        for by in [GroupBy::Session, GroupBy::Conversation] {
            assert_eq!(levels(&[bucket, by], Step::Hours, None), [QUARTERS]);
        }
        let nobody = Some(SessionFilter::Unassigned);
        assert_eq!(levels(&[bucket], Step::Hours, nobody), [QUARTERS]);
        assert_eq!(levels(&[model], Step::Hours, nobody), [DAYS_OF_SESSIONS]);
    }

    #[test]
    fn moments_before_1970_and_absurd_ones_have_a_quarter_too() {
        assert_eq!(quarter(Timestamp(-1)), -QUARTER_MS);
        let _lowest = quarter(Timestamp(i64::MIN));
        let _highest = quarter(Timestamp(i64::MAX));
    }
}
