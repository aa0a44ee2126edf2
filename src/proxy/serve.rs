//! Accepts connections on the proxy port.

use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::service::Proxy;

/// How long a client may take to send a request's head. hyper counts the time that a connection idles before it as
/// well, and a client that pools connections must not find them closed under its hands.
const HEAD_TIMEOUT: Duration = Duration::from_secs(600);
/// How long calls under way may go on after the program was told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves HTTP/1.1 and HTTP/2 in the clear until `shutdown`, then lets calls under way end, within a bound.
pub async fn serve(listener: TcpListener, proxy: Proxy, shutdown: impl Future<Output = ()>) {
    let mut http = Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .auto_date_header(false);
    http.http2()
        .timer(TokioTimer::new())
        .auto_date_header(false)
        .max_concurrent_streams(1024);
    let graceful = GracefulShutdown::new();
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
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "nodelay not set");
        }
        let answering = proxy.clone();
        let service = service_fn(move |request| answering.clone().answer(request));
        let connection = http
            .serve_connection_with_upgrades(TokioIo::new(stream), service)
            .into_owned();
        let connection = graceful.watch(connection);
        connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error, "connection ended early");
            }
        });
    }
    drop(listener);
    let sockets = proxy.sockets();
    let drained = async { tokio::join!(graceful.shutdown(), sockets.drain()) };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        tracing::warn!("calls still under way are cut off");
    }
    connections.shutdown().await;
    sockets.cut_off().await;
}
