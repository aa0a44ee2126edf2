//! `GET /api/analytics/heatmap`: by day over a year, or by weekday and hour.

use axum::Json;
use axum::extract::State;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};

use super::super::ApiState;
use super::super::calls::{moment, session};
use super::super::describe;
use super::super::error::ApiError;
use super::super::query::Params;
use super::{hours, zone};
use crate::domain::units::Timestamp;
use crate::domain::wire::{Heatmap, HeatmapCell, HeatmapKind};
use crate::store::{GroupBy, Step, UsageGroup, UsageQuery};

/// A year, today included.
const DAYS: i32 = 365;
/// The longest range: ten years.
const MOST_DAYS: i32 = 3_660;

#[utoipa::path(
    get,
    path = "/analytics/heatmap",
    tag = "calls",
    summary = "What was used when: by day, or by weekday and hour.",
    params(describe::HeatmapFilters),
    responses((status = 200, body = Heatmap))
)]
pub(in crate::api) async fn get(
    State(state): State<ApiState>,
    params: Params,
) -> Result<Json<Heatmap>, ApiError> {
    params.only(&["kind", "session", "from", "to", "timeZone"])?;
    let kind = params.get("kind", "year or week", HeatmapKind::from_name)?;
    let kind = kind.unwrap_or(HeatmapKind::Year);
    let zone = zone(&params)?;
    let to = moment(&params, "to")?.unwrap_or_else(|| state.engine().now().wall);
    let from = moment(&params, "from")?;
    let range = Range::of(from, to, &zone).ok_or_else(|| {
        let detail = format!("a heatmap's range begins before it ends, and has at most {MOST_DAYS} days");
        ApiError::field(if from.is_some() { "from" } else { "to" }, detail)
    })?;
    let query = UsageQuery {
        from: Some(range.from),
        to: Some(to),
        session: session(&params)?,
        group_by: vec![GroupBy::Bucket],
        step: match kind {
            HeatmapKind::Year => Step::Days(zone.clone()),
            HeatmapKind::Week => hours(&zone, Some(range.from), Some(to), to),
        },
        ..UsageQuery::default()
    };
    let groups = state.read(move |reader| reader.usage(&query)).await?;
    Ok(Json(Heatmap {
        kind,
        time_zone: zone.iana_name().map(str::to_owned),
        from: range.from.0,
        to: to.0,
        cells: range.cells(kind, &groups, &zone),
    }))
}

/// A range, and its days in the viewer's zone.
struct Range {
    from: Timestamp,
    first: Date,
    days: i32,
}

impl Range {
    /// `None` if it is empty or too long, or beyond the calendar. Without a beginning it is the year that ends with it.
    fn of(from: Option<Timestamp>, to: Timestamp, zone: &TimeZone) -> Option<Self> {
        let last = day(Timestamp(to.0.checked_sub(1)?), zone)?;
        let first = match from {
            Some(from) if from >= to => return None,
            Some(from) => day(from, zone)?,
            None => last.checked_sub((DAYS - 1).days()).ok()?,
        };
        let from = match from {
            Some(from) => from,
            None => {
                let midnight = first.to_zoned(zone.clone()).ok()?;
                Timestamp(midnight.timestamp().as_millisecond())
            }
        };
        let days = last.since(first).ok()?.get_days() + 1;
        (days <= MOST_DAYS).then_some(Self { from, first, days })
    }

    fn cells(&self, kind: HeatmapKind, groups: &[UsageGroup], zone: &TimeZone) -> Vec<HeatmapCell> {
        let mut cells: Vec<HeatmapCell> = match kind {
            HeatmapKind::Year => (0..self.days)
                .filter_map(|days| self.first.checked_add(days.days()).ok())
                .map(|day| HeatmapCell {
                    day: Some(day.to_string()),
                    weekday: day.weekday().to_monday_one_offset(),
                    ..HeatmapCell::default()
                })
                .collect(),
            HeatmapKind::Week => (1..=7)
                .flat_map(|weekday| (0..24).map(move |hour| (weekday, hour)))
                .map(|(weekday, hour)| HeatmapCell {
                    weekday,
                    hour_of_day: Some(hour),
                    ..HeatmapCell::default()
                })
                .collect(),
        };
        for group in groups {
            let Some(local) = group.keys.bucket.and_then(|at| local(at, zone)) else {
                continue;
            };
            let place = match kind {
                HeatmapKind::Year => match local.date().since(self.first) {
                    Ok(since) => i64::from(since.get_days()),
                    Err(_) => continue,
                },
                HeatmapKind::Week => {
                    i64::from(local.weekday().to_monday_zero_offset()) * 24 + i64::from(local.hour())
                }
            };
            if let Some(cell) = usize::try_from(place).ok().and_then(|place| cells.get_mut(place)) {
                cell.add(&group.totals);
            }
        }
        cells
    }
}

fn local(at: Timestamp, zone: &TimeZone) -> Option<Zoned> {
    let at = jiff::Timestamp::from_millisecond(at.0).ok()?;
    Some(at.to_zoned(zone.clone()))
}

fn day(at: Timestamp, zone: &TimeZone) -> Option<Date> {
    local(at, zone).map(|local| local.date())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::histogram::Histogram;
    use crate::domain::units::Millis;
    use crate::domain::wire::Totals;
    use crate::store::UsageKeys;

    fn at(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    fn group(text: &str, total: u64) -> UsageGroup {
        UsageGroup {
            keys: UsageKeys {
                bucket: Some(at(text)),
                ..UsageKeys::default()
            },
            totals: Totals {
                requests: 1,
                total,
                ..Totals::default()
            },
            duration: Millis(0),
            durations: Histogram::default(),
            ttfts: Histogram::default(),
        }
    }

    #[test]
    fn a_year_has_every_day_and_the_days_on_which_clocks_change_are_whole() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let range = Range::of(None, at("2026-11-22T12:00:00Z"), &zone).unwrap();
        assert_eq!(range.from, at("2025-11-22T23:00:00Z"));
        let groups = [
            group("2025-11-22T23:00:00Z", 1),
            // 2026-03-29 has 23 hours, from 23:00Z to 22:00Z.
            group("2026-03-28T23:00:00Z", 2),
            group("2026-03-29T21:45:00Z", 4),
            group("2026-03-29T22:00:00Z", 8),
            // 2026-10-25 has 25, from 22:00Z to 23:00Z.
            group("2026-10-24T22:00:00Z", 16),
            group("2026-10-25T22:45:00Z", 32),
            group("2026-11-22T11:45:00Z", 64),
        ];
        let cells = range.cells(HeatmapKind::Year, &groups, &zone);
        assert_eq!(cells.len(), 365);
        let found: Vec<_> = cells
            .iter()
            .filter(|cell| cell.requests > 0)
            .map(|cell| (cell.day.as_deref().unwrap(), cell.weekday, cell.total))
            .collect();
        assert_eq!(
            found,
            [
                ("2025-11-23", 7, 1),
                ("2026-03-29", 7, 6),
                ("2026-03-30", 1, 8),
                ("2026-10-25", 7, 48),
                ("2026-11-22", 7, 64),
            ]
        );
    }

    #[test]
    fn a_week_has_every_hour_and_adds_up_the_weeks() {
        let zone = TimeZone::get("Asia/Kolkata").unwrap();
        let range = Range::of(
            Some(at("2026-11-01T00:00:00Z")),
            at("2026-11-22T12:00:00Z"),
            &zone,
        )
        .unwrap();
        let groups = [
            group("2026-11-09T03:30:00Z", 1),
            group("2026-11-16T04:15:00Z", 2),
            group("2026-11-16T04:30:00Z", 4),
        ];
        let cells = range.cells(HeatmapKind::Week, &groups, &zone);
        assert_eq!(cells.len(), 168);
        let cell = |weekday, hour| {
            let mut cells = cells.iter();
            let found = cells.find(|cell| cell.weekday == weekday && cell.hour_of_day == Some(hour));
            found.unwrap().total
        };
        assert_eq!((cell(1, 9), cell(1, 10)), (3, 4), "Mondays at nine and at ten");
        assert_eq!(cells.iter().map(|cell| cell.total).sum::<u64>(), 7);
    }

    #[test]
    fn a_range_is_neither_empty_nor_endless() {
        let zone = TimeZone::UTC;
        let now = at("2026-11-22T12:00:00Z");
        assert!(Range::of(Some(now), now, &zone).is_none());
        assert!(Range::of(Some(Timestamp(0)), now, &zone).is_none());
        assert!(Range::of(None, Timestamp(i64::MIN), &zone).is_none());
        assert!(Range::of(None, Timestamp(i64::MAX), &zone).is_none());
        assert_eq!(Range::of(Some(Timestamp(now.0 - 1)), now, &zone).unwrap().days, 1);
    }
}
