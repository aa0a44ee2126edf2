//! The calls' sums go to a collector of OpenTelemetry, again and again.
//!
//! What does not arrive is said again at the next interval, for every message says all since the start: there is no queue
//! and no other attempt. That it does not arrive is told once, in the log.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Now, Post, Request};
use crate::domain::metrics::Metrics;
use crate::domain::metrics::otlp::{self, Collector};
use crate::domain::units::{Millis, Timestamp};

/// So long the last message may take when the program stops.
const LAST: Duration = Duration::from_secs(2);

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
        let headers = self.collector.headers.iter();
        let request = Request {
            url: self.collector.url.clone(),
            headers: headers
                .map(|(name, value)| (name.to_string().into(), value.0.to_string()))
                .collect(),
            body: body.to_string().into_bytes(),
        };
        let sent = match tokio::time::timeout(timeout, (self.post)(request)).await {
            Ok(Ok(answer)) if (200..300).contains(&answer.status) => Ok(()),
            Ok(Ok(answer)) => Err(format!("HTTP {}", answer.status)),
            Ok(Err(why)) => Err(why),
            Err(_) => Err(format!("no answer within {} ms", timeout.as_millis())),
        };
        match (self.standing.after(&sent), sent) {
            (Some(Standing::Failing), Err(why)) => {
                tracing::warn!(%why, "the metrics' collector takes nothing; it is tried again at every interval");
            }
            (Some(Standing::Well), _) => tracing::info!("the metrics' collector takes them again"),
            _ => {}
        }
    }
}

/// How it went last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Well,
    Failing,
}

impl Standing {
    /// Takes an attempt in; gives what is new about it.
    fn after(&mut self, sent: &Result<(), String>) -> Option<Self> {
        let now = match sent {
            Ok(()) => Self::Well,
            Err(_) => Self::Failing,
        };
        (std::mem::replace(self, now) != now).then_some(now)
    }
}

const fn duration(millis: Millis) -> Duration {
    Duration::from_millis(millis.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_that_fails_is_told_of_once() {
        let mut standing = Standing::Well;
        let failed = Err("HTTP 503".to_owned());
        let told =
            [&Ok(()), &failed, &failed, &failed, &Ok(()), &Ok(()), &failed].map(|sent| standing.after(sent));
        let (failing, well) = (Some(Standing::Failing), Some(Standing::Well));
        assert_eq!(told, [None, failing, None, None, well, None, failing]);
    }
}
