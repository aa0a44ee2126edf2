//! `GET /api/settings`: every setting, what holds, and who said so.

use axum::Json;
use axum::extract::State;

use super::ApiState;
use crate::domain::wire::SettingsView;

#[utoipa::path(
    get,
    path = "/settings",
    tag = "moonlock",
    summary = "Every setting, what holds, and who said so. Nothing secret.",
    responses((status = 200, body = SettingsView))
)]
pub(super) async fn get(State(state): State<ApiState>) -> Json<SettingsView> {
    Json(state.0.settings.clone())
}
