//! `GET /api/live`: everything that is live, as the WebSocket's snapshot says it.

use axum::Json;
use axum::extract::State;

use super::ApiState;
use super::error::ApiError;
use crate::domain::wire::Snapshot;
use crate::engine::stream::Wanted;

#[utoipa::path(
    get,
    path = "/live",
    tag = "moonlock",
    summary = "Everything that is live, as the snapshot of the WebSocket.",
    responses((status = 200, body = Snapshot))
)]
pub(super) async fn get(State(state): State<ApiState>) -> Result<Json<Snapshot>, ApiError> {
    let snapshot = state.engine().snapshot(Wanted::All).await?;
    Ok(Json(state.complete(snapshot)))
}
