//! Periods of the viewer's calendar.

use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};

use crate::domain::units::Timestamp;

/// When a period began in the viewer's zone; `Some(None)` for all time, `None` for no period.
pub(crate) fn period_start(period: &str, now: Timestamp, zone: TimeZone) -> Option<Option<Timestamp>> {
    let now = jiff::Timestamp::from_millisecond(now.0).ok()?.to_zoned(zone);
    let midnight = |day: Zoned| day.start_of_day();
    let start = match period {
        "all" => return Some(None),
        "hour" => now.checked_sub(1.hour()),
        "day" => midnight(now),
        // ISO 8601: a week begins on Monday.
        "week" => {
            let back = i64::from(now.weekday().to_monday_zero_offset());
            midnight(now).and_then(|day| day.checked_sub(back.days()))
        }
        "month" => now.first_of_month().and_then(midnight),
        "year" => now.first_of_year().and_then(midnight),
        _ => return None,
    };
    Some(Some(Timestamp(start.ok()?.timestamp().as_millisecond())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(period: &str, now: &str, zone: &str) -> String {
        let now: jiff::Timestamp = now.parse().unwrap();
        let start = period_start(
            period,
            Timestamp(now.as_millisecond()),
            TimeZone::get(zone).unwrap(),
        );
        jiff::Timestamp::from_millisecond(start.unwrap().unwrap().0)
            .unwrap()
            .to_string()
    }

    #[test]
    fn periods_begin_in_the_viewers_zone_also_on_the_days_the_clocks_change() {
        let (berlin, kolkata) = ("Europe/Berlin", "Asia/Kolkata");
        assert_eq!(
            start("day", "2026-11-22T08:00:00Z", berlin),
            "2026-11-21T23:00:00Z"
        );
        assert_eq!(
            start("day", "2026-11-22T20:00:00Z", kolkata),
            "2026-11-22T18:30:00Z"
        );
        assert_eq!(
            start("day", "2026-03-29T12:00:00Z", berlin),
            "2026-03-28T23:00:00Z",
            "23 hours long"
        );
        assert_eq!(
            start("day", "2026-10-25T22:30:00Z", berlin),
            "2026-10-24T22:00:00Z",
            "25 hours long"
        );
        assert_eq!(
            start("week", "2026-11-22T08:00:00Z", berlin),
            "2026-11-15T23:00:00Z"
        );
        assert_eq!(
            start("month", "2026-11-22T08:00:00Z", berlin),
            "2026-10-31T23:00:00Z"
        );
        assert_eq!(
            start("year", "2026-11-22T08:00:00Z", berlin),
            "2025-12-31T23:00:00Z"
        );
        assert_eq!(
            start("hour", "2026-11-22T08:00:00Z", berlin),
            "2026-11-22T07:00:00Z"
        );
        assert_eq!(period_start("all", Timestamp(0), TimeZone::UTC), Some(None));
        assert_eq!(period_start("fortnight", Timestamp(0), TimeZone::UTC), None);
    }
}
