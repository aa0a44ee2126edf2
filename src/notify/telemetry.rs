//! The calls' sums go to a collector of OpenTelemetry, again and again.
//!
//! What does not arrive is said again at the next interval, for every message says all since the start: there is no queue
//! and no other attempt. That it does not arrive is told once, in the log.

use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::{Now, Post, Request};
use crate::domain::metrics::Metrics;
use crate::domain::metrics::otlp::{self, Collector};
use crate::domain::units::{Millis, Timestamp};

/// So long the last message may take when the program stops.
pub(super) const LAST: Duration = Duration::from_secs(2);

/// What the calls add up to at a moment; `None`: nobody knows any more.
pub type Snapshot = Box<dyn Fn() -> BoxFuture<'static, Option<Metrics>> + Send + Sync>;

/// Tells the collector at every interval until `stopped`, and once more then.
pub async fn export(
    collector: Collector,
    snapshot: Snapshot,
    post: Post,
    now: Now,
    stopped: impl Future<Output = ()> + Send,
) {
    let interval = duration(collector.interval);
    let timeout = duration(collector.timeout);
    let mut exporter = Exporter {
        collector,
        snapshot,
        post,
        now,
        from: Timestamp(now()),
        standing: Standing::Well,
    };
    let again = async {
        loop {
            tokio::time::sleep(interval).await;
            exporter.tell(timeout).await;
        }
    };
    tokio::select! {
        () = again => {}
        () = stopped => {}
    }
    exporter.tell(timeout.min(LAST)).await;
}

struct Exporter {
    collector: Collector,
    snapshot: Snapshot,
    post: Post,
    now: Now,
    /// When the sums began.
    from: Timestamp,
    standing: Standing,
}

impl Exporter {
    async fn tell(&mut self, timeout: Duration) {
        let Some(metrics) = (self.snapshot)().await else {
            return;
        };
        if metrics.series().is_empty() {
            return;
        }
        let now = Timestamp((self.now)());
        let body = otlp::request(&metrics, &self.collector.resource, self.from, now);
        let sent = send(&self.collector, &self.post, &body, timeout).await;
        self.standing.tell("metrics", &sent);
    }
}

/// Why a collector did not take a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    why: String,
    /// Whether the same may be taken later.
    pub(super) passes: bool,
}

/// Sends a message once.
pub(super) async fn send(
    collector: &Collector,
    post: &Post,
    body: &Value,
    timeout: Duration,
) -> Result<(), Refused> {
    let headers = collector.headers.iter();
    let request = Request {
        url: collector.url.clone(),
        headers: headers
            .map(|(name, value)| (name.to_string().into(), value.0.to_string()))
            .collect(),
        body: body.to_string().into_bytes(),
    };
    let passing = |why| Refused { why, passes: true };
    match tokio::time::timeout(timeout, post(request)).await {
        Ok(Ok(answer)) if (200..300).contains(&answer.status) => Ok(()),
        Ok(Ok(answer)) => Err(Refused {
            why: format!("HTTP {}", answer.status),
            passes: matches!(answer.status, 408 | 429 | 502..=504),
        }),
        Ok(Err(why)) => Err(passing(why)),
        Err(_) => Err(passing(format!("no answer within {} ms", timeout.as_millis()))),
    }
}

/// How it went last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Standing {
    #[default]
    Well,
    Failing,
}

impl Standing {
    /// Takes an attempt in, and tells the log what is new about it.
    pub(super) fn tell(&mut self, what: &str, sent: &Result<(), Refused>) {
        match (self.after(sent), sent) {
            (Some(Self::Failing), Err(Refused { why, .. })) => {
                tracing::warn!(%why, what, "the collector takes nothing; it is tried again at every interval");
            }
            (Some(Self::Well), _) => tracing::info!(what, "the collector takes them again"),
            _ => {}
        }
    }

    /// Takes an attempt in; gives what is new about it.
    fn after(&mut self, sent: &Result<(), Refused>) -> Option<Self> {
        let now = match sent {
            Ok(()) => Self::Well,
            Err(_) => Self::Failing,
        };
        (std::mem::replace(self, now) != now).then_some(now)
    }
}

pub(super) const fn duration(millis: Millis) -> Duration {
    Duration::from_millis(millis.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_that_fails_is_told_of_once() {
        let mut standing = Standing::Well;
        let failed = Err(Refused {
            why: "HTTP 503".to_owned(),
            passes: true,
        });
        let told =
            [&Ok(()), &failed, &failed, &failed, &Ok(()), &Ok(()), &failed].map(|sent| standing.after(sent));
        let (failing, well) = (Some(Standing::Failing), Some(Standing::Well));
        assert_eq!(told, [None, failing, None, None, well, None, failing]);
    }
}
