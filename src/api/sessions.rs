//! `/api/sessions`: start, read and change sessions.

use std::collections::HashMap;
use std::fmt;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::ApiState;
use super::body::JsonBody;
use super::calls::{moment, search};
use super::describe;
use super::error::ApiError;
use super::query::Params;
use super::session_fields::{Changed, New};
use crate::domain::ids::SessionId;
use crate::domain::session::clock::Reading;
use crate::domain::session::{CallsFate, Status};
use crate::domain::units::Timestamp;
use crate::domain::wire::{ClockEvent, ClockEvents, SessionView};
use crate::store::{SessionPlace, SessionQuery, SessionSort, StoredSession};

#[derive(Serialize, ToSchema)]
#[schema(as = SessionsPage)]
pub(super) struct Page {
    sessions: Vec<SessionView>,
    next: Option<String>,
}

/// A session id in a path.
pub(super) fn session_id(text: &str) -> Result<SessionId, ApiError> {
    text.parse()
        .map_err(|_| ApiError::not_found(format!("there is no session `{text}`: an id is a UUID")))
}

#[utoipa::path(
    post,
    path = "/sessions",
    tag = "sessions",
    summary = "Starts a session; it becomes the current one, unless the body says otherwise.",
    request_body = New,
    responses((status = 201, body = SessionView))
)]
pub(super) async fn create(
    State(state): State<ApiState>,
    JsonBody(new): JsonBody<New>,
) -> Result<Response, ApiError> {
    let created = state.engine().create_session(new.check()?).await?;
    let place = format!("/api/sessions/{}", created.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], answer(created)).into_response())
}

#[utoipa::path(
    get,
    path = "/sessions",
    tag = "sessions",
    summary = "Sessions, newest first if nothing else is asked for.",
    params(describe::SessionFilters),
    responses((status = 200, body = Page))
)]
pub(super) async fn list(State(state): State<ApiState>, params: Params) -> Result<Json<Page>, ApiError> {
    params.only(&[
        "limit", "cursor", "search", "tag", "id", "status", "from", "to", "sort", "order",
    ])?;
    let limit = limit(&params)?;
    let now = state.engine().now();
    let query = asked(&params, limit, now.wall)?;
    let until = query.now;
    let mut found = state.read(move |reader| reader.sessions(&query)).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more);
    let next = next.map(|(_, place)| Cursor { until, place: *place }.to_string());
    // What is held live knows more: which is current, and sums of this instant.
    let ids = found.iter().map(|(stored, _)| stored.session.id).collect();
    let (live, _) = state.engine().sessions(ids).await?;
    let mut live: HashMap<SessionId, SessionView> = live.into_iter().map(|view| (view.id, view)).collect();
    let sessions = found.iter().map(|(stored, _)| {
        let view = live.remove(&stored.session.id);
        view.unwrap_or_else(|| from_history(stored, now))
    });
    Ok(Json(Page {
        sessions: sessions.collect(),
        next,
    }))
}

fn asked(params: &Params, limit: usize, now: Timestamp) -> Result<SessionQuery, ApiError> {
    let after = params.get("cursor", "the `next` of the page before", Cursor::read)?;
    let sort = params.get("sort", "started, tokens, cost or duration", |name| match name {
        "started" => Some(SessionSort::Started),
        "tokens" => Some(SessionSort::Tokens),
        "cost" => Some(SessionSort::Cost),
        "duration" => Some(SessionSort::Duration),
        _ => None,
    })?;
    let ascending = params.get("order", "asc or desc", |name| match name {
        "asc" => Some(true),
        "desc" => Some(false),
        _ => None,
    })?;
    Ok(SessionQuery {
        search: search(params, "search")?,
        tag: search(params, "tag")?,
        id: search(params, "id")?,
        status: statuses(params)?,
        from: moment(params, "from")?,
        to: moment(params, "to")?,
        sort: sort.unwrap_or_default(),
        ascending: ascending.unwrap_or_default(),
        now: after.map_or(now, |after| after.until),
        after: after.map(|after| after.place),
        limit: limit + 1,
    })
}

/// One status, or several with commas between them.
fn statuses(params: &Params) -> Result<Vec<Status>, ApiError> {
    let expected = "active, paused or completed, or several of them with commas between them";
    let read = |text: &str| text.split(',').map(Status::from_name).collect();
    Ok(params.get("status", expected, read)?.unwrap_or_default())
}

/// Where a page of sessions ended, and the moment of the first page: clocks that run are taken to stand there.
#[derive(Clone, Copy)]
struct Cursor {
    until: Timestamp,
    place: SessionPlace,
}

impl Cursor {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '_');
        let until = Timestamp(parts.next()?.parse().ok()?);
        let place = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Self { until, place })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, id) = self.place;
        write!(f, "{}_{value}_{id}", self.until.0)
    }
}

/// How many rows a page has.
pub(super) fn limit(params: &Params) -> Result<usize, ApiError> {
    let limit = params.get("limit", "a whole number from 1 to 1000", |text| {
        text.parse().ok().filter(|limit| (1..=1000).contains(limit))
    })?;
    Ok(limit.unwrap_or(50))
}

#[utoipa::path(
    get,
    path = "/sessions/{id}",
    tag = "sessions",
    summary = "One session.",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 200, body = SessionView))
)]
pub(super) async fn get(State(state): State<ApiState>, Path(id): Path<String>) -> Result<Response, ApiError> {
    find(&state, session_id(&id)?).await.map(answer)
}

/// A session, live or from history.
pub(super) async fn find(state: &ApiState, id: SessionId) -> Result<SessionView, ApiError> {
    if let Some(live) = state.engine().session(id).await? {
        return Ok(live);
    }
    let stored = read(state, id).await?;
    Ok(from_history(&stored, state.engine().now()))
}

/// What is not held live has ended, and no call goes there by itself.
fn from_history(stored: &StoredSession, now: Reading) -> SessionView {
    SessionView::new(&stored.session, stored.totals, &stored.marks, None, now)
}

#[utoipa::path(
    get,
    path = "/sessions/{id}/events",
    tag = "sessions",
    summary = "All that happened to its clock.",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 200, body = ClockEvents))
)]
pub(super) async fn events(
    State(state): State<ApiState>,
    Path(id): Path<String>,
) -> Result<Json<ClockEvents>, ApiError> {
    let session = find(&state, session_id(&id)?).await?.id;
    let events = state.read(move |reader| reader.timer_events(session)).await?;
    let events = events.iter().map(ClockEvent::from).collect();
    Ok(Json(ClockEvents { events }))
}

async fn read(state: &ApiState, id: SessionId) -> Result<StoredSession, ApiError> {
    let found = state.read(move |reader| reader.session(id)).await?;
    found.ok_or_else(|| no_session(id))
}

/// Makes sure that the engine holds a session that a command is about, however long ago it ended.
pub(super) async fn hold(state: &ApiState, id: SessionId) -> Result<(), ApiError> {
    match hold_known(state, id).await? {
        true => Ok(()),
        false => Err(no_session(id)),
    }
}

/// The same; `false` if there is no such session.
pub(super) async fn hold_known(state: &ApiState, id: SessionId) -> Result<bool, ApiError> {
    if state.engine().session(id).await?.is_some() {
        return Ok(true);
    }
    let Some(stored) = state.read(move |reader| reader.session(id)).await? else {
        return Ok(false);
    };
    state.engine().adopt(stored.session, stored.totals, stored.marks);
    Ok(true)
}

pub(super) fn no_session(id: SessionId) -> ApiError {
    ApiError::not_found(format!("there is no session {id}"))
}

#[utoipa::path(
    patch,
    path = "/sessions/{id}",
    tag = "sessions",
    summary = "Changes a session: all of it or nothing.",
    params(("id" = String, Path, format = "uuid"), ("If-Match" = Option<String>, Header, description = "The revision that the change is meant for, as the ETag gave it.")),
    request_body = Changed,
    responses((status = 200, body = SessionView))
)]
pub(super) async fn change(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBody(changed): JsonBody<Changed>,
) -> Result<Response, ApiError> {
    let id = session_id(&id)?;
    let revision = revision(changed.revision, &headers)?;
    let patch = changed.check(state.engine().now())?;
    hold(&state, id).await?;
    state
        .engine()
        .change_session(id, patch, revision)
        .await
        .map(answer)
        .map_err(ApiError::from)
}

#[utoipa::path(
    delete,
    path = "/sessions/{id}",
    tag = "sessions",
    summary = "Deletes a session that has ended, for good.",
    description = "Its clock, its checkpoints and its alerts go with it. Calls of it that still run become Unassigned.",
    params(("id" = String, Path, format = "uuid"), describe::CallsOfDeleted),
    responses((status = 204))
)]
pub(super) async fn remove(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    params: Params,
) -> Result<StatusCode, ApiError> {
    const EXPECTED: &str =
        "`unassign` (its calls stay, and belong to no session) or `delete` (they go with it)";
    params.only(&["calls"])?;
    let id = session_id(&id)?;
    let calls = params.get("calls", EXPECTED, CallsFate::from_name)?;
    let calls = calls.ok_or_else(|| {
        let detail = format!("`calls` must say what becomes of the session's calls: {EXPECTED}");
        ApiError::field("calls", detail)
    })?;
    hold(&state, id).await?;
    state.engine().delete_session(id, calls).await?;
    #[expect(
        clippy::disallowed_methods,
        reason = "it goes on if whoever asked is gone, ends by itself when the program stops, and the next start takes it up"
    )]
    let emptying = tokio::spawn(async move { state.empty(id, calls).await });
    emptying.await.map_err(|error| ApiError::database(&error))??;
    Ok(StatusCode::NO_CONTENT)
}

/// The revision that a change is meant for: what its body says, else its header; `None` is any.
pub(super) fn revision(said: Option<u64>, headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    said.map_or_else(|| if_match(headers), |revision| Ok(Some(revision)))
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
