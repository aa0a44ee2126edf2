//! `GET /api/forecast/track-record`: how well forecasts did that were shown.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::ApiState;
use super::error::ApiError;
use super::query::Params;
use crate::domain::forecast::Score;

/// How often a band of 80 % holds if it keeps its promise.
const PROMISED_PERCENT: u8 = 80;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TrackRecord)]
pub(super) struct View {
    #[serde(flatten)]
    score: Score,
    promised_percent: u8,
}

#[utoipa::path(
    get,
    path = "/forecast/track-record",
    tag = "sessions",
    summary = "How well forecasts did that were shown.",
    responses((status = 200, body = View))
)]
pub(super) async fn get(State(state): State<ApiState>, params: Params) -> Result<Json<View>, ApiError> {
    params.only(&[])?;
    let score = state.engine().track_record().await?;
    Ok(Json(View {
        score,
        promised_percent: PROMISED_PERCENT,
    }))
}
