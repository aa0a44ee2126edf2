//! Tells of alerts outside: webhooks, Slack, Discord, the desktop. And of the calls and their sums, to a collector of
//! OpenTelemetry ([`export`], [`export_spans`]).
//!
//! Each target has a queue and a task of its own, so that none waits for another. The queue is bounded; what a target
//! does not take is tried again, later each time, and given up in the end. Nothing of it reaches the proxy: an alert is
//! handed over and forgotten.

mod attempt;
mod desktop;
mod spans;
mod target;
mod telemetry;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::task::JoinSet;

pub use attempt::{Answer, Post, Request};
pub use spans::{Spans, export_spans};
pub use telemetry::{Snapshot, export};

use crate::domain::notice::{Notice, Occasion, Target, Watch};
use crate::domain::wire::{AlertView, NotificationTarget, NotificationTest};
use target::Queue;

/// Reads the clock: UTC epoch milliseconds.
pub type Now = fn() -> i64;

/// Everybody who is told. Cheap to clone.
#[derive(Clone, Default)]
pub struct Notifier(Arc<[Queue]>);

impl Notifier {
    /// Takes up the targets. What it gives beside runs until all that belongs to it is dropped.
    pub fn new(targets: &[Target], post: &Post, now: Now) -> (Self, impl Future<Output = ()> + Send + use<>) {
        let mut tasks = JoinSet::new();
        let queues = targets.iter().map(|target| {
            let (queue, task) = Queue::new(target.clone(), Arc::clone(post), now);
            tasks.spawn(task);
            queue
        });
        let notifier = Self(queues.collect());
        (
            notifier,
            async move { while tasks.join_next().await.is_some() {} },
        )
    }

    /// Tells of alerts, each with the moment at which it changed, until there are no more.
    pub async fn follow(self, mut alerts: Receiver<(i64, AlertView)>) {
        let mut watch = Watch::default();
        loop {
            match alerts.recv().await {
                Ok((at, alert)) => {
                    if let Some(notice) = watch.notice(&alert, at) {
                        self.tell(&notice);
                    }
                }
                Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "alerts came too fast to tell of"),
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn tell(&self, notice: &Notice) {
        for queue in &*self.0 {
            let is_wanted = notice
                .alert
                .as_ref()
                .is_some_and(|alert| queue.target().wants(alert));
            if is_wanted && notice.is_for(queue.target().kind) {
                queue.put(notice.clone());
            }
        }
    }

    /// Who is told, and how that went.
    #[must_use]
    pub fn targets(&self) -> Vec<NotificationTarget> {
        self.0.iter().map(Queue::view).collect()
    }

    /// Sends a test to a target, once and at once; `None` if there is none of that name.
    #[must_use]
    pub fn test(&self, name: &str, now: Now) -> Option<BoxFuture<'static, NotificationTest>> {
        let queue = self.0.iter().find(|queue| &*queue.target().name == name)?.clone();
        Some(Box::pin(async move {
            let notice = Notice {
                occasion: Occasion::Test,
                at: now(),
                alert: None,
            };
            let error = queue
                .attempt(&notice)
                .await
                .err()
                .map(|failure| failure.to_string());
            NotificationTest {
                delivered: error.is_none(),
                error,
            }
        }))
    }
}
