//! `/api/sessions`: start, read, pause, resume and complete sessions.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::ApiState;
use super::body::JsonBody;
use super::error::ApiError;
use super::query::Params;
use crate::domain::ids::SessionId;
use crate::domain::session::timer::Change;
use crate::domain::session::{MAX_DURATION, MAX_NAME, Status};
use crate::domain::units::{Millis, Tokens};
use crate::domain::wire::SessionView;
use crate::store::StoredSession;

/// What starts a session.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct New {
    name: String,
    /// Milliseconds; left out or `null` is open-ended.
    #[serde(default)]
    duration: Option<u64>,
    /// Tokens; left out or `null` is no budget.
    #[serde(default)]
    token_budget: Option<u64>,
}

/// What changes a session.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Changed {
    status: Status,
    /// The revision that the change is meant for; the `If-Match` header says the same.
    #[serde(default)]
    revision: Option<u64>,
}

#[derive(Serialize)]
pub(super) struct Page {
    sessions: Vec<SessionView>,
    next: Option<String>,
}

/// A session id in a path.
pub(super) fn session_id(text: &str) -> Result<SessionId, ApiError> {
    text.parse()
        .map_err(|_| ApiError::not_found(format!("there is no session `{text}`: an id is a UUID")))
}

pub(super) async fn create(
    State(state): State<ApiState>,
    JsonBody(new): JsonBody<New>,
) -> Result<Response, ApiError> {
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return Err(ApiError::field(
            "name",
            format!("`name` must have 1 to {MAX_NAME} characters"),
        ));
    }
    if new
        .duration
        .is_some_and(|duration| duration == 0 || duration > MAX_DURATION.0)
    {
        let detail = format!(
            "`duration` is in milliseconds, from 1 to {} (5 hours); leave it out for a session without an end",
            MAX_DURATION.0
        );
        return Err(ApiError::field("duration", detail));
    }
    if new
        .token_budget
        .is_some_and(|budget| budget == 0 || budget > Tokens::PLAUSIBLE_MAX.0)
    {
        let detail = format!(
            "`tokenBudget` must be from 1 to {}, or be left out",
            Tokens::PLAUSIBLE_MAX.0
        );
        return Err(ApiError::field("tokenBudget", detail));
    }
    let created = state
        .engine()
        .create_session(
            name.into(),
            new.duration.map(Millis),
            new.token_budget.map(Tokens),
        )
        .await?;
    let place = format!("/api/sessions/{}", created.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], answer(created)).into_response())
}

pub(super) async fn list(State(state): State<ApiState>, params: Params) -> Result<Json<Page>, ApiError> {
    params.only(&["limit", "cursor"])?;
    let limit = limit(&params)?;
    let before = params.get("cursor", "the `next` of the page before", |text| {
        text.parse().ok()
    })?;
    let found = state
        .read(move |reader| reader.sessions(limit + 1, before))
        .await?;
    let now = state.engine().now();
    let mut sessions = Vec::with_capacity(found.len().min(limit));
    for stored in found.iter().take(limit) {
        // What is held live knows more: which is current, and sums of this instant.
        let live = state.engine().session(stored.session.id).await?;
        sessions.push(live.unwrap_or_else(|| SessionView::new(&stored.session, stored.totals, None, now)));
    }
    let next = sessions
        .last()
        .filter(|_| found.len() > limit)
        .map(|session| session.id.to_string());
    Ok(Json(Page { sessions, next }))
}

/// How many rows a page has.
pub(super) fn limit(params: &Params) -> Result<usize, ApiError> {
    let limit = params.get("limit", "a whole number from 1 to 1000", |text| {
        text.parse().ok().filter(|limit| (1..=1000).contains(limit))
    })?;
    Ok(limit.unwrap_or(50))
}

pub(super) async fn get(State(state): State<ApiState>, Path(id): Path<String>) -> Result<Response, ApiError> {
    find(&state, session_id(&id)?).await.map(answer)
}

/// A session, live or from history.
pub(super) async fn find(state: &ApiState, id: SessionId) -> Result<SessionView, ApiError> {
    if let Some(live) = state.engine().session(id).await? {
        return Ok(live);
    }
    let stored = read(state, id).await?;
    Ok(SessionView::new(
        &stored.session,
        stored.totals,
        None,
        state.engine().now(),
    ))
}

async fn read(state: &ApiState, id: SessionId) -> Result<StoredSession, ApiError> {
    let found = state.read(move |reader| reader.session(id)).await?;
    found.ok_or_else(|| ApiError::not_found(format!("there is no session {id}")))
}

/// Makes sure that the engine holds a session that a command is about, however long ago it ended.
pub(super) async fn hold(state: &ApiState, id: SessionId) -> Result<(), ApiError> {
    if state.engine().session(id).await?.is_none() {
        let stored = read(state, id).await?;
        state.engine().adopt(stored.session, stored.totals);
    }
    Ok(())
}

pub(super) async fn change(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(changed): JsonBody<Changed>,
) -> Result<Response, ApiError> {
    let id = session_id(&id)?;
    let revision = match changed.revision {
        Some(revision) => Some(revision),
        None => if_match(&headers)?,
    };
    let change = match changed.status {
        Status::Active => Change::Resume,
        Status::Paused => Change::Pause,
        Status::Completed => Change::Complete,
    };
    hold(&state, id).await?;
    state
        .engine()
        .change_session(id, change, revision)
        .await
        .map(answer)
        .map_err(ApiError::from)
}

/// The revision in `If-Match` (RFC 9110 §13.1.1); `*` is any.
fn if_match(headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or("").trim();
    if text == "*" {
        return Ok(None);
    }
    let wrong = || {
        ApiError::field(
            "If-Match",
            "expected a revision in quotes, as the ETag gave it: \"3\"",
        )
    };
    text.trim_matches('"').parse().map(Some).map_err(|_| wrong())
}

/// A session, with its revision as the ETag.
fn answer(session: SessionView) -> Response {
    (
        [(header::ETAG, format!("\"{}\"", session.revision))],
        Json(session),
    )
        .into_response()
}
