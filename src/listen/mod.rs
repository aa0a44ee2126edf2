//! Accepts connections, so many and no more, and speaks HTTP/1.1 and HTTP/2 on them.
//!
//! Each connection takes file descriptors, and where those run out nothing works any more, the database included. So
//! there is a bound; who comes beyond it is told, and the bound leaves room for the others' upstream connections.

pub mod certificate;
mod counted;
#[cfg(test)]
mod tests;
pub mod tls;

use std::convert::Infallible;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use counted::Counted;

/// So many connections beyond the bound are told at a time that they are; others are closed at once.
const TOLD: usize = 16;
/// How long one that is told may take to ask and to hear.
const TELLING: Duration = Duration::from_secs(5);
/// How long nothing is accepted when the system has no descriptor left.
const NO_DESCRIPTOR: Duration = Duration::from_millis(50);

/// So many descriptors are left for the database, its readers, logs and who is told that there are too many.
const RESERVE: usize = 64;
/// Never fewer connections than these.
const FEWEST: usize = 16;

/// How much is taken on.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// So many connections at a time, WebSockets among them.
    pub connections: usize,
    /// So many streams at a time on a connection of HTTP/2.
    pub streams: u32,
    /// How long a request's head may take to come. hyper counts the time that a connection idles before it as well.
    pub head: Duration,
    /// How long what is under way may go on after the program was told to stop.
    pub drain: Duration,
    /// Who says when an answer was made.
    pub dates: Dates,
}

/// Who gives answers their `Date` (RFC 9110 §6.6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dates {
    /// This program: the answers are its own.
    Ours,
    /// Whoever made the answer that is passed on.
    Passed,
}

/// A port that is listened on: in the clear, or over TLS.
pub struct Port {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
}

impl Port {
    /// Listens there; with an acceptor over TLS alone.
    #[must_use]
    pub const fn new(listener: TcpListener, tls: Option<TlsAcceptor>) -> Self {
        Self { listener, tls }
    }
}

/// Where programs of this machine reach what listens there.
#[must_use]
pub fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

/// How many connections so many file descriptors are enough for: to the proxy, where each call may take another one
/// upstream, and to the dashboard.
#[must_use]
pub fn shares(descriptors: usize) -> (usize, usize) {
    let dashboard = (descriptors / 8).clamp(FEWEST, 512);
    let proxy = descriptors.saturating_sub(dashboard + RESERVE) / 2;
    (proxy.clamp(FEWEST, 8192), dashboard)
}

/// Raises how many file descriptors this process may have as far as the system lets it; gives how many those are.
/// Systems begin with few (256 on macOS) for the sake of programs from before poll(2).
#[cfg(unix)]
#[must_use]
pub fn raised_descriptors() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    /// macOS takes no more (`OPEN_MAX`), also where it says that there is no limit.
    const MOST: u64 = if cfg!(target_os = "macos") { 10_240 } else { 65_536 };
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(MOST).min(MOST);
    let now = current.unwrap_or(MOST);
    let raised = Rlimit {
        current: Some(wanted),
        maximum,
    };
    let most = match now < wanted && setrlimit(Resource::Nofile, raised).is_ok() {
        true => wanted,
        false => now,
    };
    usize::try_from(most).unwrap_or(usize::MAX)
}

/// Windows has no such bound.
#[cfg(not(unix))]
#[must_use]
pub fn raised_descriptors() -> usize {
    65_536
}

/// Answers on connections until `shutdown`, then lets what is under way (`also` with it) end within a bound.
/// `refuse` answers those that are too many.
pub async fn serve<S, B, C>(
    Port { listener, tls }: Port,
    limits: Limits,
    answer: S,
    refuse: impl Fn() -> Response<C> + Clone + Send + 'static,
    shutdown: impl Future<Output = ()>,
    also: impl Future<Output = ()>,
) where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    C: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let http = builder(limits);
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(limits.connections));
    let told = Arc::new(Semaphore::new(TOLD));
    let mut is_full = false;
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
            // Ended connections are taken off the set as they end.
            Some(_) = connections.join_next() => continue,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, most likely: wait for some to be freed rather than spin.
                tracing::warn!(%error, "connection not accepted");
                tokio::time::sleep(NO_DESCRIPTOR).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "nodelay not set");
        }
        if let Ok(permit) = Arc::clone(&room).try_acquire_owned() {
            is_full = false;
            let taken = Taken {
                http: http.clone(),
                watcher: graceful.watcher(),
                permit,
                head: limits.head,
            };
            let answer = answer.clone();
            match tls.clone() {
                None => drop(connections.spawn(taken.serve(stream, answer))),
                Some(tls) => drop(connections.spawn(async move {
                    match tokio::time::timeout(limits.head, tls.accept(stream)).await {
                        Ok(Ok(stream)) => taken.serve(stream, answer).await,
                        Ok(Err(error)) => tracing::debug!(%error, "TLS was not agreed on"),
                        Err(_) => {}
                    }
                })),
            }
            continue;
        }
        if !std::mem::replace(&mut is_full, true) {
            tracing::warn!(
                limit = limits.connections,
                "too many connections: more are refused"
            );
        }
        if let Ok(permit) = Arc::clone(&told).try_acquire_owned() {
            let mut http = http.clone();
            http.http1().keep_alive(false);
            let refuse = refuse.clone();
            let refusing = service_fn(move |_| std::future::ready(Ok::<_, Infallible>(refuse())));
            let tls = tls.clone();
            let telling = async move {
                match tls {
                    None => drop(http.serve_connection(counted(stream, permit), refusing).await),
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            drop(http.serve_connection(counted(stream, permit), refusing).await);
                        }
                    }
                }
            };
            connections.spawn(async { drop(tokio::time::timeout(TELLING, telling).await) });
        }
    }
    drop(listener);
    let drained = async { tokio::join!(graceful.shutdown(), also) };
    if tokio::time::timeout(limits.drain, drained).await.is_err() {
        tracing::warn!("what is still under way is cut off");
    }
    connections.shutdown().await;
}

/// What a connection has that was taken on.
struct Taken {
    http: Builder<TokioExecutor>,
    watcher: Watcher,
    permit: OwnedSemaphorePermit,
    head: Duration,
}

impl Taken {
    /// Answers what is asked on it to its end.
    async fn serve<I, S, B>(self, stream: I, answer: S)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
        S::Future: Send,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
    {
        let (answer, came) = Begun::new(answer);
        let connection = self
            .http
            .serve_connection_with_upgrades(counted(stream, self.permit), answer);
        let mut connection = std::pin::pin!(self.watcher.watch(connection.into_owned()));
        let ended = match tokio::time::timeout(self.head, &mut connection).await {
            Ok(ended) => ended,
            Err(_) if came.load(Ordering::Relaxed) => connection.await,
            Err(_) => return,
        };
        if let Err(error) = ended {
            tracing::debug!(error, "connection ended early");
        }
    }
}

/// What answers, and whether anything was asked: hyper waits without a bound for the bytes by which it tells the versions
/// of HTTP apart.
#[derive(Clone)]
struct Begun<S> {
    answer: S,
    came: Arc<AtomicBool>,
}

impl<S> Begun<S> {
    fn new(answer: S) -> (Self, Arc<AtomicBool>) {
        let came = Arc::new(AtomicBool::new(false));
        let begun = Self {
            answer,
            came: Arc::clone(&came),
        };
        (begun, came)
    }
}

impl<S: Service<Request<Incoming>>> Service<Request<Incoming>> for Begun<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, request: Request<Incoming>) -> S::Future {
        self.came.store(true, Ordering::Relaxed);
        self.answer.call(request)
    }
}

fn builder(limits: Limits) -> Builder<TokioExecutor> {
    let mut http = Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .auto_date_header(limits.dates == Dates::Ours);
    http.http2()
        .timer(TokioTimer::new())
        .auto_date_header(limits.dates == Dates::Ours)
        .max_concurrent_streams(limits.streams)
        // As RFC 8441 has it, for WebSockets on HTTP/2.
        .enable_connect_protocol();
    http
}

fn counted<I>(stream: I, permit: OwnedSemaphorePermit) -> TokioIo<Counted<I>> {
    TokioIo::new(Counted::new(stream, permit))
}
