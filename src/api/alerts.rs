//! `/api/alerts`: what was worth an alert, and what the user does with it; `/api/alert-rules`: what is watched.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use utoipa::ToSchema;

use super::ApiState;
use super::body::JsonBody;
use super::calls::moment;
use super::describe;
use super::error::ApiError;
use super::query::Params;
use super::session_fields::said;
use super::sessions::limit;
use crate::domain::alert::{Patch, Rule, Severity};
use crate::domain::ids::AlertId;
use crate::domain::units::Timestamp;
use crate::domain::wire::{AlertRule, AlertRules, AlertView, AlertsPage};
use crate::store::AlertQuery;

#[utoipa::path(
    get,
    path = "/alerts",
    tag = "alerts",
    summary = "Alerts, newest first.",
    params(describe::Paging, describe::AlertFilters),
    responses((status = 200, body = AlertsPage))
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    params: Params,
) -> Result<Json<AlertsPage>, ApiError> {
    params.only(&[
        "limit", "cursor", "rule", "severity", "session", "standing", "from", "to",
    ])?;
    let limit = limit(&params)?;
    let query = AlertQuery {
        rule: params.get("rule", "a rule of /api/alert-rules", Rule::from_name)?,
        severity: params.get("severity", "info, warning or critical", Severity::from_name)?,
        session: params.get("session", "a session's id", |text| text.parse().ok())?,
        standing: params.get("standing", "true or false", |text| text.parse().ok())?,
        from: moment(&params, "from")?,
        to: moment(&params, "to")?,
        before: params.get("cursor", "the `next` of the page before", |text| {
            text.parse().ok()
        })?,
        limit: limit + 1,
    };
    let found = state.read(move |reader| reader.alerts(&query)).await?;
    let alerts: Vec<AlertView> = found.iter().take(limit).map(AlertView::from).collect();
    let next = alerts
        .last()
        .filter(|_| found.len() > limit)
        .map(|alert| alert.id.to_string());
    Ok(Json(AlertsPage { alerts, next }))
}

/// What the user does with an alert. What is left out stays.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schema(as = AlertPatch)]
pub(super) struct Changed {
    /// Whether it was seen: it is silent until it gets worse.
    acknowledged: Option<bool>,
    /// Until when it is silent, in UTC epoch milliseconds; `null` ends that.
    #[serde(deserialize_with = "said")]
    #[schema(value_type = Option<i64>)]
    snoozed_until: Option<Option<i64>>,
}

#[utoipa::path(
    patch,
    path = "/alerts/{id}",
    tag = "alerts",
    summary = "Acknowledges or snoozes an alert.",
    params(("id" = String, Path, format = "uuid")),
    request_body = Changed,
    responses((status = 200, body = AlertView))
)]
pub(super) async fn change(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    JsonBody(changed): JsonBody<Changed>,
) -> Result<Json<AlertView>, ApiError> {
    let id: AlertId = id
        .parse()
        .map_err(|_| ApiError::not_found(format!("there is no alert `{id}`: an id is a UUID")))?;
    let patch = Patch {
        acknowledged: changed.acknowledged,
        snoozed_until: changed.snoozed_until.map(|until| until.map(Timestamp)),
    };
    if patch == Patch::default() {
        let detail = "nothing to change: give acknowledged, snoozedUntil or both";
        return Err(ApiError::field("", detail));
    }
    if let Some(alert) = state.engine().change_alert(id, patch).await? {
        return Ok(Json(alert));
    }
    // Seeing it has ended it.
    let ended = state.read(move |reader| reader.alert(id)).await?;
    ended
        .map(|episode| Json(AlertView::from(&episode)))
        .ok_or_else(|| ApiError::not_found(format!("there is no alert {id}")))
}

#[utoipa::path(
    get,
    path = "/alert-rules",
    tag = "alerts",
    summary = "What is watched.",
    responses((status = 200, body = AlertRules))
)]
pub(super) async fn rules(State(state): State<ApiState>) -> Result<Json<AlertRules>, ApiError> {
    let muted = state.engine().muted().await?;
    let settings = state.0.settings.now();
    let rules = Rule::ALL
        .into_iter()
        .map(|rule| AlertRule::new(rule, muted.contains(&rule), &settings.alert_at));
    Ok(Json(AlertRules {
        rules: rules.collect(),
    }))
}

/// What changes a rule.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = RulePatch)]
pub(super) struct Muted {
    muted: bool,
}

#[utoipa::path(
    patch,
    path = "/alert-rules/{rule}",
    tag = "alerts",
    summary = "Mutes a rule, or ends that.",
    params(("rule" = Rule, Path)),
    request_body = Muted,
    responses((status = 200, body = AlertRule))
)]
pub(super) async fn mute(
    State(state): State<ApiState>,
    Path(name): Path<String>,
    JsonBody(Muted { muted }): JsonBody<Muted>,
) -> Result<Json<AlertRule>, ApiError> {
    let rule = Rule::from_name(&name).ok_or_else(|| {
        ApiError::not_found(format!("there is no rule `{name}`; /api/alert-rules lists them"))
    })?;
    state.engine().mute(rule, muted).await?;
    let settings = state.0.settings.now();
    Ok(Json(AlertRule::new(rule, muted, &settings.alert_at)))
}
