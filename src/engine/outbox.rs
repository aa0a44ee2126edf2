//! What is on its way to the store's writer: starts that wait a little, and what its queue had no room for.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use crate::domain::ids::CallId;
use crate::domain::record::Record;
use crate::store::{Health, QueueFull, Reply, WriterHandle};

/// How long the row of a call's start may wait for its end. A call that takes longer has its start written; one that does
/// not is one row instead of two. A crash within it leaves no trace of the call, which was not answered yet either.
const START_WAITS: Duration = Duration::from_millis(5);
/// How long to wait for a writer whose queue is full before it is tried again, when the program stops.
const TRY_AGAIN: Duration = Duration::from_millis(5);
/// How long the rows that wait may take to be handed over when the program stops.
const LAST_ROWS: Duration = Duration::from_secs(5);
/// How many rows wait for a writer whose queue is full, before the oldest are lost.
const MOST_WAITING: usize = 100_000;

/// Rows in the order in which they are to be written.
pub(super) struct Outbox {
    writer: WriterHandle,
    waiting: VecDeque<(Record, Option<Reply>)>,
    /// The rows of calls that have just started.
    starts: HashMap<CallId, Record>,
    /// When each of them is handed over, if it still waits then.
    starts_due: VecDeque<(Instant, CallId)>,
    /// Set for the first of them, and left as it is when its call ends: to set it for each call would wake the thread that
    /// waits for the network each time.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Outbox {
    pub(super) fn new(writer: WriterHandle) -> Self {
        Self {
            writer,
            waiting: VecDeque::new(),
            starts: HashMap::new(),
            starts_due: VecDeque::new(),
            alarm: None,
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
        if let [Record::CallStarted(call)] = &*records
            && done.is_none()
        {
            let id = call.start.id;
            let due = Instant::now() + START_WAITS;
            self.starts_due.push_back((due, id));
            self.alarm
                .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
            self.starts.extend(records.into_iter().map(|start| (id, start)));
            return;
        }
        if !records
            .iter()
            .all(|record| matches!(record, Record::CallFinished(_)))
        {
            // What is about more than a call's own end may be about what a start names.
            self.let_starts_go(None);
        }
        let last = records.len().saturating_sub(1);
        for (index, record) in records.into_iter().enumerate() {
            if let Record::CallFinished(call) = &record {
                self.starts.remove(&call.start.id);
            }
            let done = if index == last { done.take() } else { None };
            self.waiting.push_back((record, done));
        }
        self.hand_over();
    }

    /// Resolves when a start may have waited for long enough; never, where none waits.
    pub(super) async fn starts_due(&mut self) {
        match &mut self.alarm {
            Some(alarm) => alarm.as_mut().await,
            None => std::future::pending().await,
        }
    }

    /// Hands over the starts that have waited for long enough.
    pub(super) fn hand_over_starts(&mut self) {
        self.let_starts_go(Some(Instant::now()));
        self.hand_over();
        // The next one that still waits: of most, the calls have ended.
        while let Some((_, id)) = self.starts_due.front()
            && !self.starts.contains_key(id)
        {
            self.starts_due.pop_front();
        }
        self.alarm = self
            .starts_due
            .front()
            .map(|(due, _)| Box::pin(tokio::time::sleep_until(*due)));
    }

    /// Puts the starts that were due until then, or all, behind what waits.
    fn let_starts_go(&mut self, until: Option<Instant>) {
        while let Some((due, id)) = self.starts_due.pop_front() {
            if until.is_some_and(|until| due > until) {
                self.starts_due.push_front((due, id));
                return;
            }
            // Its call may have ended.
            let start = self.starts.remove(&id);
            self.waiting.extend(start.map(|start| (start, None)));
        }
    }

    /// Hands what waits to the writer, as far as its queue takes it. What it does not take waits here: while the
    /// disk stands still, replies are passed on after their bound, and their rows are kept until it goes on.
    pub(super) fn hand_over(&mut self) {
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
        self.let_starts_go(None);
        self.hand_over();
        while !self.waiting.is_empty() && Instant::now() < end {
            tokio::time::sleep(TRY_AGAIN).await;
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
