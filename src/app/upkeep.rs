//! What is done for the history beside the calls, while the program runs: copies of it, and what the user wants to be rid of.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

use crate::config::Settings;
use crate::domain::session::clock::Reading;
use crate::engine::{self, Engine, NotEmptied};
use crate::store::{BackupError, Daily, Reader, WriterHandle};

/// When the first look for a daily backup and for old calls is, after the start, and how long it is from one to the next: an
/// attempt that failed is repeated then.
const FIRST: Duration = Duration::from_secs(60);
const NEXT: Duration = Duration::from_secs(60 * 60);

/// A wall clock that was set forward by more than this is not believed at once.
const LEAP_MS: i64 = 60 * 60 * 1_000;

/// Makes the daily backups, while they are wanted, until the program is told to stop.
pub(super) async fn keep_backups(
    settings: watch::Receiver<Arc<Settings>>,
    engine: Engine,
    writer: WriterHandle,
    mut stopped: watch::Receiver<()>,
) {
    let mut look = tokio::time::interval_at(Instant::now() + FIRST, NEXT);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stopping = Arc::new(AtomicBool::new(false));
    loop {
        tokio::select! {
            _ = look.tick() => {}
            _ = stopped.changed() => return,
        }
        let settings = Arc::clone(&settings.borrow());
        if !settings.backup.daily {
            continue;
        }
        let daily = Daily {
            database: settings.database.path().to_owned(),
            directory: settings.backup.directory.clone(),
            keep_days: settings.backup.keep_days,
        };
        let stop = Arc::clone(&stopping);
        let mut looking = tokio::task::spawn_blocking(move || daily.look(jiff::Timestamp::now(), &stop));
        let looked = tokio::select! {
            looked = &mut looking => looked,
            _ = stopped.changed() => {
                stopping.store(true, Ordering::Release);
                looking.await
            }
        };
        match looked {
            Ok(Ok(None)) | Ok(Err(BackupError::Stopped)) => {}
            Ok(Ok(Some(backup))) => {
                tracing::info!(path = %backup.path.display(), backup.bytes, backup.calls, "backup made");
                engine.backup_ended(None);
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "no daily backup was made");
                if let BackupError::Damaged { problem } = &error {
                    writer.report_damage(problem.clone());
                }
                engine.backup_ended(Some(format!("No daily backup was made: {error}.").into()));
            }
            Err(error) => tracing::error!(%error, "the daily backup panicked"),
        }
    }
}

/// Goes on with deleted sessions that still had calls when the last run ended.
pub(super) async fn empty_deleted(engine: Engine, reader: Reader, stopped: watch::Receiver<()>) {
    let asking = reader.clone();
    let deleted = match tokio::task::spawn_blocking(move || asking.emptying()).await {
        Ok(Ok(deleted)) => deleted,
        Ok(Err(error)) => return tracing::error!(%error, "deleted sessions cannot be read"),
        Err(error) => return tracing::error!(%error, "deleted sessions cannot be read"),
    };
    for (session, calls) in deleted {
        let is_stopping = || stopped.has_changed().is_err();
        if let Err(error) = engine.empty(&reader, session, calls, is_stopping).await {
            tracing::warn!(%error, session.id = %session, "a deleted session keeps calls until the next start");
        }
    }
}

/// Deletes the calls that are older than the user keeps them: a while after the start, every hour, and as soon as the user
/// says for how long.
///
/// What is deleted does not come back, and how old a call is only the wall clock says. So of a clock that was set far forward
/// since the last look (by hand, or by a time server that is mistaken) nothing is taken for an hour. See also
/// [`engine::horizon`].
pub(super) async fn forget_calls(
    mut settings: watch::Receiver<Arc<Settings>>,
    engine: Engine,
    reader: Reader,
    mut stopped: watch::Receiver<()>,
) {
    let mut look = tokio::time::interval_at(Instant::now() + FIRST, NEXT);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut days = settings.borrow_and_update().keep_calls_days;
    let mut set = ahead(engine.now());
    loop {
        tokio::select! {
            _ = look.tick() => days = settings.borrow_and_update().keep_calls_days,
            changed = settings.changed() => {
                let before = std::mem::replace(&mut days, settings.borrow_and_update().keep_calls_days);
                if changed.is_err() {
                    return;
                }
                if days == before {
                    continue;
                }
            }
            _ = stopped.changed() => return,
        }
        let Some(days) = days else { continue };
        let now = engine.now();
        let before = std::mem::replace(&mut set, ahead(now));
        if set.saturating_sub(before) > LEAP_MS {
            tracing::warn!("the wall clock was set forward: old calls are kept for another hour");
            continue;
        }
        let asking = reader.clone();
        let asked = tokio::task::spawn_blocking(move || engine::horizon(&asking, now.wall, days)).await;
        let horizon = match asked.map_err(|_| NotEmptied::Stopped) {
            Ok(Ok(Some(horizon))) => horizon,
            Ok(Ok(None)) | Err(_) => continue,
            Ok(Err(error)) => {
                tracing::warn!(%error, "old calls cannot be looked for");
                continue;
            }
        };
        let is_stopping =
            || stopped.has_changed().is_err() || settings.borrow().keep_calls_days != Some(days);
        match engine.forget(&reader, horizon, is_stopping).await {
            Ok(0) => {}
            Ok(calls) => tracing::info!(calls, "old calls were deleted; their sums stay"),
            Err(error) => tracing::warn!(%error, "some old calls are kept until the next look"),
        }
    }
}

/// How far the wall clock is ahead of the one that nobody sets, in milliseconds.
fn ahead(now: Reading) -> i64 {
    now.wall.0.saturating_sub(now.boot.millis())
}
