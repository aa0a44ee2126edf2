//! What is on its way to the store's writer: starts that wait a little, and what its queue had no room for.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::record::Record;
use crate::store::{Health, QueueFull, Reply, WriterHandle};

/// How long the row of a call's start may wait for its end, or for another row to go with. A call that takes longer has
/// its start written; one that does not is one row and one commit instead of two.
const START_WAITS: Duration = Duration::from_millis(5);
/// How long the rows that wait may take to be handed over when the program stops.
const LAST_ROWS: Duration = Duration::from_secs(5);
/// How many rows wait for a writer whose queue is full, before the oldest are lost.
const MOST_WAITING: usize = 100_000;

/// Rows in the order in which they are to be written.
pub(super) struct Outbox {
    writer: WriterHandle,
    waiting: VecDeque<(Record, Option<Reply>)>,
    /// When the rows of calls that have just started are handed over, if they wait.
    starts_due: Option<Instant>,
}

impl Outbox {
    pub(super) const fn new(writer: WriterHandle) -> Self {
        Self {
            writer,
            waiting: VecDeque::new(),
            starts_due: None,
        }
    }

    pub(super) fn health(&self) -> &Health {
        self.writer.health()
    }

    /// How many rows wait for which the writer's queue has no room.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// `done` is told when the last of them is committed; dropped, it says so too, where there is none.
    pub(super) fn put(&mut self, records: Vec<Record>, mut done: Option<Reply>) {
        let mut only_starts = true;
        let last = records.len().saturating_sub(1);
        for (index, record) in records.into_iter().enumerate() {
            only_starts &= matches!(record, Record::CallStarted(_));
            let done = if index == last { done.take() } else { None };
            self.waiting.push_back((record, done));
        }
        if only_starts && !self.waiting.is_empty() {
            self.starts_due
                .get_or_insert_with(|| Instant::now() + START_WAITS);
        } else {
            self.hand_over();
        }
    }

    /// Resolves when starts have waited for long enough; never, where none waits.
    pub(super) async fn starts_due(&self) {
        match self.starts_due {
            Some(moment) => tokio::time::sleep_until(moment).await,
            None => std::future::pending().await,
        }
    }

    /// Hands what waits to the writer, as far as its queue takes it. What it does not take waits here: while the
    /// disk stands still, replies are passed on after their bound, and their rows are kept until it goes on.
    pub(super) fn hand_over(&mut self) {
        self.starts_due = None;
        while let Some((record, reply)) = self.waiting.pop_front() {
            if let Err(QueueFull(back)) = self.writer.submit_with(record, reply) {
                self.waiting.push_front(*back);
                break;
            }
        }
        if self.waiting.len() > MOST_WAITING {
            let lost = self.waiting.len() - MOST_WAITING;
            self.waiting.drain(..lost);
            tracing::error!(
                lost,
                "the database has taken no rows for too long; the oldest are lost"
            );
        }
    }

    /// Hands over what waits when nothing more comes.
    pub(super) async fn finish(mut self) {
        let end = Instant::now() + LAST_ROWS;
        self.hand_over();
        while !self.waiting.is_empty() && Instant::now() < end {
            tokio::time::sleep(START_WAITS).await;
            self.hand_over();
        }
        if !self.waiting.is_empty() {
            tracing::error!(
                lost = self.waiting.len(),
                "the database took no rows to the end; what waited is lost"
            );
        }
    }
}
