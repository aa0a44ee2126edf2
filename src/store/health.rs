//! How the writer is doing, for the engine's alerts and metrics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::repair::Repair;
use crate::domain::metrics::Histogram;

/// Bounds of the times that commits take, in microseconds: from a fast disk to the bound that replies wait for, and beyond.
const COMMIT_TIMES: &[u64] = &[
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000,
];

/// How the writer is doing. Shared; every read is cheap.
#[derive(Debug)]
pub struct Health {
    epoch: Instant,
    commits: AtomicU64,
    writes: AtomicU64,
    last_commit_micros: AtomicU64,
    commit_times: Mutex<Histogram>,
    queued: AtomicU64,
    /// Microseconds from `epoch` to the first failure, plus one; 0 while all is well.
    failing_since: AtomicU64,
    kept: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
    last_error: Mutex<Option<Box<str>>>,
    repair: Mutex<Option<Arc<Repair>>>,
    rescues: AtomicU64,
    news: Mutex<Vec<String>>,
}

/// What [`Health`] says at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthReport {
    /// Transactions that were committed.
    pub commits: u64,
    /// Writes that they held.
    pub writes: u64,
    /// How long the last transaction took.
    pub last_commit: Duration,
    /// How many microseconds the transactions took.
    pub commit_times: Histogram,
    /// Writes that the writer has not taken up yet.
    pub queued: u64,
    /// How long nothing could be written; `None` while all is well.
    pub failing_for: Option<Duration>,
    /// Writes that are kept in memory until the database takes them again.
    pub kept: u64,
    /// Writes that the database will never take, or that a stop came too early for: lost.
    pub dropped: u64,
    /// Writes that found the queue full.
    pub refused: u64,
    /// What the database said when it last failed.
    pub last_error: Option<Box<str>>,
    /// The last repair since the start.
    pub repair: Option<Arc<Repair>>,
    /// How often the file was deleted, moved or replaced and was written anew.
    pub rescues: u64,
}

impl Health {
    pub(super) fn new() -> Self {
        Self {
            epoch: Instant::now(),
            commits: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            last_commit_micros: AtomicU64::new(0),
            commit_times: Mutex::new(Histogram::new(COMMIT_TIMES)),
            queued: AtomicU64::new(0),
            failing_since: AtomicU64::new(0),
            kept: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            last_error: Mutex::new(None),
            repair: Mutex::new(None),
            rescues: AtomicU64::new(0),
            news: Mutex::new(Vec::new()),
        }
    }

    /// What it says now.
    #[must_use]
    pub fn report(&self) -> HealthReport {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        let since = read(&self.failing_since);
        HealthReport {
            commits: read(&self.commits),
            writes: read(&self.writes),
            last_commit: Duration::from_micros(read(&self.last_commit_micros)),
            commit_times: self
                .commit_times
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
            queued: read(&self.queued),
            failing_for: (since > 0).then(|| Duration::from_micros(self.now().saturating_sub(since))),
            kept: read(&self.kept),
            dropped: read(&self.dropped),
            refused: read(&self.refused),
            last_error: self
                .last_error
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
            repair: self.repair.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            rescues: read(&self.rescues),
        }
    }

    /// What the user must be told of damage and repairs, since the last time this was asked.
    #[must_use]
    pub fn take_news(&self) -> Vec<String> {
        std::mem::take(&mut *self.news.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn repaired(&self, repair: Repair) {
        tracing::error!("{repair}");
        self.tell(repair.to_string());
        *self.repair.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(repair));
    }

    pub(super) fn rescued(&self, news: String) {
        self.rescues.fetch_add(1, Ordering::Relaxed);
        self.tell(news);
    }

    pub(super) fn tell(&self, news: String) {
        let mut waiting = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < 16 {
            waiting.push(news);
        }
    }

    /// Whether the database takes nothing just now.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.failing_since.load(Ordering::Relaxed) > 0
    }

    pub(super) fn committed(&self, writes: usize, took: Duration) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.writes.fetch_add(writes as u64, Ordering::Relaxed);
        self.last_commit_micros.store(micros(took), Ordering::Relaxed);
        self.commit_times
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .observe(micros(took));
        self.failing_since.store(0, Ordering::Relaxed);
        self.kept.store(0, Ordering::Relaxed);
    }

    /// Notes a failure; true if it is the first one of a row.
    pub(super) fn failed(&self, error: &str, kept: usize) -> bool {
        self.kept.store(kept as u64, Ordering::Relaxed);
        self.note(error);
        self.failing_since
            .compare_exchange(0, self.now(), Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    pub(super) fn dropped(&self, error: &str, writes: usize) {
        self.dropped.fetch_add(writes as u64, Ordering::Relaxed);
        self.note(error);
    }

    pub(super) fn queued(&self) {
        self.queued.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn unqueued(&self) {
        self.queued.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    fn note(&self, error: &str) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.into());
    }

    fn now(&self) -> u64 {
        micros(self.epoch.elapsed()).saturating_add(1)
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
