//! `/api/settings`: every setting, what holds, and who said so; and changes of those that a request may change.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value};
use tokio::sync::{Mutex, watch};

use super::ApiState;
use super::body::JsonBody;
use super::describe::SettingsPatch;
use super::error::ApiError;
use crate::config::{ChangeError, Settings};
use crate::domain::wire::SettingsView;

/// The settings, and what has become of them since the start.
pub(super) struct InUse {
    /// As they were at the start.
    started: HashMap<String, Value>,
    last: watch::Sender<Arc<Settings>>,
    /// One change after the other.
    changing: Mutex<()>,
}

impl InUse {
    pub(super) fn new(settings: watch::Sender<Arc<Settings>>) -> Self {
        let started = settings.borrow().show().settings.into_iter();
        Self {
            started: started.map(|setting| (setting.name, setting.value)).collect(),
            last: settings,
            changing: Mutex::default(),
        }
    }

    /// As they were set last.
    pub(super) fn now(&self) -> Arc<Settings> {
        Arc::clone(&self.last.borrow())
    }

    fn view(&self) -> SettingsView {
        let mut view = self.now().show();
        for setting in &mut view.settings {
            let before = self.started.get(&setting.name).unwrap_or(&Value::Null);
            setting.pending = setting.needs_restart && setting.value != *before;
        }
        view.restart_needed = view.settings.iter().any(|setting| setting.pending);
        view
    }
}

#[utoipa::path(
    get,
    path = "/settings",
    tag = "moonlock",
    summary = "Every setting, what holds, and who said so. Nothing secret.",
    responses((status = 200, body = SettingsView))
)]
pub(super) async fn get(State(state): State<ApiState>) -> Json<SettingsView> {
    Json(state.0.settings.view())
}

#[utoipa::path(
    patch,
    path = "/settings",
    tag = "moonlock",
    summary = "Changes settings in the configuration file, all of them or none.",
    description = "By their names. `null` takes a setting out of the file. The prices are one list, which takes the place of \
                   the one before. Comments stay. What does not hold at once is `pending` until Moonlock is started again.",
    request_body = SettingsPatch,
    responses((status = 200, body = SettingsView))
)]
pub(super) async fn change(
    State(state): State<ApiState>,
    JsonBody(changes): JsonBody<Map<String, Value>>,
) -> Result<Json<SettingsView>, ApiError> {
    if changes.is_empty() {
        return Err(ApiError::field(
            "",
            "nothing to change: give settings by their names",
        ));
    }
    let in_use = &state.0.settings;
    let _one = in_use.changing.lock().await;
    let before = in_use.now();
    let changed = tokio::task::spawn_blocking(move || before.change(&changes)).await;
    let settings = match changed {
        Ok(changed) => Arc::new(changed.map_err(|error| refused(&error))?),
        Err(error) => return Err(ApiError::disk(&error)),
    };
    let (auto_idle, prices) = (settings.auto_sessions, settings.prices.own_prices().to_vec());
    let thresholds = settings.alert_at.clone();
    in_use.last.send_replace(settings);
    state.engine().use_settings(auto_idle, prices, thresholds).await?;
    Ok(Json(in_use.view()))
}

fn refused(error: &ChangeError) -> ApiError {
    match error {
        ChangeError::File { .. } => ApiError::disk(error),
        ChangeError::Fixed(why) => ApiError::conflict(*why),
        ChangeError::Setting { .. } | ChangeError::Config(_) => {
            ApiError::field(error.setting().unwrap_or_default(), error.to_string())
        }
    }
}
