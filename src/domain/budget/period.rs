//! Days, weeks and months in the user's zone.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp as Moment};

use crate::domain::call::named;
use crate::domain::units::Timestamp;

named! {
    /// When a budget begins anew, in the user's zone.
    Period {
        /// Every day at midnight.
        Day = "day",
        /// Every Monday.
        Week = "week",
        /// Every first of a month.
        Month = "month",
    }
}

impl Period {
    /// Its first day, for one that holds this day.
    fn first_day(self, day: Date) -> Date {
        match self {
            Self::Day => day,
            Self::Week => {
                let since_monday = i64::from(day.weekday().to_monday_zero_offset());
                day.saturating_sub(Span::new().days(since_monday))
            }
            Self::Month => day.first_of_month(),
        }
    }

    /// The first day of the next one.
    fn next_first_day(self, first: Date) -> Date {
        first.saturating_add(match self {
            Self::Day => Span::new().days(1),
            Self::Week => Span::new().days(7),
            Self::Month => Span::new().months(1),
        })
    }
}

/// The calendar of a zone: where its days begin.
///
/// Days are as long as the zone has them: 23 or 25 hours where its clocks are changed.
#[derive(Clone, Debug)]
pub struct Days(TimeZone);

impl Default for Days {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl Days {
    /// Those of this zone.
    #[must_use]
    pub const fn of(zone: TimeZone) -> Self {
        Self(zone)
    }

    /// The day that holds a moment.
    #[must_use]
    pub fn day(&self, at: Timestamp) -> Date {
        let moment = Moment::from_millisecond(at.0).unwrap_or_default();
        self.0.to_datetime(moment).date()
    }

    /// From when, and until before when, the period lasts that holds a moment.
    #[must_use]
    pub fn bounds(&self, period: Period, at: Timestamp) -> (Timestamp, Timestamp) {
        let first = period.first_day(self.day(at));
        (self.start(first), self.start(period.next_first_day(first)))
    }

    /// The first day of the periods that hold a moment: what happened before it counts in none of them.
    #[must_use]
    pub fn earliest(&self, at: Timestamp) -> Date {
        let day = self.day(at);
        Period::Week.first_day(day).min(Period::Month.first_day(day))
    }

    /// When a day begins: its midnight, or the first moment after it where the clocks skip that.
    #[must_use]
    pub fn start(&self, day: Date) -> Timestamp {
        let start = day
            .to_zoned(self.0.clone())
            .and_then(|start| start.start_of_day());
        Timestamp(start.map_or(i64::MAX, |start| start.timestamp().as_millisecond()))
    }
}
