//! `GET /api/live`: everything that is live, as the WebSocket's snapshot says it.

use axum::Json;
use axum::extract::State;

use super::ApiState;
use super::error::ApiError;
use crate::domain::wire::Snapshot;
use crate::engine::stream::Wanted;

pub(super) async fn get(State(state): State<ApiState>) -> Result<Json<Snapshot>, ApiError> {
    let snapshot = state.engine().snapshot(Wanted::All).await?;
    Ok(Json(state.complete(snapshot)))
}
