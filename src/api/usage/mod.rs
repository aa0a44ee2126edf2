//! `GET /api/analytics/usage`: sums over a period, grouped.

pub(crate) mod group;
pub(super) mod heatmap;
pub(crate) mod period;

use axum::Json;
use axum::extract::State;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::ApiState;
use super::calls::{moment, session};
use super::describe;
use super::error::ApiError;
use super::query::Params;
use crate::domain::wire::Totals;
use crate::store::UsageQuery;
use group::{GROUPS, Grouping};
use period::period_start;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UsagePage)]
pub(super) struct View {
    period: String,
    /// The zone that days and hours are cut in; `null` where it has no name.
    time_zone: Option<String>,
    /// UTC epoch milliseconds; `null` is the beginning.
    from: Option<i64>,
    /// UTC epoch milliseconds; `null` is now.
    to: Option<i64>,
    totals: Totals,
    /// What each group is of, by the names in `groupBy`, and its sums.
    #[schema(value_type = Vec<Object>)]
    groups: Vec<Map<String, Value>>,
}

/// The viewer's zone; the machine's, if none is named.
fn zone(params: &Params) -> Result<TimeZone, ApiError> {
    let zone = params.get("timeZone", "an IANA time zone such as Europe/Berlin", |name| {
        TimeZone::get(name).ok()
    })?;
    Ok(zone.unwrap_or_else(TimeZone::system))
}

const PERIODS: &str = "hour, day, week, month, year or all";

#[utoipa::path(
    get,
    path = "/analytics/usage",
    tag = "calls",
    summary = "Sums over a period, grouped.",
    params(describe::UsageFilters),
    responses((status = 200, body = View))
)]
pub(super) async fn get(State(state): State<ApiState>, params: Params) -> Result<Json<View>, ApiError> {
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
        group_by: Vec::new(),
    };
    let query = UsageQuery {
        group_by: grouping.stored(),
        ..all.clone()
    };
    let (groups, totals) = state
        .read(move |reader| Ok::<_, crate::store::ReadError>((reader.usage(&query)?, reader.usage(&all)?)))
        .await?;
    Ok(Json(View {
        period,
        time_zone: zone.iana_name().map(str::to_owned),
        from: from.map(|from| from.0),
        to: to.map(|to| to.0),
        totals: totals.first().map(|group| group.totals).unwrap_or_default(),
        groups: grouping.views(&groups, &zone),
    }))
}
