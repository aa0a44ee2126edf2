//! What the tests stand on: a scripted provider, a raw client, and the program in between, all on loopback.

pub(crate) mod app;
pub(crate) mod bodies;
pub(crate) mod client;
pub(crate) mod http;
pub(crate) mod program;
pub(crate) mod strict;
#[cfg(target_os = "linux")]
pub(crate) mod terminal;
pub(crate) mod upstream;

use std::time::Duration;

/// The bound of every wait. It is reached only where something is broken.
const BOUND: Duration = Duration::from_secs(20);

/// Waits for what must come.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(BOUND, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for {what}"),
    }
}
