//! The thread that calls pass through.
//!
//! Everything that a call goes through on its way runs on one thread, the engine included, and everything else elsewhere:
//! what the dashboard asks for, exports and backups never stand in front of a call. Where the threads of a runtime share
//! their work, each message to the engine wakes another one, and that costs a call more than one thread takes for it.

use std::io;
use std::thread::JoinHandle;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A thread with a runtime of its own. It ends when this is dropped.
pub(super) struct CallsThread {
    handle: Handle,
    /// Dropped, it tells the thread to end.
    end: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl CallsThread {
    /// Starts it.
    ///
    /// # Errors
    /// The system gives no thread, or no descriptor to wait for the network with.
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        let run = move || {
            drop(runtime.block_on(ended));
            // A name that is looked up takes as long as it takes.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("calls".to_owned()).spawn(run)?;
        Ok(Self { handle, end, thread })
    }

    /// Where to spawn what belongs to calls.
    pub(super) const fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Ends it, and waits until it has.
    pub(super) async fn stop(self) {
        let Self { end, thread, .. } = self;
        drop(end);
        let joined = tokio::task::spawn_blocking(move || thread.join().is_ok()).await;
        if !joined.unwrap_or(false) {
            tracing::error!("the thread of calls broke down");
        }
    }
}
