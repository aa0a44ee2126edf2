//! `GET /api/calls`: every call, newest first; and one of them with all that is kept of it.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::ApiState;
use super::describe;
use super::error::ApiError;
use super::query::Params;
use super::sessions::limit;
use crate::domain::call::{Outcome, Source};
use crate::domain::ids::CallId;
use crate::domain::operation::Operation;
use crate::domain::units::Timestamp;
use crate::domain::wire::{CallDetail, CallView};
use crate::store::{CallQuery, SessionFilter};

#[derive(Serialize, ToSchema)]
#[schema(as = CallsPage)]
pub(super) struct Page {
    calls: Vec<CallView>,
    next: Option<String>,
}

/// By what calls can be filtered.
pub(super) const FILTERS: [&str; 11] = [
    "session",
    "provider",
    "model",
    "outcome",
    "source",
    "operation",
    "conversation",
    "agent",
    "client",
    "from",
    "to",
];

/// A moment in a query: epoch milliseconds.
pub(super) fn moment(params: &Params, name: &str) -> Result<Option<Timestamp>, ApiError> {
    params.get(name, "UTC epoch milliseconds", |text| {
        text.parse().ok().map(Timestamp)
    })
}

/// A session in a query: an id, or `unassigned`.
pub(super) fn session(params: &Params) -> Result<Option<SessionFilter>, ApiError> {
    params.get("session", "a session's id, or `unassigned`", |text| match text {
        "unassigned" => Some(SessionFilter::Unassigned),
        id => id.parse().ok().map(SessionFilter::Id),
    })
}

/// The filters of a query; the newest fifty of what they let pass.
pub(super) fn filtered(params: &Params) -> Result<CallQuery, ApiError> {
    Ok(CallQuery {
        session: session(params)?,
        provider: params.text("provider").map(Into::into),
        model: params.text("model").map(Into::into),
        outcome: params.get(
            "outcome",
            "complete, client_aborted, upstream_error, stream_error, interrupted or running",
            Outcome::from_name,
        )?,
        source: params.get(
            "source",
            "exact, partial, estimated, manual or imported",
            Source::from_name,
        )?,
        operation: params.get(
            "operation",
            "an operation such as chat.completions",
            Operation::from_name,
        )?,
        conversation: params.text("conversation").map(Into::into),
        agent: params.text("agent").map(Into::into),
        client: params.text("client").map(Into::into),
        from: moment(params, "from")?,
        to: moment(params, "to")?,
        ..CallQuery::default()
    })
}

#[utoipa::path(
    get,
    path = "/calls",
    tag = "calls",
    summary = "Every call, newest first.",
    params(describe::Paging, describe::CallFilters, ("session" = Option<String>, Query, description = "A session's id, or `unassigned`.")),
    responses((status = 200, body = Page))
)]
pub(super) async fn list(State(state): State<ApiState>, params: Params) -> Result<Json<Page>, ApiError> {
    params.only(&[&["limit", "cursor"], &FILTERS[..]].concat())?;
    let limit = limit(&params)?;
    let query = CallQuery {
        before: params.get("cursor", "the `next` of the page before", |text| {
            text.parse().ok()
        })?,
        limit: limit + 1,
        ..filtered(&params)?
    };
    let found = state.read(move |reader| reader.calls(&query)).await?;
    let calls: Vec<CallView> = found.iter().take(limit).map(CallView::from).collect();
    let next = calls
        .last()
        .filter(|_| found.len() > limit)
        .map(|call| call.id.to_string());
    Ok(Json(Page { calls, next }))
}

#[utoipa::path(
    get,
    path = "/calls/{id}",
    tag = "calls",
    summary = "A call with its parts and the provider's own words.",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 200, body = CallDetail))
)]
pub(super) async fn get(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<CallDetail>, ApiError> {
    params.only(&[])?;
    let none = || ApiError::not_found(format!("there is no call `{id}`"));
    let call: CallId = id.parse().map_err(|_| none())?;
    let found = state.read(move |reader| reader.call(call)).await?;
    found.as_ref().map(|call| Json(call.into())).ok_or_else(none)
}
