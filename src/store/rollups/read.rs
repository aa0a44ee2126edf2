//! Sums out of rows.

use std::collections::HashMap;

use rusqlite::{Connection, Row, params};

use super::days;
use super::folding::Folded;
use super::{
    ALL_TIME, CLOCK, DAY_MS, DAYS, DAYS_OF_ALL, DAYS_OF_SESSIONS, HOUR_CLOCK, HOUR_MS, HOURS, Measures,
    Numbers, QUARTER_MS, QUARTERS, QUARTERS_OF_ALL, blob, ceil, floor,
};
use crate::domain::call::{Outcome, Source};
use crate::domain::operation::Operation;
use crate::domain::units::Timestamp;
use crate::domain::wire::Totals;
use crate::store::error::ReadError;
use crate::store::names::{Lookup, find_session};
use crate::store::query::{GroupBy, SessionFilter, Step, Timings, UsageGroup, UsageKeys, UsageQuery};

/// A level and the buckets of it that a query needs, from the first to before the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) level: i64,
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Range {
    /// Ends it where the coarse levels end; gives whether anything is left of it.
    pub(super) fn keep_held(&mut self, folded: Folded) -> bool {
        let held = folded.held(self.from, self.to);
        (self.from, self.to) = held.unwrap_or_default();
        held.is_some()
    }
}

/// The levels to read, from the finest to the coarsest, each with the width of its buckets: those that know apart what is asked
/// for.
fn levels(query: &UsageQuery) -> &'static [(i64, i64)] {
    let by = |dimension| query.group_by.contains(&dimension);
    let knows_sessions = query.session.is_some() || by(GroupBy::Session);
    let knows_all = by(GroupBy::Conversation);
    let is_clock = !knows_sessions && query.group_by.iter().all(|by| *by == GroupBy::Bucket);
    match (&query.step, by(GroupBy::Bucket)) {
        (Step::Hours, true) if is_clock => &[(CLOCK, QUARTER_MS), (HOUR_CLOCK, HOUR_MS)],
        (Step::Quarters, true) if is_clock => &[(CLOCK, QUARTER_MS)],
        (Step::Days(_), true) if is_clock => {
            &[(CLOCK, QUARTER_MS), (HOUR_CLOCK, HOUR_MS), (DAYS_OF_ALL, DAY_MS)]
        }
        (Step::Hours | Step::Quarters, true) if knows_sessions || knows_all => &[(QUARTERS, QUARTER_MS)],
        (Step::Hours, true) => &[(QUARTERS_OF_ALL, QUARTER_MS), (HOURS, HOUR_MS)],
        (Step::Quarters, true) => &[(QUARTERS_OF_ALL, QUARTER_MS)],
        _ if knows_all => &[(QUARTERS, QUARTER_MS), (DAYS, DAY_MS)],
        (_, false) if knows_sessions && (query.from, query.to) == (None, None) => &[(ALL_TIME, QUARTER_MS)],
        _ if knows_sessions => &[(QUARTERS, QUARTER_MS), (DAYS_OF_SESSIONS, DAY_MS)],
        _ => &[
            (QUARTERS_OF_ALL, QUARTER_MS),
            (HOURS, HOUR_MS),
            (DAYS_OF_ALL, DAY_MS),
        ],
    }
}

/// From the first to before the second, in whole quarters.
fn bounds(query: &UsageQuery) -> (i64, i64) {
    (
        query.from.map_or(i64::MIN, |from| floor(from.0, QUARTER_MS)),
        query.to.map_or(i64::MAX, |to| ceil(to.0, QUARTER_MS)),
    )
}

/// The fewest rows that answer a query: those of the coarsest level that knows apart what is asked for, finer ones at the
/// edges, and the quarters that no coarse level holds yet.
fn ranges(query: &UsageQuery, folded: Folded) -> Vec<Range> {
    let (from, to) = bounds(query);
    let mut ranges = Vec::new();
    cut(levels(query), from, to, &mut ranges);
    ranges.retain_mut(|range| range.keep_held(folded));
    ranges.extend(folded.rest(from, to).map(|(from, to)| Range {
        level: QUARTERS,
        from,
        to,
    }));
    ranges
}

/// The coarsest level where its buckets fit whole, the finer ones at the edges. What is open has no edge.
pub(super) fn cut(levels: &[(i64, i64)], from: i64, to: i64, ranges: &mut Vec<Range>) {
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

const BUCKET: usize = GroupBy::Bucket as usize;

fn group_of(row: &Row<'_>, query: &UsageQuery) -> rusqlite::Result<Group> {
    let mut group = Group::default();
    for dimension in &query.group_by {
        let column = *dimension as usize;
        if let Some(key) = group.get_mut(column) {
            *key = match dimension {
                GroupBy::Bucket => match query.step {
                    Step::Quarters => row.get(column)?,
                    Step::Hours => floor(row.get(column)?, HOUR_MS),
                    // Only the piece that the row is of says which.
                    Step::Days(_) => 0,
                },
                _ => row.get(column)?,
            };
        }
    }
    Ok(group)
}

/// The sums of the groups that a query asks for: by time, then the largest first.
pub(in crate::store) fn usage(
    connection: &Connection,
    lookup: &mut Lookup,
    query: &UsageQuery,
) -> Result<Vec<UsageGroup>, ReadError> {
    // Grouping here, not in SQL, keeps the statement constant and spares SQLite a sort.
    macro_rules! select {
        ($index:literal, $session:literal) => {
            concat!(
                "SELECT session, provider, model, client, operation, source, outcome, bucket, conversation, requests, \
                    errors, input, cache_read, cache_write, output, reasoning, total, cost_nano_usd, priced_requests, \
                    unpriced_tokens, inexact_tokens, unknown_requests, duration_ms, \
                    CASE source WHEN 0 THEN 0 ELSE requests - priced_requests END, durations, ttfts \
                 FROM rollups ",
                $index,
                " WHERE level = ?1 AND bucket >= ?2 AND bucket < ?3 AND ",
                $session,
                " AND requests > 0"
            )
        };
    }
    const ANY_SESSION: &str = select!("", "?4 IS NULL");
    const ONE_SESSION: &str = select!("INDEXED BY rollups_session", "session = ?4");
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
    let read = |range: &Range, groups: &mut HashMap<Group, Measures>| -> Result<(), ReadError> {
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
        Ok(())
    };
    let folded = Folded::of(connection)?;
    let mut groups: HashMap<Group, Measures> = HashMap::new();
    match &query.step {
        Step::Days(zone) if query.group_by.contains(&GroupBy::Bucket) => {
            for piece in days::pieces(connection, zone, levels(query), bounds(query), folded)? {
                let mut sums = HashMap::new();
                for range in &piece.ranges {
                    read(range, &mut sums)?;
                }
                for (mut group, measures) in sums {
                    if let Some(day) = piece.added {
                        group[BUCKET] = day;
                        groups.entry(group).or_default().add(&measures);
                    }
                    if let Some(day) = piece.taken {
                        group[BUCKET] = day;
                        groups.entry(group).or_default().add(&measures.negated());
                    }
                }
            }
            // All of it was at an edge, and belongs to the other day.
            groups.retain(|_, measures| measures.numbers != Numbers::default());
        }
        _ => {
            for range in ranges(query, folded) {
                read(&range, &mut groups)?;
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
pub(in crate::store) fn of_sessions(connection: &Connection) -> rusqlite::Result<HashMap<i64, (i64, i64)>> {
    const SELECT: &str = "SELECT session, total, cost_nano_usd FROM rollups \
        WHERE level = ?1 AND bucket >= ?2 AND bucket < ?3";
    let mut sums: HashMap<i64, (i64, i64)> = HashMap::new();
    for range in of_all_time(connection)? {
        let mut statement = connection.prepare_cached(SELECT)?;
        let mut rows = statement.query(params![range.level, range.from, range.to])?;
        while let Some(row) = rows.next()? {
            let (tokens, cost) = sums.entry(row.get(0)?).or_default();
            *tokens = tokens.saturating_add(row.get(1)?);
            *cost = cost.saturating_add(row.get(2)?);
        }
    }
    Ok(sums)
}

/// The sums of one session, by its key; 0 is *Unassigned*.
pub(in crate::store) fn of_session(connection: &Connection, key: i64) -> rusqlite::Result<Totals> {
    // SQLite, which knows nothing of how many sessions there are, would read the level's whole range of buckets.
    const SELECT: &str = "SELECT requests, errors, input, cache_read, cache_write, output, reasoning, total, \
            cost_nano_usd, priced_requests, unpriced_tokens, inexact_tokens, unknown_requests, duration_ms, \
            CASE source WHEN 0 THEN 0 ELSE requests - priced_requests END \
        FROM rollups INDEXED BY rollups_session WHERE level = ?1 AND bucket >= ?2 AND bucket < ?3 AND session = ?4";
    let mut sum = Numbers::default();
    for range in of_all_time(connection)? {
        let mut statement = connection.prepare_cached(SELECT)?;
        let mut rows = statement.query(params![range.level, range.from, range.to, key])?;
        while let Some(row) = rows.next()? {
            sum.add(&Numbers::of_row(row, 0)?);
        }
    }
    Ok(sum.totals())
}

/// Where the sums of all time by session are.
fn of_all_time(connection: &Connection) -> rusqlite::Result<Vec<Range>> {
    let query = UsageQuery {
        group_by: vec![GroupBy::Session],
        ..UsageQuery::default()
    };
    Ok(ranges(&query, Folded::of(connection)?))
}

#[cfg(test)]
mod tests {
    use super::super::quarter;
    use super::*;

    fn plan(from: Option<i64>, to: Option<i64>, group_by: &[GroupBy]) -> Vec<(i64, i64, i64)> {
        let query = UsageQuery {
            from: from.map(Timestamp),
            to: to.map(Timestamp),
            group_by: group_by.to_vec(),
            ..UsageQuery::default()
        };
        ranges(&query, Folded(None))
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
                (QUARTERS_OF_ALL, 3 * DAY_MS, 3 * DAY_MS + QUARTER_MS),
            ]
        );
        assert_eq!(
            plan(Some(QUARTER_MS), Some(DAY_MS + hour + 1), &[]),
            [
                (HOURS, hour, DAY_MS + hour),
                (QUARTERS_OF_ALL, QUARTER_MS, hour),
                (QUARTERS_OF_ALL, DAY_MS + hour, DAY_MS + hour + QUARTER_MS),
            ]
        );
        assert_eq!(
            plan(Some(2 * DAY_MS), None, &[]),
            [(DAYS_OF_ALL, 2 * DAY_MS, i64::MAX)]
        );
        assert_eq!(plan(Some(hour), Some(hour), &[]), []);
    }

    #[test]
    fn what_is_not_folded_yet_is_read_of_the_quarters() {
        let plan = |from: Option<i64>, to: Option<i64>, folded| {
            let query = UsageQuery {
                from: from.map(Timestamp),
                to: to.map(Timestamp),
                ..UsageQuery::default()
            };
            let ranges = ranges(&query, Folded(Some(folded)));
            ranges
                .iter()
                .map(|range| (range.level, range.from, range.to))
                .collect::<Vec<_>>()
        };
        let end = 2 * DAY_MS + HOUR_MS;
        assert_eq!(
            plan(None, None, end),
            [(DAYS_OF_ALL, i64::MIN, end), (QUARTERS, end, i64::MAX)]
        );
        // The edge behind the days is in part folded, in part not.
        assert_eq!(
            plan(
                Some(DAY_MS),
                Some(2 * DAY_MS + 3 * QUARTER_MS),
                2 * DAY_MS + QUARTER_MS
            ),
            [
                (DAYS_OF_ALL, DAY_MS, 2 * DAY_MS),
                (QUARTERS_OF_ALL, 2 * DAY_MS, 2 * DAY_MS + QUARTER_MS),
                (QUARTERS, 2 * DAY_MS + QUARTER_MS, 2 * DAY_MS + 3 * QUARTER_MS),
            ]
        );
        // All of it lies before, all of it behind.
        assert_eq!(plan(Some(0), Some(DAY_MS), end), [(DAYS_OF_ALL, 0, DAY_MS)]);
        assert_eq!(
            plan(Some(end), Some(end + QUARTER_MS), end),
            [(QUARTERS, end, end + QUARTER_MS)]
        );
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
            ranges(&query, Folded(None))
                .iter()
                .map(|range| range.level)
                .collect::<Vec<_>>()
        };
        let (bucket, model) = (GroupBy::Bucket, GroupBy::Model);
        assert_eq!(levels(&[bucket], Step::Quarters, None), [CLOCK]);
        assert_eq!(levels(&[bucket], Step::Hours, None), [HOUR_CLOCK]);
        assert_eq!(levels(&[bucket, model], Step::Hours, None), [HOURS]);
        assert_eq!(levels(&[bucket, model], Step::Quarters, None), [QUARTERS_OF_ALL]);
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
