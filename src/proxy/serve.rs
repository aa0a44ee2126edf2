//! Serves the proxy's port.

use std::time::Duration;

use hyper::service::service_fn;

use super::error::OwnError;
use super::service::Proxy;
use crate::config::Dialect;
use crate::listen::{self, Dates, Limits, Port};

/// How long a client may take to send a request's head. hyper counts the time that a connection idles before it as
/// well, and a client that pools connections must not find them closed under its hands.
const HEAD: Duration = Duration::from_secs(600);
/// How long calls under way may go on after the program was told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves HTTP/1.1 and HTTP/2 until `shutdown`, then lets calls under way end, within a bound. More than
/// `connections` at a time are refused.
pub async fn serve(port: Port, proxy: Proxy, connections: usize, shutdown: impl Future<Output = ()>) {
    let limits = Limits {
        connections,
        streams: 1024,
        head: HEAD,
        drain: DRAIN,
        dates: Dates::Passed,
    };
    let answering = proxy.clone();
    let answer = service_fn(move |request| answering.clone().answer(request));
    let refuse = move || OwnError::too_many_connections(connections).response(Dialect::OpenAi);
    let sockets = proxy.sockets();
    listen::serve(port, limits, answer, refuse, shutdown, sockets.drain()).await;
    sockets.cut_off().await;
}
