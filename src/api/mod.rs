//! The dashboard's port: REST, the WebSocket, the page. One file a resource; thin: what is decided is decided in
//! `domain`, what is live comes from the engine, what is history from the store's readers.
//!
//! [`error`] is the only place that knows status codes, `guard` keeps other origins out.

mod alerts;
pub mod assets;
mod body;
mod budgets;
mod cached;
mod calibration;
mod calls;
mod checkpoints;
mod connect;
mod curves;
mod describe;
pub mod error;
pub(crate) mod export;
mod guard;
mod health;
mod idempotent;
mod import;
mod limits;
mod live;
mod metrics;
mod moving;
mod notifications;
mod past;
mod query;
mod report;
mod session_fields;
mod sessions;
mod settings;
mod sign_in;
mod storage;
mod tokens;
mod track_record;
pub(crate) mod usage;
mod ws;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use tokio::sync::watch;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate, SizeAbove};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::config::{Access, Mounts, Settings};
use crate::domain::ids::SessionId;
use crate::domain::session::CallsFate;
use crate::domain::wire::Snapshot;
use crate::engine::{Engine, NotEmptied, Stopped};
use crate::store::{Health, Reader};
use error::ApiError;
pub use notifications::{Notifications, TestTarget};

/// Answers of fewer bytes are not compressed.
const SMALL: u64 = 1_024;

/// What the API reads from.
#[derive(Clone)]
pub struct ApiState(Arc<Shared>);

struct Shared {
    engine: Engine,
    reader: Reader,
    health: Arc<Health>,
    exports: export::Places,
    /// The keys of requests that are being carried out.
    under_way: idempotent::UnderWay,
    ports: Ports,
    /// What stands before a path on the proxy, where there is a token: not the token, which a browser's cookie is not.
    token_path: &'static str,
    /// The mounts, for the prices of what is reported by hand.
    mounts: Mounts,
    settings: settings::InUse,
    notifications: Notifications,
    started: Instant,
    stopped: watch::Receiver<()>,
    /// Held while a copy of the history is made.
    copying: tokio::sync::Mutex<()>,
    /// How often a WebSocket fell too far behind, and how many events those did not get one by one.
    resyncs: AtomicU64,
    missed_events: AtomicU64,
    /// Each WebSocket holds one more.
    sockets: Arc<()>,
}

/// What is known of the ports that are listened on.
pub struct Ports {
    /// Where programs reach the proxy, as it is shown to users.
    pub proxy_url: String,
    /// Why the certificate's files, as they stand now, are not what is served with.
    pub certificate_trouble: watch::Receiver<Option<String>>,
}

impl ApiState {
    /// Reads from these. Who holds a receiver of `settings` hears of their changes. WebSockets end when the sender of `stopped` is gone.
    #[must_use]
    pub fn new(
        engine: Engine,
        reader: Reader,
        health: Arc<Health>,
        ports: Ports,
        settings: watch::Sender<Arc<Settings>>,
        notifications: Notifications,
        stopped: watch::Receiver<()>,
    ) -> Self {
        let now = Arc::clone(&settings.borrow());
        Self(Arc::new(Shared {
            engine,
            reader,
            health,
            exports: export::Places::default(),
            under_way: idempotent::UnderWay::default(),
            ports,
            token_path: now.access.token().map_or("", |_| "/t/TOKEN"),
            mounts: now.mounts.clone(),
            settings: settings::InUse::new(settings),
            notifications,
            started: Instant::now(),
            stopped,
            copying: tokio::sync::Mutex::default(),
            resyncs: AtomicU64::default(),
            missed_events: AtomicU64::default(),
            sockets: Arc::default(),
        }))
    }

    fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// The settings as they were set last.
    fn settings(&self) -> Arc<Settings> {
        self.0.settings.now()
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

    /// Sees to it that a deleted session loses its calls.
    async fn empty(&self, session: SessionId, calls: CallsFate) -> Result<(), ApiError> {
        let is_stopping = || self.0.stopped.has_changed().is_err();
        let emptied = self.engine().empty(&self.0.reader, session, calls, is_stopping);
        emptied.await.map_err(|error| match error {
            NotEmptied::Command(error) => error.into(),
            NotEmptied::Read(error) => ApiError::database(&error),
            NotEmptied::Stopped => Stopped.into(),
        })
    }

    /// A snapshot with what only this side knows.
    fn complete(&self, mut snapshot: Snapshot) -> Snapshot {
        snapshot.proxy_url.clone_from(&self.0.ports.proxy_url);
        snapshot
    }
}

/// What those hear whose connection is one too many.
#[must_use]
pub fn too_many_connections(limit: usize) -> Response {
    ApiError::too_many_connections(limit).into_response()
}

/// All routes, behind the guard: for those who may ask.
pub fn router(state: ApiState, access: &Access, ws_path: &str) -> Router {
    let (api, _) = resources().split_for_parts();
    let (beside, _) = beside_the_api().split_for_parts();
    let api = api
        .merge(describe::routes())
        .fallback(error::no_such_route)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(from_fn_with_state(state.clone(), idempotent::once))
        .layer(compressed());
    Router::new()
        .nest("/api", api)
        .route("/api/", any(error::no_such_route))
        .merge(beside)
        .route(ws_path, get(ws::connect))
        .route(sign_in::PATH, sign_in::route(access.clone()))
        .fallback(assets::get)
        .layer(from_fn_with_state(access.clone(), guard::check))
        .with_state(state)
}

/// Compresses what is worth it for who can read it: text of some size. The WebSocket is not behind it.
fn compressed() -> CompressionLayer<impl Predicate> {
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(DefaultPredicate::new().and(SizeAbove::new(SMALL)))
}

/// What is below `/api`, with its description.
fn resources() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(health::get))
        .routes(routes!(live::get))
        .routes(routes!(calibration::get))
        .routes(routes!(connect::get))
        .routes(routes!(settings::get, settings::change))
        .routes(routes!(storage::get))
        .routes(routes!(storage::back_up))
        .routes(routes!(calls::list))
        .routes(routes!(calls::get))
        .routes(routes!(moving::make))
        .routes(routes!(import::logged::make))
        .routes(routes!(import::exported::take))
        .routes(routes!(limits::get))
        .routes(routes!(track_record::get))
        .routes(routes!(alerts::list))
        .routes(routes!(alerts::change))
        .routes(routes!(alerts::rules))
        .routes(routes!(alerts::mute))
        .routes(routes!(notifications::list))
        .routes(routes!(notifications::test))
        .routes(routes!(budgets::list, budgets::create))
        .routes(routes!(budgets::get, budgets::change, budgets::remove))
        .routes(routes!(sessions::list, sessions::create))
        .routes(routes!(curves::compare))
        .routes(routes!(sessions::get, sessions::change, sessions::remove))
        .routes(routes!(curves::get))
        .routes(routes!(past::efficiency))
        .routes(routes!(past::get))
        .routes(routes!(export::everything))
        .routes(routes!(export::of_session))
        .routes(routes!(sessions::events))
        .routes(routes!(checkpoints::list, checkpoints::create))
        .routes(routes!(tokens::list, tokens::report))
        .routes(routes!(usage::get))
        .routes(routes!(usage::heatmap::get))
}

/// What has a place of its own on the same port.
fn beside_the_api() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(metrics::get))
}
