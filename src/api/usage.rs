//! `GET /api/analytics/usage`: sums over a period, grouped.

use axum::Json;
use axum::extract::State;
use jiff::tz::TimeZone;
use jiff::{ToSpan, Zoned};
use serde::Serialize;
use serde_json::{Map, Value};

use super::ApiState;
use super::calls::{moment, session};
use super::error::ApiError;
use super::query::Params;
use crate::domain::call::{Outcome, Source};
use crate::domain::operation::Operation;
use crate::domain::units::Timestamp;
use crate::domain::wire::Totals;
use crate::store::{GroupBy, UsageGroup, UsageKeys, UsageQuery};

#[derive(Serialize)]
pub(super) struct View {
    period: String,
    /// UTC epoch milliseconds; `null` is the beginning.
    from: Option<i64>,
    /// UTC epoch milliseconds; `null` is now.
    to: Option<i64>,
    totals: Totals,
    groups: Vec<Map<String, Value>>,
}

const GROUPS: &str =
    "any of session, provider, model, client, operation, source, outcome, with commas between";
const PERIODS: &str = "hour, day, week, month, year or all";

pub(super) async fn get(State(state): State<ApiState>, params: Params) -> Result<Json<View>, ApiError> {
    params.only(&["period", "groupBy", "session", "from", "to", "timeZone"])?;
    let group_by = params.get("groupBy", GROUPS, groups)?.unwrap_or_default();
    let zone = params.get("timeZone", "an IANA time zone such as Europe/Berlin", |name| {
        TimeZone::get(name).ok()
    })?;
    let period = params.text("period").unwrap_or("all").to_owned();
    let now = state.engine().now().wall;
    let start = period_start(&period, now, zone.unwrap_or_else(TimeZone::system))
        .ok_or_else(|| ApiError::field("period", format!("`period` is `{period}`; expected {PERIODS}")))?;
    let from = moment(&params, "from")?.or(start);
    let to = moment(&params, "to")?;
    let query = UsageQuery {
        from,
        to,
        session: session(&params)?,
        group_by: group_by.clone(),
    };
    let groups = state.read(move |reader| reader.usage(&query)).await?;
    let all = UsageQuery {
        from,
        to,
        session: session(&params)?,
        group_by: Vec::new(),
    };
    let totals = state.read(move |reader| reader.usage(&all)).await?;
    Ok(Json(View {
        period,
        from: from.map(|from| from.0),
        to: to.map(|to| to.0),
        totals: totals.first().map(|group| group.totals).unwrap_or_default(),
        groups: groups.iter().map(|group| view(&group_by, group)).collect(),
    }))
}

/// A group as one flat object: its keys, then its sums.
pub(crate) fn view(group_by: &[GroupBy], group: &UsageGroup) -> Map<String, Value> {
    let named = GROUP_NAMES.iter().filter(|(by, _)| group_by.contains(by));
    let mut view: Map<String, Value> = named
        .map(|(by, name)| ((*name).to_owned(), key(*by, &group.keys)))
        .collect();
    if let Ok(Value::Object(totals)) = serde_json::to_value(group.totals) {
        view.extend(totals);
    }
    view
}

/// What can be grouped by, as the API calls it.
const GROUP_NAMES: [(GroupBy, &str); 7] = [
    (GroupBy::Session, "session"),
    (GroupBy::Provider, "provider"),
    (GroupBy::Model, "model"),
    (GroupBy::Client, "client"),
    (GroupBy::Operation, "operation"),
    (GroupBy::Source, "source"),
    (GroupBy::Outcome, "outcome"),
];

/// What the calls of a group have in common.
fn key(by: GroupBy, keys: &UsageKeys) -> Value {
    match by {
        GroupBy::Session => keys.session.map(|id| id.to_string()).into(),
        GroupBy::Provider => keys.provider.as_deref().into(),
        GroupBy::Model => keys.model.as_deref().into(),
        GroupBy::Client => keys.client.as_deref().into(),
        GroupBy::Operation => keys.operation.map(Operation::name).into(),
        GroupBy::Source => keys.source.map(Source::name).into(),
        GroupBy::Outcome => keys.outcome.map(Outcome::name).into(),
        GroupBy::Bucket => keys.bucket.map(|bucket| bucket.0).into(),
    }
}

/// Reads `provider,model`.
pub(crate) fn groups(text: &str) -> Option<Vec<GroupBy>> {
    let find = |name: &str| GROUP_NAMES.iter().find(|(_, known)| *known == name.trim());
    text.split(',')
        .map(|name| find(name).map(|(by, _)| *by))
        .collect()
}

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
