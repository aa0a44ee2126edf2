//! The dashboard's port: REST, the WebSocket, the page. One file a resource; thin: what is decided is decided in
//! `domain`, what is live comes from the engine, what is history from the store's readers.
//!
//! [`error`] is the only place that knows status codes, `guard` keeps other origins out.

mod alerts;
pub mod assets;
mod body;
mod budgets;
mod calibration;
mod calls;
mod checkpoints;
mod connect;
pub mod error;
mod export;
mod guard;
mod health;
mod limits;
mod live;
mod metrics;
mod moving;
mod query;
mod report;
mod session_fields;
mod sessions;
mod tokens;
mod track_record;
pub(crate) mod usage;
mod ws;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::{any, get, patch, post};
use tokio::sync::watch;

use crate::config::Mounts;
use crate::domain::wire::Snapshot;
use crate::engine::Engine;
use crate::store::{Health, Reader};
use error::ApiError;

/// What the API reads from.
#[derive(Clone)]
pub struct ApiState(Arc<Shared>);

struct Shared {
    engine: Engine,
    reader: Reader,
    health: Arc<Health>,
    exports: export::Places,
    proxy_url: String,
    /// The mounts, for the prices of what is reported by hand.
    mounts: Mounts,
    heartbeat: Duration,
    started: Instant,
    stopped: watch::Receiver<()>,
    /// Each WebSocket holds one more.
    sockets: Arc<()>,
}

impl ApiState {
    /// Reads from these. `proxy_url` is shown to users, `heartbeat` is the time between the WebSocket's pings; they
    /// end when the sender of `stopped` is gone.
    #[must_use]
    pub fn new(
        engine: Engine,
        reader: Reader,
        health: Arc<Health>,
        proxy_url: String,
        mounts: Mounts,
        heartbeat: Duration,
        stopped: watch::Receiver<()>,
    ) -> Self {
        Self(Arc::new(Shared {
            engine,
            reader,
            health,
            exports: export::Places::default(),
            proxy_url,
            mounts,
            heartbeat,
            started: Instant::now(),
            stopped,
            sockets: Arc::default(),
        }))
    }

    fn engine(&self) -> &Engine {
        &self.0.engine
    }

    fn mounts(&self) -> &Mounts {
        &self.0.mounts
    }

    /// Asks the database, on a thread that may block.
    async fn read<T, E>(
        &self,
        ask: impl FnOnce(&Reader) -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: std::fmt::Display + Send + 'static,
    {
        let reader = self.0.reader.clone();
        let asked = tokio::task::spawn_blocking(move || ask(&reader)).await;
        match asked {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error)) => Err(ApiError::database(&error)),
            Err(error) => Err(ApiError::database(&error)),
        }
    }

    /// A snapshot with what only this side knows.
    fn complete(&self, mut snapshot: Snapshot) -> Snapshot {
        snapshot.proxy_url.clone_from(&self.0.proxy_url);
        snapshot
    }
}

/// All routes, behind the guard.
pub fn router(state: ApiState, ws_path: &str) -> Router {
    let api = Router::new()
        .route("/health", get(health::get))
        .route("/live", get(live::get))
        .route("/calibration", get(calibration::get))
        .route("/connect", get(connect::get))
        .route("/calls", get(calls::list))
        .route("/calls/move", post(moving::make))
        .route("/limits", get(limits::get))
        .route("/forecast/track-record", get(track_record::get))
        .route("/alerts", get(alerts::list))
        .route("/alerts/{id}", patch(alerts::change))
        .route("/alert-rules", get(alerts::rules))
        .route("/alert-rules/{rule}", patch(alerts::mute))
        .route("/budgets", get(budgets::list).post(budgets::create))
        .route(
            "/budgets/{id}",
            get(budgets::get).patch(budgets::change).delete(budgets::remove),
        )
        .route("/sessions", get(sessions::list).post(sessions::create))
        .route("/sessions/{id}", get(sessions::get).patch(sessions::change))
        .route("/export", get(export::everything))
        .route("/sessions/{id}/export", get(export::of_session))
        .route("/sessions/{id}/events", get(sessions::events))
        .route(
            "/sessions/{id}/checkpoints",
            get(checkpoints::list).post(checkpoints::create),
        )
        .route("/sessions/{id}/tokens", get(tokens::list).post(tokens::report))
        .route("/analytics/usage", get(usage::get))
        .fallback(error::no_such_route)
        .method_not_allowed_fallback(error::method_not_allowed);
    Router::new()
        .nest("/api", api)
        .route("/api/", any(error::no_such_route))
        .route("/metrics", get(metrics::get))
        .route(ws_path, get(ws::connect))
        .fallback(assets::get)
        .layer(axum::middleware::from_fn(guard::check))
        .with_state(state)
}
