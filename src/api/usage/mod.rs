//! `GET /api/analytics/usage`: sums over a period, grouped.

pub(crate) mod group;
pub(super) mod heatmap;
pub(crate) mod period;

use axum::Json;
use axum::extract::State;
use jiff::tz::TimeZone;

use super::ApiState;
use super::calls::{moment, session};
use super::describe;
use super::error::ApiError;
use super::query::Params;
use crate::domain::units::Timestamp;
use crate::domain::wire::UsagePage;
use crate::store::{Step, Timings, UsageQuery};
use group::{GROUPS, Grouping};
use period::period_start;

/// The viewer's zone; the machine's, if none is named.
fn zone(params: &Params) -> Result<TimeZone, ApiError> {
    let zone = params.get("timeZone", "an IANA time zone such as Europe/Berlin", |name| {
        TimeZone::get(name).ok()
    })?;
    Ok(zone.unwrap_or_else(TimeZone::system))
}

/// How finely time has to be cut: by days, if nothing finer is asked for.
pub(crate) fn step(
    grouping: &Grouping,
    zone: &TimeZone,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    now: Timestamp,
) -> Step {
    match grouping.knows_hours() {
        true => hours(zone, from, to, now),
        false => Step::Days(zone.clone()),
    }
}

/// How finely time has to be cut for a zone's hours: by hours, where they begin at those of UTC all the time.
fn hours(zone: &TimeZone, from: Option<Timestamp>, to: Option<Timestamp>, now: Timestamp) -> Step {
    let at = |at: Timestamp| jiff::Timestamp::from_millisecond(at.0).ok();
    let is_whole = |moment| zone.to_offset(moment).seconds() % 3_600 == 0;
    let (Some(first), Some(last)) = (at(from.unwrap_or(EARLIEST)), at(to.unwrap_or(now))) else {
        return Step::Quarters;
    };
    let mut changes = zone
        .following(first)
        .take_while(|change| change.timestamp() < last);
    match is_whole(first) && changes.all(|change| change.offset().seconds() % 3_600 == 0) {
        true => Step::Hours,
        false => Step::Quarters,
    }
}

/// Before the first call of anybody.
const EARLIEST: Timestamp = Timestamp(1_500_000_000_000);

const PERIODS: &str = "hour, day, week, month, year or all";

#[utoipa::path(
    get,
    path = "/analytics/usage",
    tag = "calls",
    summary = "Sums over a period, grouped.",
    params(describe::UsageFilters),
    responses((status = 200, body = UsagePage))
)]
pub(super) async fn get(State(state): State<ApiState>, params: Params) -> Result<Json<UsagePage>, ApiError> {
    params.only(&["period", "groupBy", "session", "from", "to", "timeZone"])?;
    let zone = zone(&params)?;
    let grouping = params
        .get("groupBy", GROUPS, Grouping::parse)?
        .unwrap_or_default();
    let period = params.text("period").unwrap_or("all").to_owned();
    let now = state.engine().now().wall;
    let start = period_start(&period, now, zone.clone())
        .ok_or_else(|| ApiError::field("period", format!("`period` is `{period}`; expected {PERIODS}")))?;
    let from = moment(&params, "from")?.or(start);
    let to = moment(&params, "to")?;
    let all = UsageQuery {
        from,
        to,
        session: session(&params)?,
        ..UsageQuery::default()
    };
    let query = UsageQuery {
        group_by: grouping.stored(),
        step: step(&grouping, &zone, from, to, now),
        timings: Timings::Wanted,
        ..all.clone()
    };
    let (groups, totals) = state
        .read(move |reader| Ok::<_, crate::store::ReadError>((reader.usage(&query)?, reader.usage(&all)?)))
        .await?;
    Ok(Json(UsagePage {
        period,
        time_zone: zone.iana_name().map(str::to_owned),
        from: from.map(|from| from.0),
        to: to.map(|to| to.0),
        totals: totals.first().map(|group| group.totals).unwrap_or_default(),
        groups: grouping.views(&groups, &zone),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_enough_where_days_begin_at_whole_ones() {
        let now = Timestamp(1_800_000_000_000);
        let year = Some(Timestamp(now.0 - 365 * 86_400_000));
        for (name, expected) in [
            ("UTC", Step::Hours),
            ("Europe/Berlin", Step::Hours),
            ("America/New_York", Step::Hours),
            ("Asia/Kolkata", Step::Quarters),
            ("Asia/Kathmandu", Step::Quarters),
            // Its clocks are put forward by half an hour.
            ("Australia/Lord_Howe", Step::Quarters),
        ] {
            let zone = TimeZone::get(name).unwrap();
            assert_eq!(hours(&zone, year, None, now), expected, "{name}");
            assert_eq!(hours(&zone, None, Some(now), now), expected, "{name}");
            for (by, step_of) in [
                ("hour", &expected),
                ("weekday,hourOfDay", &expected),
                ("day,model", &Step::Days(zone.clone())),
            ] {
                let grouping = Grouping::parse(by).unwrap();
                assert_eq!(step(&grouping, &zone, year, None, now), *step_of, "{name}, {by}");
            }
        }
    }
}
