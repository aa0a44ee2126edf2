//! `GET /api/forecast/track-record`: how well forecasts did that were shown.

use axum::Json;
use axum::extract::State;

use super::ApiState;
use super::error::ApiError;
use super::query::Params;
use crate::domain::wire::TrackRecord;

/// How often a band of 80 % holds if it keeps its promise.
const PROMISED_PERCENT: u8 = 80;

#[utoipa::path(
    get,
    path = "/forecast/track-record",
    tag = "sessions",
    summary = "How well forecasts did that were shown.",
    responses((status = 200, body = TrackRecord))
)]
pub(super) async fn get(
    State(state): State<ApiState>,
    params: Params,
) -> Result<Json<TrackRecord>, ApiError> {
    params.only(&[])?;
    let score = state.engine().track_record().await?;
    Ok(Json(TrackRecord {
        score,
        promised_percent: PROMISED_PERCENT,
    }))
}
