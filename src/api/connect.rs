//! `GET /api/connect`: how each tool is pointed at this machine's proxy.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::ApiState;
use super::error::ApiError;
use super::query::Params;
use crate::config::connect::{Connect, Tool, session_path};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Connect)]
pub(super) struct View {
    /// The proxy's address, with the session's prefix where one was asked for.
    proxy_url: String,
    /// Variables that tools read their provider's address from, as they would have to be set.
    variables: std::collections::BTreeMap<String, String>,
    tools: Vec<Tool>,
}

#[utoipa::path(
    get,
    path = "/connect",
    tag = "moonlock",
    summary = "How each tool is pointed here.",
    params(("session" = Option<String>, Query, description = "The id or name of the session that the calls go to.")),
    responses((status = 200, body = View))
)]
pub(super) async fn get(State(state): State<ApiState>, params: Params) -> Result<Json<View>, ApiError> {
    params.only(&["session"])?;
    let session = params.text("session").map(session_path).unwrap_or_default();
    let proxy_url = format!("{}{}{session}", state.0.ports.proxy_url, state.0.token_path);
    let connect = Connect::new(&proxy_url).map_err(|error| ApiError::database(&error))?;
    Ok(Json(View {
        variables: connect.variables().clone(),
        tools: connect.tools().to_vec(),
        proxy_url,
    }))
}
