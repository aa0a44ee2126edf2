//! The WebSockets that are open. They outlive the HTTP connections that they came from.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::task::JoinSet;

/// The open sockets, a task each, and how they are told that the program stops.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    open: Mutex<JoinSet<()>>,
    stopping: watch::Sender<bool>,
}

impl Sockets {
    /// Runs a socket to its end.
    pub(super) fn spawn(&self, socket: impl Future<Output = ()> + Send + 'static) {
        let mut open = self.open();
        open.spawn(socket);
        // Those that have ended are taken off the set.
        while open.try_join_next().is_some() {}
    }

    /// Becomes true when the program stops.
    pub(super) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// Tells all sockets to end where they can, and waits until they have.
    pub(super) async fn drain(&self) {
        self.stopping.send_replace(true);
        while poll_fn(|context| self.open().poll_join_next(context))
            .await
            .is_some()
        {}
    }

    /// Ends those that are left.
    pub(super) async fn cut_off(&self) {
        self.open().abort_all();
        self.drain().await;
    }

    fn open(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
