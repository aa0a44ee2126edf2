//! The composition root: opens, binds and starts everything, and stops it in the order of the data.

mod upkeep;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::api::{self, ApiState, Notifications};
use crate::config::resolve::DatabasePlace;
use crate::config::{Scheme, Settings, price_list};
use crate::domain::budget::{Days, Share};
use crate::domain::estimate::calibration::{Calibration, Learnt};
use crate::domain::live::{Restored, RestoredSession, State};
use crate::domain::metrics::otlp::Collector;
use crate::domain::pricing::Catalog;
use crate::domain::units::Timestamp;
use crate::domain::wire::Change;
use crate::engine::clock::Clock;
use crate::engine::stream::{Subscription, Wanted};
use crate::engine::{self, Engine};
use crate::listen::certificate::{Certificate, Offer};
use crate::listen::tls::TlsError;
use crate::listen::{self, Dates, Limits, Port};
use crate::meter::estimator::{Counting, Estimator, Finding};
use crate::meter::progress::Progress;
use crate::notify::{self, Notifier};
use crate::proxy::{self, Outgoing, Proxy};
use crate::store::{Directory, GroupBy, Reader, Store, StoreError, StoreOptions, UsageQuery};

/// How long the dashboard's connections may take to end.
const DRAIN: Duration = Duration::from_secs(2);

/// How long a request to the dashboard or the API may take to begin. Browsers open another connection for the next.
const HEAD: Duration = Duration::from_secs(60);

/// How often it is told how far a stream has come.
const PROGRESS: Duration = Duration::from_millis(250);

/// Why the program could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A port cannot be listened on.
    #[error("cannot listen on {address}: {}{}", source, hint(source, name))]
    Bind {
        /// The setting that names the port.
        name: &'static str,
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

fn hint(error: &std::io::Error, name: &str) -> String {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!(
                ". Another program (or another Moonlock) has the port: stop it, or choose another with {name}"
            )
        }
        std::io::ErrorKind::PermissionDenied => format!(". Choose a port above 1023 with {name}"),
        _ => String::new(),
    }
}

/// The running program.
pub struct App {
    dashboard: SocketAddr,
    proxy: SocketAddr,
    scheme: Scheme,
    engine: Engine,
    reader: Reader,
    stop: watch::Sender<()>,
    servers: JoinSet<()>,
    engine_task: JoinSet<()>,
    /// Ends after the engine, which tells of the last calls.
    telling: JoinSet<()>,
    /// `None` where nothing is estimated.
    counting: Option<Counting>,
    store: Store,
}

impl App {
    /// Opens the database, binds both ports and starts to serve.
    ///
    /// # Errors
    /// The database cannot be used, or a port cannot be listened on.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let clock = Clock::of_machine();
        let files = settings.access.certificate();
        let certificate = files
            .map(|files| Certificate::read(&files.certificate, &files.key))
            .transpose()?;
        let acceptor = |offer| certificate.as_ref().map(|of| of.acceptor(offer));
        let (for_pages, for_calls) = (acceptor(Offer::Http1), acceptor(Offer::Http2));
        let scheme = settings.access.scheme();
        let (store, recovered) = Store::open(store_options(&settings))?;
        if recovered.interrupted > 0 {
            tracing::info!(
                calls = recovered.interrupted,
                "calls of the last run were interrupted"
            );
        }
        let api_listener = bind("PORT", SocketAddr::new(settings.host, settings.port)).await?;
        let proxy_listener = bind("PROXY_PORT", SocketAddr::new(settings.host, settings.proxy_port)).await?;
        let (dashboard, proxy) = (address(&api_listener), address(&proxy_listener));
        let catalog = price_list::load(settings.database.path()).unwrap_or_else(|error| {
            tracing::warn!(%error, "the price list that was brought cannot be used; the built-in one is");
            Catalog::default()
        });

        let sessions = recovered.sessions.into_iter();
        let now = clock.now();
        let days = Days::of(jiff::tz::TimeZone::system());
        let spent = spent(&store.reader(), &days, now.wall);
        let mut ahead = recovered.ahead;
        let restored = Restored {
            sessions: sessions
                .map(|stored| {
                    let (past, shown) = ahead.remove(&stored.session.id).unwrap_or_default();
                    RestoredSession {
                        session: stored.session,
                        totals: stored.totals,
                        marks: stored.marks,
                        heartbeat: stored.heartbeat,
                        past,
                        shown,
                    }
                })
                .collect(),
            auto_idle: settings.auto_sessions,
            current: recovered.current,
            conversations: recovered.conversations,
            unassigned: recovered.unassigned,
            recent: recovered.recent_calls,
            limits: recovered.limits,
            alerts: recovered.alerts,
            muted: recovered.muted,
            thresholds: settings.alert_at.clone(),
            days,
            budgets: recovered.budgets,
            spent,
            track_record: recovered.track_record,
        };
        // Numbers of events go up from run to run, so that a client never takes a new one for one it knows.
        let seq = u64::try_from(now.wall.0).unwrap_or(0).saturating_mul(1000);
        let (state, effects) = State::restore(restored, now, seq);
        let commit_bound = settings.commit_bound;
        let parts = engine::Parts {
            clock,
            state: state.with_prices(settings.prices.clone().with_catalog(catalog)),
            effects,
            writer: store.writer(),
            reader: store.reader(),
            commit_bound,
        };
        let (engine, task) = engine::build(parts);
        let mut engine_task = JoinSet::new();
        engine_task.spawn(task);

        let (estimator, counting) = estimates(&settings, &engine, recovered.calibration).unzip();
        let progress = estimator.as_ref().map(|estimator| estimator.progress().clone());
        let (stop, stopped) = watch::channel(());
        let mut servers = JoinSet::new();
        let forwarding = Proxy::new(
            settings.access.clone(),
            settings.mounts.clone(),
            settings.aws.clone(),
            engine.clone(),
            settings.durability,
            &store.fingerprint_key(),
            estimator,
        );
        let (to_proxy, to_dashboard) = listen::shares(listen::raised_descriptors());
        let end = told(stopped.clone());
        servers.spawn(proxy::serve(
            Port::new(proxy_listener, for_calls),
            forwarding,
            to_proxy,
            end,
        ));
        if let Some(progress) = progress {
            servers.spawn(tell_progress(progress, engine.clone(), stopped.clone()));
        }
        servers.spawn(upkeep::empty_deleted(
            engine.clone(),
            store.reader(),
            stopped.clone(),
        ));
        let (notifier, notifying) = notifier(&settings, Outgoing::default());
        if !settings.notify.is_empty() {
            let following = notifier.clone().follow(engine.alerts());
            servers.spawn(until(stopped.clone(), async {
                tokio::join!(following, notifying)
            }));
        }
        match &settings.collector {
            Ok(None) => {}
            Ok(Some(collector)) => {
                let (snapshot, post) = (snapshot(&engine), post(Outgoing::default()));
                let ended = told(stopped.clone());
                servers.spawn(notify::export(collector.clone(), snapshot, post, wall, ended));
            }
            Err(problem) => tracing::warn!(problem, "no metrics are exported"),
        }
        let spans = Arc::new(notify::Spans::default());
        let mut telling = JoinSet::new();
        match &settings.call_collector {
            Ok(None) => {}
            Ok(Some(collector)) => {
                if let Ok(heard) = engine.subscribe(Wanted::All, None).await {
                    let collector = collector.clone();
                    telling.spawn(tell_calls(heard, Arc::clone(&spans), collector));
                }
            }
            Err(problem) => tracing::warn!(problem, "no spans are exported"),
        }
        let ports = api::Ports {
            proxy_url: format!("{}://{}", scheme.as_str(), listen::reachable(proxy)),
            certificate_trouble: match &certificate {
                Some(certificate) => certificate.trouble(),
                None => watch::channel(None).1,
            },
        };
        if let Some(certificate) = certificate {
            servers.spawn(until(stopped.clone(), certificate.follow()));
        }
        let access = settings.access.clone();
        let ws_path = settings.ws_path.clone();
        let settings = watch::Sender::new(Arc::new(settings));
        servers.spawn(upkeep::keep_backups(
            settings.subscribe(),
            engine.clone(),
            store.writer(),
            stopped.clone(),
        ));
        servers.spawn(upkeep::forget_calls(
            settings.subscribe(),
            engine.clone(),
            store.reader(),
            stopped.clone(),
        ));
        let state = ApiState::new(
            engine.clone(),
            store.reader(),
            store.health(),
            ports,
            settings,
            notifications(notifier, spans),
            stopped.clone(),
        );
        let routes = api::router(state, &access, &ws_path);
        servers.spawn(serve_api(
            Port::new(api_listener, for_pages),
            routes,
            to_dashboard,
            stopped,
        ));
        if !api::assets::BUILT {
            tracing::warn!(
                "built without the dashboard: install Node.js 20 or newer and build again to get it"
            );
        }
        let reader = store.reader();
        Ok(Self {
            dashboard,
            proxy,
            scheme,
            engine,
            reader,
            stop,
            servers,
            engine_task,
            telling,
            counting,
            store,
        })
    }

    /// Where the dashboard and the API listen.
    #[must_use]
    pub const fn dashboard(&self) -> SocketAddr {
        self.dashboard
    }

    /// Where the proxy listens.
    #[must_use]
    pub const fn proxy(&self) -> SocketAddr {
        self.proxy
    }

    /// How both are spoken to.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The handle to the engine.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The history.
    #[must_use]
    pub const fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Stops in the order of the data: no new calls, calls under way to their end (within a bound), the last estimates,
    /// the engine's last inputs, the writer's last rows.
    pub async fn stop(self) {
        let Self {
            engine,
            reader,
            stop,
            mut servers,
            mut engine_task,
            mut telling,
            counting,
            store,
            ..
        } = self;
        drop(stop);
        while servers.join_next().await.is_some() {}
        if let Err(error) = tokio::task::spawn_blocking(move || drop(counting)).await {
            tracing::error!(%error, "the last calls are not estimated");
        }
        drop((engine, reader));
        while engine_task.join_next().await.is_some() {}
        if let Err(error) = tokio::task::spawn_blocking(move || drop(store)).await {
            tracing::error!(%error, "database not closed properly");
        }
        while telling.join_next().await.is_some() {}
    }
}

/// What was used by whom in each quarter of an hour that counts in a running day, week or month.
fn spent(reader: &Reader, days: &Days, now: Timestamp) -> Vec<(Timestamp, Share)> {
    let query = UsageQuery {
        from: Some(days.start(days.earliest(now))),
        group_by: vec![
            GroupBy::Bucket,
            GroupBy::Provider,
            GroupBy::Model,
            GroupBy::Client,
        ],
        ..UsageQuery::default()
    };
    let text = |text: Option<Arc<str>>| text.map(|text| Box::from(&*text));
    let groups = reader.usage(&query).unwrap_or_else(|error| {
        tracing::error!(%error, "what was used before cannot be read; budgets begin at nothing");
        Vec::new()
    });
    let shares = groups.into_iter().filter_map(|group| {
        let share = Share {
            provider: text(group.keys.provider)?,
            model: text(group.keys.model),
            client: text(group.keys.client),
            totals: group.totals,
        };
        Some((group.keys.bucket?, share))
    });
    shares.collect()
}

fn store_options(settings: &Settings) -> StoreOptions {
    let (path, directory) = match &settings.database {
        DatabasePlace::Default(path) => (path, Directory::Create),
        DatabasePlace::Chosen(path) => (path, Directory::MustExist),
    };
    StoreOptions {
        path: path.clone(),
        directory,
        durability: settings.durability,
        batch_size: settings.batch_size,
        batch_interval: settings.batch_interval,
    }
}

/// Those who are told of alerts, and what has to run for them.
fn notifier(settings: &Settings, outgoing: Outgoing) -> (Notifier, impl Future<Output = ()> + Send + use<>) {
    Notifier::new(&settings.notify, &post(outgoing), wall)
}

/// How messages go out.
fn post(outgoing: Outgoing) -> notify::Post {
    Arc::new(move |request| {
        let outgoing = outgoing.clone();
        Box::pin(async move {
            let notify::Request { url, headers, body } = request;
            let posted = outgoing.post(&url.0, "application/json", &headers, body).await;
            posted.map(|(status, retry_after)| notify::Answer { status, retry_after })
        })
    })
}

/// What the calls add up to at a moment.
fn snapshot(engine: &Engine) -> notify::Snapshot {
    let engine = engine.clone();
    Box::new(move || {
        let engine = engine.clone();
        Box::pin(async move { engine.metrics().await.ok().map(|(metrics, ..)| metrics) })
    })
}

/// Tells a collector of each call that ends, until the engine has ended.
async fn tell_calls(heard: Subscription, spans: Arc<notify::Spans>, collector: Collector) {
    let mut events = heard.events;
    let hear = async {
        loop {
            match events.recv().await {
                Ok(published) => {
                    if let Change::CallFinished { call, .. } = &published.event.change {
                        spans.put(call);
                    }
                }
                Err(RecvError::Lagged(missed)) => spans.lost(missed),
                Err(RecvError::Closed) => return,
            }
        }
    };
    notify::export_spans(&spans, &collector, &post(Outgoing::default()), hear).await;
}

/// What the API holds of them.
fn notifications(notifier: Notifier, spans: Arc<notify::Spans>) -> Notifications {
    let listed = notifier.clone();
    Notifications {
        targets: Arc::new(move || listed.targets()),
        test: Arc::new(move |name| notifier.test(name, wall)),
        dropped_spans: Arc::new(move || spans.dropped()),
    }
}

fn wall() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// Runs it until the program is told to stop.
async fn until<T>(stopped: watch::Receiver<()>, work: impl Future<Output = T>) {
    tokio::select! {
        _ = work => {}
        () = told(stopped) => {}
    }
}

/// Starts the estimates, if they are wanted.
fn estimates(settings: &Settings, engine: &Engine, learnt: Vec<Learnt>) -> Option<(Estimator, Counting)> {
    let memory = settings.estimate_memory?;
    let engine = engine.clone();
    let outlet = move |finding| match finding {
        Finding::Estimated(id, estimated) => engine.call_estimated(id, estimated),
        Finding::Learnt(learnt) => engine.learnt(learnt),
    };
    let calibration = Calibration::restore(learnt);
    Estimator::start(memory, calibration, Box::new(outlet))
        .inspect_err(|error| tracing::error!(%error, "nothing is estimated: there is no thread for it"))
        .ok()
}

async fn bind(name: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Bind {
            name,
            address,
            source,
        })
}

fn address(listener: &TcpListener) -> SocketAddr {
    listener
        .local_addr()
        .unwrap_or_else(|_| SocketAddr::from(([127, 0, 0, 1], 0)))
}

/// Resolves when the program is told to stop.
async fn told(mut stopped: watch::Receiver<()>) {
    // The sender is dropped, never used.
    drop(stopped.changed().await);
}

/// Tells how far running streams have come, until the program is told to stop.
async fn tell_progress(progress: Progress, engine: Engine, mut stopped: watch::Receiver<()>) {
    let grow = async {
        loop {
            progress.some_run().await;
            tokio::time::sleep(PROGRESS).await;
            let grown = progress.grown();
            if !grown.is_empty() {
                engine.calls_grew(grown);
            }
        }
    };
    tokio::select! {
        () = grow => {}
        _ = stopped.changed() => {}
    }
}

async fn serve_api(port: Port, routes: axum::Router, connections: usize, stopped: watch::Receiver<()>) {
    let limits = Limits {
        connections,
        streams: 128,
        head: HEAD,
        drain: DRAIN,
        dates: Dates::Ours,
    };
    let refuse = move || api::too_many_connections(connections);
    let answer = TowerToHyperService::new(routes);
    listen::serve(
        port,
        limits,
        answer,
        refuse,
        told(stopped),
        std::future::ready(()),
    )
    .await;
}
