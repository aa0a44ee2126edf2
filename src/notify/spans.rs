//! Each call that has ended goes to a collector of OpenTelemetry, many at once.
//!
//! So many wait and no more: what finds no room, and what the collector will never take, is dropped and counted. A call
//! whose usage is known later than its end replaces itself while it waits; afterwards it is not said again.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Post;
use super::telemetry::{LAST, Standing, duration, send};
use crate::domain::ids::CallId;
use crate::domain::metrics::otlp::Collector;
use crate::domain::metrics::spans;
use crate::domain::operation::Operation;
use crate::domain::wire::CallView;

/// So many calls wait: the usual bound of OpenTelemetry's own libraries.
const WAITING: usize = 2_048;
/// So many are said at once: theirs as well.
const AT_ONCE: usize = 512;
/// So many calls are known to have been said.
const REMEMBERED: usize = 4_096;

/// The calls that wait.
#[derive(Default)]
pub struct Spans {
    waiting: Mutex<Waiting>,
    dropped: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    calls: VecDeque<CallView>,
    known: HashSet<CallId>,
    /// The same, the oldest first.
    order: VecDeque<CallId>,
}

impl Spans {
    /// Takes a call that has ended, or of which more is known now. One that was reported by hand was no request.
    pub fn put(&self, call: &CallView) {
        if call.operation == Operation::Manual {
            return;
        }
        let mut waiting = self.locked();
        if !waiting.known.insert(call.id) {
            let same = waiting.calls.iter_mut().rev().find(|other| other.id == call.id);
            if let Some(same) = same {
                same.clone_from(call);
            }
            return;
        }
        waiting.order.push_back(call.id);
        if waiting.order.len() > REMEMBERED
            && let Some(oldest) = waiting.order.pop_front()
        {
            waiting.known.remove(&oldest);
        }
        if waiting.calls.len() == WAITING {
            drop(waiting);
            self.lost(1);
        } else {
            waiting.calls.push_back(call.clone());
        }
    }

    /// So many, at most, were not even seen.
    pub fn lost(&self, calls: u64) {
        self.dropped.fetch_add(calls, Ordering::Relaxed);
    }

    /// How many were dropped since the start.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn locked(&self) -> MutexGuard<'_, Waiting> {
        // A holder that panicked left nothing half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first that wait. They wait on until it is known that they arrived.
    fn first(&self) -> Vec<CallView> {
        self.locked().calls.iter().take(AT_ONCE).cloned().collect()
    }

    fn remove(&self, many: usize) {
        self.locked().calls.drain(..many);
    }

    /// Says what waits, until the collector takes no more for now.
    async fn flush(&self, collector: &Collector, post: &Post, standing: &mut Standing, timeout: Duration) {
        loop {
            let calls = self.first();
            if calls.is_empty() {
                return;
            }
            let body = spans::request(&calls, &collector.resource);
            let sent = send(collector, post, &body, timeout).await;
            standing.tell("calls", &sent);
            match sent {
                Ok(()) => self.remove(calls.len()),
                Err(refused) if refused.passes => return,
                Err(_) => {
                    // The same would be refused again.
                    self.remove(calls.len());
                    self.lost(calls.len() as u64);
                }
            }
        }
    }
}

/// Tells the collector again and again what has come to wait, until `ended`, and what waits then once more.
pub async fn export_spans(
    spans: &Spans,
    collector: &Collector,
    post: &Post,
    ended: impl Future<Output = ()> + Send,
) {
    let mut standing = Standing::default();
    let timeout = duration(collector.timeout);
    let again = async {
        loop {
            tokio::time::sleep(duration(collector.interval)).await;
            spans.flush(collector, post, &mut standing, timeout).await;
        }
    };
    tokio::select! {
        () = again => {}
        () = ended => {}
    }
    let last = spans.flush(collector, post, &mut standing, timeout.min(LAST));
    drop(tokio::time::timeout(LAST, last).await);
    let left = spans.locked().calls.len();
    if left > 0 {
        tracing::warn!(calls = left, "the collector was not told of the last calls");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(number: u64) -> CallView {
        let said = serde_json::json!({
            "id": uuid::Uuid::from_u64_pair(number, number), "attribution": "unassigned", "provider": "openai",
            "operation": "chat.completions", "outcome": "complete", "startedAt": 1,
        });
        serde_json::from_value(said).unwrap()
    }

    #[test]
    fn too_many_are_dropped_and_counted_and_the_same_call_waits_once() {
        let spans = Spans::default();
        for number in 0..WAITING as u64 + 3 {
            spans.put(&call(number));
        }
        assert_eq!(spans.dropped(), 3);
        let mut later = call(1);
        later.output = Some(77);
        spans.put(&later);
        let first = spans.first();
        assert_eq!((first.len(), first[1].output), (AT_ONCE, Some(77)));
        spans.remove(first.len());
        spans.put(&later);
        assert_eq!(spans.locked().calls.len(), WAITING - AT_ONCE, "it was said");
    }
}
