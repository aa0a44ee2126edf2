//! `/api/notifications`: who is told of alerts, and how that went. Who that is, only the configuration file says, so that
//! no request can make Moonlock send anything anywhere else.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use futures_util::future::BoxFuture;

use super::ApiState;
use super::error::ApiError;
use crate::domain::wire::{NotificationTarget, NotificationTargets, NotificationTest};

/// What the API holds of those who are told.
#[derive(Clone)]
pub struct Notifications {
    /// Who is told, and how that went.
    pub targets: Arc<dyn Fn() -> Vec<NotificationTarget> + Send + Sync>,
    /// Sends a test to the target of that name, if there is one.
    pub test: TestTarget,
    /// How many calls a collector of OpenTelemetry was not told of.
    pub dropped_spans: Arc<dyn Fn() -> u64 + Send + Sync>,
}

/// Sends a test to the target of that name, if there is one.
pub type TestTarget = Arc<dyn Fn(&str) -> Option<BoxFuture<'static, NotificationTest>> + Send + Sync>;

#[utoipa::path(
    get,
    path = "/notifications",
    tag = "alerts",
    summary = "Who is told of alerts, and how that went.",
    responses((status = 200, body = NotificationTargets))
)]
pub(super) async fn list(State(state): State<ApiState>) -> Json<NotificationTargets> {
    let targets = (state.0.notifications.targets)();
    Json(NotificationTargets { targets })
}

#[utoipa::path(
    post,
    path = "/notifications/{name}/test",
    tag = "alerts",
    summary = "Sends a test, and says whether it arrived.",
    params(("name" = String, Path, description = "The target's name.")),
    responses((status = 200, body = NotificationTest))
)]
pub(super) async fn test(
    State(state): State<ApiState>,
    Path(name): Path<String>,
) -> Result<Json<NotificationTest>, ApiError> {
    let testing = (state.0.notifications.test)(&name).ok_or_else(|| {
        ApiError::not_found(format!(
            "there is no target `{name}`; /api/notifications lists them"
        ))
    })?;
    Ok(Json(testing.await))
}
