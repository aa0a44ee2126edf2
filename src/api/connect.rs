//! `GET /api/connect`: how each tool is pointed at this machine's proxy.

use axum::Json;
use axum::extract::State;

use super::ApiState;
use super::error::ApiError;
use super::query::Params;
use crate::config::connect::{self, session_path};
use crate::domain::wire::Connect;

#[utoipa::path(
    get,
    path = "/connect",
    tag = "moonlock",
    summary = "How each tool is pointed here.",
    params(("session" = Option<String>, Query, description = "The id or name of the session that the calls go to.")),
    responses((status = 200, body = Connect))
)]
pub(super) async fn get(State(state): State<ApiState>, params: Params) -> Result<Json<Connect>, ApiError> {
    params.only(&["session"])?;
    let session = params.text("session").map(session_path).unwrap_or_default();
    let proxy_url = format!("{}{}{session}", state.0.ports.proxy_url, state.0.token_path);
    let table = connect::Connect::new(&proxy_url).map_err(|error| ApiError::database(&error))?;
    Ok(Json(Connect {
        variables: table.variables().clone(),
        tools: table.tools().to_vec(),
        proxy_url,
    }))
}
