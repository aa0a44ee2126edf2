//! Sums the slow way, to compare the answers with: every call by itself, its moment read off the zone's own clock. Nothing
//! here knows of the sums that the store keeps.

#![expect(
    clippy::disallowed_methods,
    reason = "what is compared with the store must not be read by the store"
)]

use std::collections::HashMap;
use std::path::Path;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rusqlite::{Connection, OpenFlags};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// What is summed up of the calls, as the API names it, and what one call adds to it. A call without numbers that was not
/// refused is unknown; one that is counted with another is in no sum.
const SUMMED: [(&str, &str); 14] = [
    ("requests", "1"),
    ("errors", "outcome <> complete"),
    ("input", "prompt"),
    ("cacheRead", "cached"),
    ("cacheWrite", "written"),
    ("output", "generated"),
    ("reasoning", "thought"),
    ("total", "total"),
    ("costNanoUsd", "ifnull(cost, 0)"),
    ("unpricedTokens", "iif(cost IS NULL, total, 0)"),
    ("unpricedRequests", "cost IS NULL AND source IS NOT NULL"),
    ("inexactTokens", "iif(source IS exact, 0, total)"),
    (
        "unknownRequests",
        "is_unknown AND NOT (outcome = refused AND ifnull(status, 0) >= 400)",
    ),
    ("durationMs", "duration_ms"),
];

const CALLS: &str = "\
    WITH known AS ( \
        SELECT (SELECT id FROM names WHERE name = 'complete') AS complete, \
               (SELECT id FROM names WHERE name = 'upstream_error') AS refused, \
               (SELECT id FROM names WHERE name = 'exact') AS exact \
    ), parts AS NOT MATERIALIZED ( \
        SELECT started_at, coalesce(model, request_model, 0) AS model, outcome, status, source, \
               cost_nano_usd AS cost, duration_ms, ttft_ms, \
               ifnull(input_tokens, 0) + ifnull(audio_in_tokens, 0) + ifnull(image_in_tokens, 0) AS prompt, \
               ifnull(cache_read_tokens, 0) AS cached, \
               ifnull(cache_write_5m_tokens, 0) + ifnull(cache_write_1h_tokens, 0) AS written, \
               ifnull(output_tokens, 0) + ifnull(reasoning_tokens, 0) + ifnull(audio_out_tokens, 0) \
                   + ifnull(image_out_tokens, 0) AS generated, \
               ifnull(reasoning_tokens, 0) AS thought, \
               ifnull(unsplit_tokens, 0) AS unsplit, \
               coalesce(input_tokens, audio_in_tokens, image_in_tokens, cache_read_tokens, cache_write_5m_tokens, \
                   cache_write_1h_tokens, output_tokens, reasoning_tokens, audio_out_tokens, image_out_tokens, \
                   unsplit_tokens) IS NULL AS is_unknown \
        FROM calls WHERE counted_by IS NULL \
    ), whole AS NOT MATERIALIZED ( \
        SELECT *, prompt + cached + written + generated + unsplit AS total FROM parts \
    ) SELECT started_at, model, duration_ms, ttft_ms, cost IS NOT NULL";

/// Under what a call is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Hour,
    Day,
    DayAndModel,
    WeekdayAndHour,
}

/// Where a call is counted: the moment an hour began, the days since 1970, or the hours since Monday began; and the model.
pub(crate) type Place = (i64, i64);

/// Sums of the calls since a moment in a zone, by what is asked.
pub(crate) struct Wanted {
    /// Which of the zones.
    pub(crate) zone: usize,
    pub(crate) from: i64,
    pub(crate) by: By,
    pub(crate) found: HashMap<Place, Sums>,
}

#[derive(Clone, Default)]
pub(crate) struct Sums {
    numbers: [i64; SUMMED.len()],
    priced: u64,
    durations: Spread,
    ttfts: Spread,
}

impl Sums {
    pub(crate) fn merge(&mut self, other: &Self) {
        for (sum, number) in self.numbers.iter_mut().zip(other.numbers) {
            *sum += number;
        }
        self.priced += other.priced;
    }

    /// Each sum by its name; `None` where no call has a price.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&'static str, Option<i64>)> {
        let numbers = SUMMED.iter().zip(self.numbers);
        numbers.map(|((name, _), number)| {
            (
                *name,
                (*name != "costNanoUsd" || self.priced > 0).then_some(number),
            )
        })
    }

    /// A share by its name, to four digits; `None` where there is nothing to compare with.
    pub(crate) fn shares(&self) -> [(&'static str, Option<f64>); 3] {
        let of = |name: &str| self.named().find(|(known, _)| *known == name);
        let number = |name: &str| of(name).and_then(|(_, number)| number).unwrap_or(0) as f64;
        let share = |part: f64, whole: f64| (whole > 0.0).then(|| (part / whole * 1e4).round() / 1e4);
        let prompt = number("input") + number("cacheRead") + number("cacheWrite");
        let priced = number("total") - number("unpricedTokens");
        [
            ("cacheHitShare", share(number("cacheRead"), prompt)),
            ("pricedShare", share(priced, number("total"))),
            (
                "outputPerSecond",
                share(number("output"), number("durationMs") / 1e3),
            ),
        ]
    }

    /// Between what a percentile must lie, by its name.
    pub(crate) fn percentiles(&self) -> impl Iterator<Item = (String, Option<(f64, f64)>)> {
        let took = [("duration", &self.durations), ("ttft", &self.ttfts)];
        took.into_iter().flat_map(|(name, spread)| {
            [50, 90, 99].map(|share| (format!("{name}P{share}Ms"), spread.percentile(share)))
        })
    }
}

/// How long calls took, counted in steps of a hundredth.
#[derive(Clone, Default)]
struct Spread(Vec<u32>);

impl Spread {
    const STEP: f64 = 1.01;

    fn step(took: i64) -> usize {
        match took {
            ..=0 => 0,
            _ => ((took as f64).ln() / Self::STEP.ln()) as usize + 1,
        }
    }

    fn add(&mut self, step: usize) {
        if self.0.len() <= step {
            self.0.resize(step + 1, 0);
        }
        self.0[step] += 1;
    }

    /// The API is allowed 5 % and its rounding to a whole number.
    fn percentile(&self, share: u64) -> Option<(f64, f64)> {
        let all: u64 = self.0.iter().copied().map(u64::from).sum();
        let rank = (all * share).div_ceil(100);
        let mut passed = 0;
        let step = self.0.iter().position(|count| {
            passed += u64::from(*count);
            passed >= rank && passed > 0
        })?;
        let at = |step: i32| Self::STEP.powi(step);
        Some(match step as i32 {
            0 => (0.0, 0.0),
            step => (at(step - 1) * 0.95 - 1.0, at(step) * 1.05 + 1.0),
        })
    }
}

/// A zone's clock: from which moment on it is ahead of UTC by how much.
struct Clock {
    ahead: Vec<(i64, i64)>,
}

impl Clock {
    /// As the time zone database has it for the years that calls can be of.
    fn of(zone: &TimeZone) -> Self {
        let first: Timestamp = "2000-01-01T00:00Z".parse().expect("a moment");
        let last: Timestamp = "2100-01-01T00:00Z".parse().expect("a moment");
        let at_first = (i64::MIN, i64::from(zone.to_offset(first).seconds()) * 1_000);
        let changes = zone
            .following(first)
            .take_while(|change| change.timestamp() < last);
        let changes = changes.map(|change| {
            let ahead = i64::from(change.offset().seconds()) * 1_000;
            (change.timestamp().as_millisecond(), ahead)
        });
        Self {
            ahead: std::iter::once(at_first).chain(changes).collect(),
        }
    }

    /// What the clock shows: milliseconds since 1970 began there.
    fn shows(&self, at: i64) -> i64 {
        let after = self.ahead.partition_point(|(from, _)| *from <= at);
        at + self.ahead[after - 1].1
    }
}

fn place(by: By, at: i64, local: i64, model: i64) -> Place {
    let day = local.div_euclid(DAY_MS);
    let hour = local.rem_euclid(DAY_MS) / HOUR_MS;
    match by {
        By::Hour => (at - local.rem_euclid(HOUR_MS), 0),
        By::Day => (day, 0),
        By::DayAndModel => (day, model),
        // 1970 began on a Thursday.
        By::WeekdayAndHour => ((day + 3).rem_euclid(7) * 24 + hour, 0),
    }
}

/// A day by how many there were since 1970, and back.
pub(crate) fn days_since(day: Date) -> i64 {
    let first = Date::constant(1970, 1, 1);
    i64::from(day.since(first).expect("a day of our times").get_days())
}

pub(crate) fn date_of(day: i64) -> Date {
    let first = Date::constant(1970, 1, 1);
    first.checked_add(day.days()).expect("a day of our times")
}

/// Goes through all calls once. Gives the names of the models by their ids.
pub(crate) fn scan(database: &Path, zones: &[TimeZone], wanted: &mut [Wanted]) -> HashMap<String, i64> {
    let connection =
        Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the database");
    let clocks: Vec<Clock> = zones.iter().map(Clock::of).collect();
    let mut sql = CALLS.to_owned();
    for (_, adds) in SUMMED {
        sql.push_str(", ");
        sql.push_str(adds);
    }
    sql.push_str(" FROM whole, known");
    let mut statement = connection.prepare(&sql).expect("SQL");
    let mut rows = statement.query([]).expect("rows");
    while let Some(row) = rows.next().expect("a row") {
        let number = |column: usize| row.get::<_, Option<i64>>(column).expect("a number");
        let [at, model, took] = [0, 1, 2].map(|column| number(column).expect("a number"));
        let (took, first_byte) = (Spread::step(took), number(3).map(Spread::step));
        let mut numbers = [0; SUMMED.len()];
        for (column, into) in numbers.iter_mut().enumerate() {
            *into = number(column + 5).expect("a number");
        }
        let locals: Vec<i64> = clocks.iter().map(|clock| clock.shows(at)).collect();
        for wanted in wanted.iter_mut().filter(|wanted| wanted.from <= at) {
            let place = place(wanted.by, at, locals[wanted.zone], model);
            let sums = wanted.found.entry(place).or_default();
            for (sum, number) in sums.numbers.iter_mut().zip(numbers) {
                *sum += number;
            }
            sums.priced += u64::from(number(4) == Some(1));
            sums.durations.add(took);
            if let Some(step) = first_byte {
                sums.ttfts.add(step);
            }
        }
    }
    let mut names = connection.prepare("SELECT name, id FROM names").expect("SQL");
    let names = names
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("rows");
    names.collect::<Result<_, _>>().expect("names")
}
