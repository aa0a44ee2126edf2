//! `GET /api/calibration`: how good the estimates are, by model.

use axum::Json;
use axum::extract::State;

use super::ApiState;
use super::error::ApiError;
use super::query::Params;
use crate::domain::wire::CalibrationPage;
use crate::store::Reader;

#[utoipa::path(
    get,
    path = "/calibration",
    tag = "calls",
    summary = "How good the estimates are, by model.",
    params(("model" = Option<String>, Query, description = "Only this model.")),
    responses((status = 200, body = CalibrationPage))
)]
pub(super) async fn get(
    State(state): State<ApiState>,
    params: Params,
) -> Result<Json<CalibrationPage>, ApiError> {
    params.only(&["model"])?;
    let mut page = CalibrationPage::new(state.read(Reader::calibration).await?);
    if let Some(model) = params.text("model") {
        page.calibration
            .retain(|view| view.model.eq_ignore_ascii_case(model));
    }
    Ok(Json(page))
}
