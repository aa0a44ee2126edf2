//! `/api/storage`: how large the history is, and copies of it.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use jiff::Timestamp;

use super::ApiState;
use super::error::ApiError;
use crate::config::Settings;
use crate::domain::wire::{BackupView, StorageView};
use crate::engine::Stopped;
use crate::store::{
    BackupError, Directory, ReadError, Reader, UsageQuery, backup, file_name, newest_backup,
    prepare_directory,
};

#[utoipa::path(
    get,
    path = "/storage",
    tag = "moonlock",
    summary = "How large the history is, since when it goes, and its last copy.",
    responses((status = 200, body = StorageView))
)]
pub(super) async fn get(State(state): State<ApiState>) -> Result<Json<StorageView>, ApiError> {
    let settings = state.settings();
    let storage = state.read(move |reader| look(reader, &settings)).await?;
    Ok(Json(storage))
}

fn look(reader: &Reader, settings: &Settings) -> Result<StorageView, ReadError> {
    let size = reader.size()?;
    let sums = reader.usage(&UsageQuery::default())?;
    let backups = &settings.backup;
    let last = newest_backup(&backups.directory).map(|(at, path)| BackupView {
        at: at.as_millisecond(),
        file: path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        bytes: std::fs::metadata(&path).map_or(0, |file| file.len()),
    });
    Ok(StorageView {
        path: settings.database.path().display().to_string(),
        bytes: size.bytes,
        calls: sums.iter().map(|group| group.totals.requests).sum(),
        oldest_call_at: size.oldest_call.map(|at| at.0),
        keep_calls_days: settings.keep_calls_days.map(NonZero::get),
        calls_since: size.calls_since.map(|at| at.0),
        free_bytes: size.free_bytes,
        daily_backups: backups.daily,
        keep_days: backups.keep_days,
        directory: backups.directory.display().to_string(),
        last_backup: last,
    })
}

#[utoipa::path(
    post,
    path = "/storage/backup",
    tag = "moonlock",
    summary = "Copies the history to the directory of the backups, and answers when the copy is whole and checked.",
    responses((status = 201, body = StorageView))
)]
pub(super) async fn back_up(
    State(state): State<ApiState>,
) -> Result<(StatusCode, Json<StorageView>), ApiError> {
    let settings = state.settings();
    let Ok(_one) = state.0.copying.try_lock() else {
        return Err(ApiError::busy("a copy is being made already"));
    };
    let stopping = Arc::new(AtomicBool::new(false));
    let mut stopped = state.0.stopped.clone();
    let (places, stop) = (Arc::clone(&settings), Arc::clone(&stopping));
    let mut making = tokio::task::spawn_blocking(move || make(&places, &stop));
    let made = tokio::select! {
        made = &mut making => made,
        _ = stopped.changed() => {
            stopping.store(true, Ordering::Release);
            making.await
        }
    };
    match made {
        Ok(made) => made?,
        Err(error) => return Err(ApiError::disk(&error)),
    }
    state.engine().backup_ended(None);
    let storage = state.read(move |reader| look(reader, &settings)).await?;
    Ok((StatusCode::CREATED, Json(storage)))
}

fn make(settings: &Settings, stopping: &Arc<AtomicBool>) -> Result<(), ApiError> {
    let target = settings.backup.directory.join(file_name(Timestamp::now()));
    prepare_directory(&target, Directory::Create).map_err(|error| ApiError::disk(&error))?;
    let made = backup(settings.database.path(), &target, stopping);
    made.map(drop).map_err(|error| match error {
        BackupError::Stopped => Stopped.into(),
        BackupError::Exists(_) => ApiError::conflict("a copy was made this very second: it is the one"),
        BackupError::Source(_) | BackupError::Damaged { .. } | BackupError::Sqlite(_) => {
            ApiError::database(&error)
        }
        BackupError::NoRoom { .. } | BackupError::File { .. } => ApiError::disk(&error),
    })
}
