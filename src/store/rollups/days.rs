//! Sums by the days of a time zone.
//!
//! They are those of UTC days, put right at both ends: what lies between a midnight of the zone and the nearest one in UTC is
//! added to the one day and taken out of the other. So a day is a row of a day and a few hours' where nothing else is asked
//! for, and not the 96 quarters of an hour that it has.

use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension, params};

use super::folding::Folded;
use super::read::{Range, cut};
use super::{DAY_MS, QUARTER_MS, QUARTERS, ceil, floor};

/// Ranges whose sums are added to those of one day, and taken out of those of another.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) ranges: Vec<Range>,
    pub(super) added: Option<i64>,
    pub(super) taken: Option<i64>,
}

/// A day of the zone, as far as it is asked for.
#[derive(Clone, Copy)]
struct Day {
    /// When it begins, whether that is asked for or not.
    name: i64,
    from: i64,
    to: i64,
}

/// What a range's sums by days are made of. The levels are those that can be read, the finest first, with their widths: the last
/// has days.
pub(super) fn pieces(
    connection: &Connection,
    zone: &TimeZone,
    levels: &[(i64, i64)],
    (from, to): (i64, i64),
    folded: Folded,
) -> rusqlite::Result<Vec<Piece>> {
    let days = days(connection, zone, from, to)?;
    let Some(((level, _), finer)) = levels.split_last() else {
        return Ok(Vec::new());
    };
    let mut pieces = Vec::new();
    let mut edge = |at: i64, before: Option<i64>, behind: Option<i64>| {
        let midnight = nearest_midnight(at);
        let (added, taken) = if midnight < at {
            (before, behind)
        } else {
            (behind, before)
        };
        let mut ranges = Vec::new();
        cut(finer, at.min(midnight), at.max(midnight), &mut ranges);
        pieces.push(Piece { ranges, added, taken });
    };
    let mut last: Option<Day> = None;
    for day in &days {
        match last.filter(|last| last.to == day.from) {
            Some(last) => edge(day.from, Some(last.name), Some(day.name)),
            None => {
                if let Some(last) = last {
                    edge(last.to, Some(last.name), None);
                }
                edge(day.from, None, Some(day.name));
            }
        }
        last = Some(*day);
    }
    if let Some(last) = last {
        edge(last.to, Some(last.name), None);
    }
    for day in &days {
        let middle = Range {
            level: *level,
            from: nearest_midnight(day.from),
            to: nearest_midnight(day.to),
        };
        pieces.push(Piece {
            ranges: vec![middle],
            added: Some(day.name),
            taken: None,
        });
    }
    for piece in &mut pieces {
        piece.ranges.retain_mut(|range| range.keep_held(folded));
    }
    for day in &days {
        if let Some((from, to)) = folded.rest(day.from, day.to) {
            pieces.push(Piece {
                ranges: vec![Range {
                    level: QUARTERS,
                    from,
                    to,
                }],
                added: Some(day.name),
                taken: None,
            });
        }
    }
    pieces.retain(|piece| !piece.ranges.is_empty());
    Ok(pieces)
}

fn nearest_midnight(at: i64) -> i64 {
    floor(at.saturating_add(DAY_MS / 2), DAY_MS)
}

/// The days on which there are calls.
fn days(connection: &Connection, zone: &TimeZone, from: i64, to: i64) -> rusqlite::Result<Vec<Day>> {
    const NEXT: &str = "SELECT bucket FROM rollups WHERE level = ?1 AND bucket >= ?2 AND bucket < ?3 \
        ORDER BY bucket LIMIT 1";
    let mut statement = connection.prepare_cached(NEXT)?;
    let mut days = Vec::new();
    let mut at = from;
    while let Some(bucket) = statement
        .query_row(params![QUARTERS, at, to], |row| row.get(0))
        .optional()?
    {
        let (name, end) = day(zone, bucket);
        at = ceil(end, QUARTER_MS).max(bucket.saturating_add(QUARTER_MS));
        days.push(Day {
            name,
            from: ceil(name, QUARTER_MS).max(from),
            to: at.min(to),
        });
    }
    Ok(days)
}

/// The beginning and the end of the day that a moment is in; that of UTC, if it is beyond the calendar.
fn day(zone: &TimeZone, at: i64) -> (i64, i64) {
    let in_zone = || {
        let local = jiff::Timestamp::from_millisecond(at).ok()?.to_zoned(zone.clone());
        let end = local.tomorrow().ok()?.start_of_day().ok()?;
        let start = local.start_of_day().ok()?;
        Some((
            start.timestamp().as_millisecond(),
            end.timestamp().as_millisecond(),
        ))
    };
    in_zone().unwrap_or_else(|| {
        let start = floor(at, DAY_MS);
        (start, start.saturating_add(DAY_MS))
    })
}

#[cfg(test)]
mod tests {
    use super::super::{DAYS_OF_ALL, HOUR_MS, HOURS, QUARTERS_OF_ALL};
    use super::*;
    use crate::store::migrations;

    const LEVELS: [(i64, i64); 3] = [
        (QUARTERS_OF_ALL, QUARTER_MS),
        (HOURS, HOUR_MS),
        (DAYS_OF_ALL, DAY_MS),
    ];

    fn plan(zone: &str, buckets: &[i64]) -> Vec<Piece> {
        let mut connection = Connection::open_in_memory().unwrap();
        migrations::run(&mut connection).unwrap();
        for bucket in buckets {
            let insert = "INSERT INTO rollups VALUES (0, ?1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, \
                0, 0, x'', x'')";
            connection.execute(insert, [bucket]).unwrap();
        }
        let zone = TimeZone::get(zone).unwrap();
        let all = (i64::MIN, i64::MAX);
        pieces(&connection, &zone, &LEVELS, all, Folded(Some(i64::MAX))).unwrap()
    }

    fn piece(ranges: &[(i64, i64, i64)], added: Option<i64>, taken: Option<i64>) -> Piece {
        let ranges = ranges
            .iter()
            .map(|(level, from, to)| Range {
                level: *level,
                from: *from,
                to: *to,
            })
            .collect();
        Piece { ranges, added, taken }
    }

    #[test]
    fn a_day_of_utc_is_one_range() {
        assert_eq!(
            plan("UTC", &[3 * DAY_MS + HOUR_MS, 9 * DAY_MS]),
            [
                piece(&[(DAYS_OF_ALL, 3 * DAY_MS, 4 * DAY_MS)], Some(3 * DAY_MS), None),
                piece(&[(DAYS_OF_ALL, 9 * DAY_MS, 10 * DAY_MS)], Some(9 * DAY_MS), None),
            ]
        );
    }

    #[test]
    fn another_zones_days_are_those_of_utc_put_right_at_both_ends() {
        // Kolkata's days begin at half past six in the evening.
        let midnight = |day: i64| day * DAY_MS - 5 * HOUR_MS - 2 * QUARTER_MS;
        let edge = |day: i64| {
            [
                (HOURS, midnight(day) + 2 * QUARTER_MS, day * DAY_MS),
                (QUARTERS_OF_ALL, midnight(day), midnight(day) + 2 * QUARTER_MS),
            ]
        };
        let (first, second) = (Some(midnight(1)), Some(midnight(2)));
        assert_eq!(
            plan("Asia/Kolkata", &[DAY_MS, 2 * DAY_MS]),
            [
                piece(&edge(1), first, None),
                piece(&edge(2), second, first),
                piece(&edge(3), None, second),
                piece(&[(DAYS_OF_ALL, DAY_MS, 2 * DAY_MS)], first, None),
                piece(&[(DAYS_OF_ALL, 2 * DAY_MS, 3 * DAY_MS)], second, None),
            ]
        );
    }

    #[test]
    fn absurd_moments_have_a_day_too() {
        for at in [i64::MIN, -1, i64::MAX - QUARTER_MS] {
            let at = floor(at, QUARTER_MS);
            assert!(plan("Asia/Kathmandu", &[at]).len() <= 3);
        }
    }
}
