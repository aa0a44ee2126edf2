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
use crate::domain::units::{NanoUsd, Timestamp, Tokens};
use crate::domain::wire::{CallDetail, CallView};
use crate::store::{CallQuery, ReadError, Reader, SessionFilter};

#[derive(Serialize, ToSchema)]
#[schema(as = CallsPage)]
pub(super) struct Page {
    calls: Vec<CallView>,
    next: Option<String>,
}

/// By what calls can be filtered.
pub(super) const FILTERS: [&str; 17] = [
    "session",
    "provider",
    "model",
    "outcome",
    "source",
    "operation",
    "conversation",
    "agent",
    "client",
    "status",
    "minCostNanoUsd",
    "maxCostNanoUsd",
    "minTokens",
    "maxTokens",
    "search",
    "from",
    "to",
];

/// The longest text that is searched for, in characters.
pub(super) const MAX_SEARCH: usize = 200;

/// A text to search for.
pub(super) fn search(params: &Params, name: &str) -> Result<Option<Box<str>>, ApiError> {
    let expected = format!("at most {MAX_SEARCH} characters");
    params.get(name, &expected, |text| {
        (text.chars().count() <= MAX_SEARCH).then(|| text.into())
    })
}

/// An HTTP status, or a class of them: the first and the last.
fn statuses(text: &str) -> Option<(u16, u16)> {
    let (first, last) = match text.strip_suffix("xx") {
        Some(class) => {
            let class: u16 = class.parse().ok()?;
            (class * 100, class * 100 + 99)
        }
        None => {
            let status = text.parse().ok()?;
            (status, status)
        }
    };
    (first >= 100 && last <= 599).then_some((first, last))
}

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

fn cost(params: &Params, name: &str) -> Result<Option<NanoUsd>, ApiError> {
    params.get(name, "billionths of a US dollar, a whole number", |text| {
        text.parse().ok().map(NanoUsd)
    })
}

fn tokens(params: &Params, name: &str) -> Result<Option<Tokens>, ApiError> {
    params.get(name, "a whole number from 0 on", |text| {
        text.parse().ok().map(Tokens)
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
        status: params.get(
            "status",
            "an HTTP status such as 429, or a class such as 4xx",
            statuses,
        )?,
        min_cost: cost(params, "minCostNanoUsd")?,
        max_cost: cost(params, "maxCostNanoUsd")?,
        min_tokens: tokens(params, "minTokens")?,
        max_tokens: tokens(params, "maxTokens")?,
        search: search(params, "search")?,
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
    let read = move |reader: &Reader| Ok::<_, ReadError>((reader.call(call)?, reader.may_have_gone(call)?));
    match state.read(read).await? {
        (Some(call), _) => Ok(Json((&call).into())),
        (None, false) => Err(none()),
        (None, true) => Err(ApiError::not_found(format!(
            "there is no call `{id}`: it is older than the calls that are kept (`callsSince` in /api/storage)"
        ))),
    }
}
