//! The table `rollups`: sums over ended calls, from which every total is read.
//!
//! One call's contribution is what [`Totals::add`] makes of it, so the sums cannot mean anything else. Several levels hold
//! the same sums, each for one kind of question, so that no answer reads many more rows than it gives:
//!
//! Only the quarters change with every call: one row, not nine. The coarse levels take a quarter up when it is over and are
//! behind until then, so that what is read of them is completed from the youngest quarters (see [`folding`]).
//!
//! Days of other zones than UTC are made of them in [`days`].
//!
//! | level | cut by | knows apart |
//! |---|---|---|
//! | [`QUARTERS`] | quarters of an hour, which fit every zone's days | all |
//! | [`DAYS`] | UTC days, for the middle of a long range or of another zone's day | all |
//! | [`ALL_TIME`] | nothing | all but the conversation: these come without end |
//! | [`CLOCK`] | quarters of an hour | only whether numbers are known: for calendars |
//! | [`HOURS`] | hours, for zones that are whole ones beside UTC | neither session nor conversation |
//! | [`DAYS_OF_ALL`] | UTC days | neither session nor conversation |
//! | [`DAYS_OF_SESSIONS`] | UTC days | all but the conversation |
//! | [`HOUR_CLOCK`] | hours | only whether numbers are known |
//! | [`QUARTERS_OF_ALL`] | quarters of an hour, for the other zones | neither session nor conversation |

mod days;
mod folding;
mod read;
mod write;

use rusqlite::Row;

use super::sql_types::signed;
use crate::domain::call::Call;
use crate::domain::histogram::Histogram;
use crate::domain::units::{Millis, Timestamp};
use crate::domain::wire::Totals;

pub(super) use folding::{fold_anew, forget, renew};
pub(super) use read::{of_session, of_sessions, usage};
pub(super) use write::{Changes, unassign};

const QUARTER_MS: i64 = 15 * 60 * 1_000;
const HOUR_MS: i64 = 60 * 60 * 1_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The table's levels.
pub(super) const QUARTERS: i64 = 0;
const DAYS: i64 = 1;
const ALL_TIME: i64 = 2;
const CLOCK: i64 = 3;
const HOURS: i64 = 4;
const DAYS_OF_ALL: i64 = 5;
const DAYS_OF_SESSIONS: i64 = 6;
const HOUR_CLOCK: i64 = 7;
const QUARTERS_OF_ALL: i64 = 8;

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
    /// The keys of the coarse levels' rows that hold a quarter's, each with its level.
    fn coarse(self) -> [(i64, Self); 8] {
        let without_conversation = Self {
            conversation: 0,
            ..self
        };
        let of_all = |key: Self| Self { session: 0, ..key };
        let clock = Self {
            source: if self.source == 0 { 0 } else { KNOWN },
            ..Self::nobody(self.bucket)
        };
        let hour = Self {
            bucket: floor(self.bucket, HOUR_MS),
            ..of_all(without_conversation)
        };
        let day = Self {
            bucket: floor(self.bucket, DAY_MS),
            ..self
        };
        let all_time = Self {
            bucket: 0,
            ..without_conversation
        };
        let day_of_session = Self {
            bucket: day.bucket,
            ..without_conversation
        };
        let hour_clock = Self {
            bucket: hour.bucket,
            ..clock
        };
        [
            (DAYS, day),
            (ALL_TIME, all_time),
            (CLOCK, clock),
            (HOURS, hour),
            (DAYS_OF_ALL, of_all(day_of_session)),
            (DAYS_OF_SESSIONS, day_of_session),
            (HOUR_CLOCK, hour_clock),
            (QUARTERS_OF_ALL, of_all(without_conversation)),
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

    /// A row's sums, from a column on: the numbers, then how long.
    fn of_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let mut measures = Self {
            numbers: Numbers::of_row(row, first)?,
            ..Self::default()
        };
        measures.durations.add_bytes(blob(row, first + NUMBERS)?);
        measures.ttfts.add_bytes(blob(row, first + NUMBERS + 1)?);
        Ok(measures)
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
struct Numbers([i64; NUMBERS]);

const NUMBERS: usize = 15;

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

/// A row's bytes; what is something else is none.
fn blob<'row>(row: &'row Row<'_>, column: usize) -> rusqlite::Result<&'row [u8]> {
    Ok(row.get_ref(column)?.as_blob().unwrap_or_default())
}
