//! `GET /api/limits`: what the providers last told of their own limits.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::ApiState;
use super::error::ApiError;
use super::query::Params;
use crate::domain::wire::LimitsView;

#[derive(Serialize, ToSchema)]
#[schema(as = LimitsPage)]
pub(super) struct View {
    /// One for each credential at each provider: by provider, and then the one that was seen last.
    limits: Vec<LimitsView>,
}

#[utoipa::path(
    get,
    path = "/limits",
    tag = "moonlock",
    summary = "What the providers last told of their own limits.",
    params(("provider" = Option<String>, Query, description = "Only this mount.")),
    responses((status = 200, body = View))
)]
pub(super) async fn get(State(state): State<ApiState>, params: Params) -> Result<Json<View>, ApiError> {
    params.only(&["provider"])?;
    let mut limits = state.engine().limits().await?;
    if let Some(provider) = params.text("provider") {
        limits.retain(|view| view.provider == provider);
    }
    Ok(Json(View { limits }))
}
