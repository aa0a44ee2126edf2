//! `/api/sessions/{id}/efficiency` and `/api/sessions/{id}/past`: a session beside one's own finished ones.

use axum::Json;
use axum::extract::{Path, State};

use super::ApiState;
use super::curves::beside_past;
use super::error::ApiError;
use super::query::Params;
use super::sessions::session_id;
use crate::domain::session::curve::Reach;
use crate::domain::session::efficiency::Effort;
use crate::domain::wire::{EfficiencyView, PastView};

#[utoipa::path(
    get,
    path = "/sessions/{id}/efficiency",
    tag = "sessions",
    summary = "How well it makes use of what it pays for, with all that the score is made of.",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 200, body = EfficiencyView))
)]
pub(super) async fn efficiency(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<EfficiencyView>, ApiError> {
    params.only(&[])?;
    let id = session_id(&id)?;
    let (course, past) = beside_past(&state, id, Reach::SoFar).await?;
    let past: Vec<Effort> = past.iter().map(|course| course.effort).collect();
    Ok(Json(EfficiencyView::new(id, &course.effort, &past)))
}

#[utoipa::path(
    get,
    path = "/sessions/{id}/past",
    tag = "sessions",
    summary = "What one's own finished sessions had used at each moment, and where this one stands.",
    params(("id" = String, Path, format = "uuid")),
    responses((status = 200, body = PastView))
)]
pub(super) async fn get(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<PastView>, ApiError> {
    params.only(&[])?;
    let (course, past) = beside_past(&state, session_id(&id)?, Reach::Planned).await?;
    Ok(Json(PastView::new(&course, &past)))
}
