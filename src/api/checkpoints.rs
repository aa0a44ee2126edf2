//! `/api/sessions/{id}/checkpoints`: named moments of a session.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::ApiState;
use super::body::JsonBody;
use super::describe;
use super::error::ApiError;
use super::query::Params;
use super::sessions::{find, hold, limit, session_id};
use crate::domain::ids::{CheckpointId, SessionId};
use crate::domain::session::checkpoint::{MAX_METADATA, MAX_METADATA_DEPTH, MAX_PHASE, NewCheckpoint};
use crate::domain::units::Tokens;
use crate::domain::wire::{CheckpointView, CheckpointsPage};

/// What notes a moment.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewCheckpoint)]
pub(super) struct New {
    /// What begins or ends here.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S")]
    phase: String,
    #[serde(default)]
    #[schema(maximum = 1_000_000_000_000_i64)]
    prompt_count: Option<u64>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
}

impl New {
    fn check(self) -> Result<NewCheckpoint, ApiError> {
        let phase = self.phase.trim();
        if phase.is_empty() || phase.chars().count() > MAX_PHASE {
            let detail = format!("`phase` must have 1 to {MAX_PHASE} characters");
            return Err(ApiError::field("phase", detail));
        }
        if self
            .prompt_count
            .is_some_and(|count| count > Tokens::PLAUSIBLE_MAX.0)
        {
            let detail = format!("`promptCount` must be from 0 to {}", Tokens::PLAUSIBLE_MAX.0);
            return Err(ApiError::field("promptCount", detail));
        }
        Ok(NewCheckpoint {
            phase: phase.into(),
            prompt_count: self.prompt_count,
            metadata: self.metadata.map(metadata).transpose()?,
        })
    }
}

fn metadata(metadata: Map<String, Value>) -> Result<Box<str>, ApiError> {
    let metadata = Value::Object(metadata);
    let text = metadata.to_string();
    if text.len() > MAX_METADATA || depth(&metadata) > MAX_METADATA_DEPTH {
        let detail = format!(
            "`metadata` is a JSON object of at most {MAX_METADATA} bytes, at most {MAX_METADATA_DEPTH} levels deep"
        );
        return Err(ApiError::field("metadata", detail));
    }
    Ok(text.into())
}

/// How deep a value is; a reader of JSON bounds that long before the stack does.
fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[utoipa::path(
    post,
    path = "/sessions/{id}/checkpoints",
    tag = "sessions",
    summary = "Notes a moment.",
    params(("id" = String, Path, format = "uuid")),
    request_body = New,
    responses((status = 201, body = CheckpointView))
)]
pub(super) async fn create(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    JsonBody(new): JsonBody<New>,
) -> Result<(StatusCode, Json<CheckpointView>), ApiError> {
    let session = session_id(&id)?;
    let said = new.check()?;
    hold(&state, session).await?;
    let checkpoint = state.engine().checkpoint(session, said).await?;
    Ok((StatusCode::CREATED, Json(checkpoint)))
}

#[utoipa::path(
    get,
    path = "/sessions/{id}/checkpoints",
    tag = "sessions",
    summary = "Its moments, in order.",
    params(("id" = String, Path, format = "uuid"), describe::Paging),
    responses((status = 200, body = CheckpointsPage))
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<CheckpointsPage>, ApiError> {
    params.only(&["limit", "cursor"])?;
    let session = find(&state, session_id(&id)?).await?.id;
    let limit = limit(&params)?;
    let after: Option<CheckpointId> = params.get("cursor", "the `next` of the page before", |text| {
        text.parse().ok()
    })?;
    page(&state, session, after, limit).await.map(Json)
}

async fn page(
    state: &ApiState,
    session: SessionId,
    after: Option<CheckpointId>,
    limit: usize,
) -> Result<CheckpointsPage, ApiError> {
    // One more at either end: what the first counts from, and whether there is a next page.
    let wanted = limit + 1 + usize::from(after.is_some());
    let mut found = state
        .read(move |reader| reader.checkpoints(session, after, wanted))
        .await?;
    found.retain(|checkpoint| Some(checkpoint.id) != after);
    let checkpoints: Vec<CheckpointView> = found.iter().take(limit).map(CheckpointView::from).collect();
    let next = checkpoints
        .last()
        .filter(|_| found.len() > limit)
        .map(|last| last.id.to_string());
    Ok(CheckpointsPage { checkpoints, next })
}
