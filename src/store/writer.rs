//! The one thread that writes, with group commit.
//!
//! It takes the first write that comes and all that wait behind it, does them in one transaction, and answers all. The
//! busier it is, the larger the groups; between groups of some size it rests for as long as the last commit took, so that
//! fewer commits do. What the disk does not take is kept in order and tried again; while much is kept the queue fills up,
//! and whoever submits is told.

use std::collections::VecDeque;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::batch::{Database, is_passing};
use super::checkpointer::{Checkpointer, checkpoint};
use super::connection;
use super::error::{ReadError, StoreError, is_damage};
use super::health::Health;
use super::reader::Reader;
use super::repair::{self, Repair};
use super::rescue::{self, Place};
use crate::domain::durability::Durability;
use crate::domain::record::Record;

/// The queue holds all that it can, or the store is closed. The write comes back.
#[derive(Debug, thiserror::Error)]
#[error("the store takes no more writes: its disk is too slow, full, or it was closed")]
pub struct QueueFull(pub Box<(Record, Option<Reply>)>);

/// A write was not stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteFailed {
    /// The database will never take it.
    #[error("the database refused it: {0}")]
    Refused(Box<str>),
    /// The store was closed first.
    #[error("the store was closed before it could be written")]
    Stopped,
}

/// Whom to tell when a write is committed, or never will be.
pub type Reply = oneshot::Sender<Result<(), WriteFailed>>;

/// Resolves when the write is committed. Dropping it does not stop the write.
#[derive(Debug)]
pub struct Ticket(oneshot::Receiver<Result<(), WriteFailed>>);

impl Ticket {
    /// Waits on a thread that may block.
    ///
    /// # Errors
    /// The write was not stored.
    pub fn wait(self) -> Result<(), WriteFailed> {
        self.0.blocking_recv().unwrap_or(Err(WriteFailed::Stopped))
    }
}

impl Future for Ticket {
    type Output = Result<(), WriteFailed>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0)
            .poll(context)
            .map(|answer| answer.unwrap_or(Err(WriteFailed::Stopped)))
    }
}

/// Hands writes to the writer's thread. Cheap to clone; never blocks.
#[derive(Clone, Debug)]
pub struct WriterHandle {
    pub(super) queue: SyncSender<Message>,
    pub(super) health: Arc<Health>,
}

impl WriterHandle {
    /// Queues a write.
    ///
    /// # Errors
    /// The queue is full, or the store is closed.
    pub fn submit(&self, record: Record) -> Result<Ticket, QueueFull> {
        let (reply, ticket) = oneshot::channel();
        self.submit_with(record, Some(reply)).map(|()| Ticket(ticket))
    }

    /// Queues a write, and tells `reply` when it is committed.
    ///
    /// # Errors
    /// The queue is full, or the store is closed.
    pub fn submit_with(&self, record: Record, reply: Option<Reply>) -> Result<(), QueueFull> {
        // Before it is sent, for the writer may take it up at once.
        self.health.queued();
        let refused = match self.queue.try_send(Message::Write(Job { record, reply })) {
            Ok(()) => return Ok(()),
            Err(refused) => refused,
        };
        self.health.unqueued();
        self.health.refused();
        match refused {
            std::sync::mpsc::TrySendError::Full(Message::Write(job))
            | std::sync::mpsc::TrySendError::Disconnected(Message::Write(job)) => {
                Err(QueueFull(Box::new((job.record, job.reply))))
            }
            // What was sent is what comes back.
            std::sync::mpsc::TrySendError::Full(Message::Stop | Message::Damaged(_))
            | std::sync::mpsc::TrySendError::Disconnected(Message::Stop | Message::Damaged(_)) => {
                unreachable!("a write was sent")
            }
        }
    }

    /// Says that the database is damaged: it is rebuilt between two commits.
    pub fn report_damage(&self, problem: String) {
        // A full queue is one that the database takes nothing from: the writer finds out by itself.
        self.queue.try_send(Message::Damaged(problem)).ok();
    }

    /// How the writer is doing.
    #[must_use]
    pub fn health(&self) -> &Arc<Health> {
        &self.health
    }
}

/// A write and whom to tell.
#[derive(Debug)]
pub(super) struct Job {
    record: Record,
    reply: Option<Reply>,
}

impl Job {
    /// Tells whoever waits. Nobody may, or they may have gone.
    fn answer(self, answer: Result<(), WriteFailed>) {
        if let Some(reply) = self.reply {
            drop(reply.send(answer));
        }
    }
}

/// What the thread's queue holds.
#[derive(Debug)]
pub(super) enum Message {
    /// A write.
    Write(Job),
    /// Something was found to be damaged.
    Damaged(String),
    /// Wakes the thread, so that it sees that it should stop.
    Stop,
}

/// The database's place, for when it has to be opened again.
pub(super) struct Home {
    pub(super) path: PathBuf,
    pub(super) durability: Durability,
    pub(super) busy_timeout: Duration,
    pub(super) readers: Reader,
}

impl Home {
    pub(super) fn repair(&self, problem: &str) -> Result<Repair, StoreError> {
        repair::repair(&self.path, problem, Timestamp::now()).map_err(|source| StoreError::Repair {
            path: self.path.clone(),
            problem: problem.to_owned(),
            source: Box::new(source),
        })
    }

    fn resume(&self) -> Result<Database, StoreError> {
        let connection = connection::open_writer(&self.path, self.durability, self.busy_timeout)?;
        Database::resumed(connection).map_err(|source| StoreError::Read {
            path: self.path.clone(),
            source,
        })
    }
}

/// A database that breaks again as soon as it is rebuilt is not rebuilt again and again: each one is kept.
const MEND_AGAIN: Duration = Duration::from_secs(600);

/// A database that is not in its place is not written anew more often, should somebody take it away again and again.
const RESCUE_AGAIN: Duration = Duration::from_secs(10);

/// While group follows group, the file is looked for in its place no more often. What was written in between goes into the
/// file that a rescue makes.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A group of so many says that calls come much faster than commits, and that the next is worth a rest. With 16 clients a
/// group has three, and would only wait.
const COMPANY: usize = 6;
/// A group of so many needs no more: each further call adds little to what a commit costs.
const ENOUGH: usize = 24;
const LONGEST_REST: Duration = Duration::from_micros(500);

/// The thread's settings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tuning {
    /// The most writes of one transaction.
    pub(super) batch_size: usize,
    /// How long to wait for more writes before a commit.
    pub(super) linger: Duration,
    /// The most writes that are kept while the database takes none.
    pub(super) kept: usize,
    /// The first and the longest pause between attempts then.
    pub(super) backoff: (Duration, Duration),
    /// How many pages may stand in the write-ahead log before they are moved to the database. If four times
    /// as many do, because the log grows faster than it is moved, the writer stops for it.
    pub(super) checkpoint_pages: usize,
}

/// The thread's state.
pub(super) struct Writer {
    database: Database,
    checkpointer: Checkpointer,
    home: Home,
    /// The file that is open, when it was last looked for in its place, and when it was last not found there.
    place: Place,
    looked: Option<Instant>,
    rescued: Option<Instant>,
    queue: Receiver<Message>,
    stopping: Arc<AtomicBool>,
    health: Arc<Health>,
    tuning: Tuning,
    /// What was found to be damaged.
    damage: Option<String>,
    /// When the database was last rebuilt, or could not be.
    mended: Option<Instant>,
    /// What is to be written next, in order.
    pending: VecDeque<Job>,
    /// How many writes the last commit had, and how long it took.
    last: (usize, Duration),
    /// When to try again, and how long the pause after that is, while the database takes nothing.
    retry: Option<(Instant, Duration)>,
    /// At how many pages in the log the next checkpoint is asked for.
    next_checkpoint: usize,
    /// At how many of them the writer stops for one.
    next_stop: usize,
}

impl Writer {
    pub(super) fn new(
        database: Database,
        checkpointer: Checkpointer,
        home: Home,
        queue: Receiver<Message>,
        stopping: Arc<AtomicBool>,
        health: Arc<Health>,
        tuning: Tuning,
    ) -> Self {
        Self {
            database,
            checkpointer,
            place: Place::of(&home.path),
            looked: None,
            rescued: None,
            home,
            queue,
            stopping,
            health,
            tuning,
            damage: None,
            mended: None,
            pending: VecDeque::new(),
            last: (0, Duration::ZERO),
            retry: None,
            next_checkpoint: tuning.checkpoint_pages,
            next_stop: 4 * tuning.checkpoint_pages,
        }
    }

    /// Writes until it is told to stop, and then what is left.
    pub(super) fn run(mut self) {
        // Asked before each wait: the stop may have come while the writer waited for company.
        while !self.stopping.load(Ordering::Acquire) {
            self.wait();
            if let Some(problem) = self.damage.take() {
                self.mend(&problem);
            }
            self.rest();
            self.linger();
            self.write(self.tuning.batch_size);
            self.checkpoint_if_due();
        }
        self.finish();
    }

    /// Waits until there is something to write, and takes all that is there.
    fn wait(&mut self) {
        if let Some((at, _)) = self.retry {
            self.wait_until(at, self.tuning.kept);
        } else if self.pending.is_empty() {
            match self.queue.recv() {
                Ok(message) => self.accept(message),
                Err(_) => self.stopping.store(true, Ordering::Release),
            }
        }
        self.take_waiting(self.tuning.batch_size);
    }

    /// Takes what comes until a moment, until so many are pending, or until the stop.
    fn wait_until(&mut self, at: Instant, most: usize) {
        while !self.stopping.load(Ordering::Acquire) {
            let left = at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            if self.pending.len() >= most {
                // The queue must not be taken from; the stop unparks.
                std::thread::park_timeout(left);
                continue;
            }
            match self.queue.recv_timeout(left) {
                Ok(message) => self.accept(message),
                Err(RecvTimeoutError::Timeout) => return,
                Err(RecvTimeoutError::Disconnected) => self.stopping.store(true, Ordering::Release),
            }
        }
    }

    fn take_waiting(&mut self, most: usize) {
        while self.pending.len() < most {
            match self.queue.try_recv() {
                Ok(message) => self.accept(message),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
            }
        }
    }

    fn accept(&mut self, message: Message) {
        match message {
            Message::Write(job) => {
                self.health.unqueued();
                self.pending.push_back(job);
            }
            Message::Damaged(problem) => self.damage = Some(problem),
            Message::Stop => self.stopping.store(true, Ordering::Release),
        }
    }

    /// Lets a group grow, where many wait for commits that each cost much more than a row.
    fn rest(&mut self) {
        let (count, took) = self.last;
        if count >= COMPANY && self.pending.len() < ENOUGH && self.retry.is_none() {
            // The stop unparks.
            std::thread::park_timeout(took.min(LONGEST_REST));
            self.take_waiting(self.tuning.batch_size);
        }
    }

    /// Lets a group grow for a while, where nobody waits for the commit.
    fn linger(&mut self) {
        if self.tuning.linger.is_zero() || self.retry.is_some() {
            return;
        }
        let end = Instant::now() + self.tuning.linger;
        while self.pending.len() < self.tuning.batch_size && !self.stopping.load(Ordering::Acquire) {
            let left = end.saturating_duration_since(Instant::now());
            match self.queue.recv_timeout(left) {
                Ok(message) => self.accept(message),
                Err(_) => return,
            }
        }
    }

    /// Writes the first pending ones as one transaction; if one of them is at fault, each by itself.
    fn write(&mut self, most: usize) {
        let count = self.pending.len().min(most);
        if count == 0 {
            return;
        }
        let began = Instant::now();
        let looked_just_now = self.looked.is_some_and(|at| began - at < LOOK_AGAIN);
        if self.last.0 < COMPANY || !looked_just_now {
            self.looked = Some(began);
            if !self.place.is_still(&self.home.path) {
                self.rescue();
            }
        }
        let writes = self.pending.iter().take(count).map(|job| &job.record);
        let result = self.database.commit(&writes);
        match result {
            Ok(()) => self.answer(count, began.elapsed()),
            Err(ReadError::Sqlite(error)) if is_damage(&error) && self.mend(&error.to_string()) => {
                self.write(most);
            }
            Err(error) if is_passing(&error) => self.postpone(&error),
            Err(error) if count == 1 => self.refuse(&error),
            Err(_) => {
                for _ in 0..count {
                    self.write(1);
                    if self.retry.is_some() {
                        return;
                    }
                }
            }
        }
    }

    fn answer(&mut self, count: usize, took: Duration) {
        if self.retry.take().is_some() {
            tracing::info!(store.kept = self.pending.len(), "the database takes writes again");
        }
        self.last = (count, took);
        self.health.committed(count, took);
        for job in self.pending.drain(..count) {
            // Whoever does not wait for the commit has dropped the ticket.
            job.answer(Ok(()));
        }
    }

    fn postpone(&mut self, error: &ReadError) {
        let (first, longest) = self.tuning.backoff;
        let pause = self.retry.map_or(first, |(_, pause)| pause);
        self.retry = Some((Instant::now() + pause, (pause * 2).min(longest)));
        if self.health.failed(&error.to_string(), self.pending.len()) {
            tracing::warn!(%error, store.kept = self.pending.len(), "the database takes no writes; they are kept");
        }
    }

    /// Rebuilds a damaged database; false if it was tried a moment ago, or cannot be done.
    fn mend(&mut self, problem: &str) -> bool {
        if self.mended.is_some_and(|at| at.elapsed() < MEND_AGAIN) {
            return false;
        }
        self.mended = Some(Instant::now());
        tracing::error!(
            problem,
            "the database is damaged and is being rebuilt; calls go on"
        );
        self.checkpointer.stop();
        let Self { database, home, .. } = self;
        let mended = home
            .readers
            .while_closed(|| -> Result<(Repair, Checkpointer), StoreError> {
                // Of the file that is to be moved nothing may stay open.
                let nowhere =
                    Connection::open_in_memory().map_err(|error| connection::failure(&home.path, error))?;
                drop(std::mem::replace(database, Database::new(nowhere)));
                let repaired = home.repair(problem);
                *database = home.resume()?;
                Ok((repaired?, Checkpointer::start(&home.path)?))
            });
        self.place = Place::of(&self.home.path);
        match mended {
            Ok((repair, checkpointer)) => {
                self.checkpointer = checkpointer;
                self.health.repaired(repair);
                true
            }
            Err(error) => {
                tracing::error!(%error, "the database could not be rebuilt");
                self.health.tell(format!(
                    "Rows are kept in memory, and lost if Moonlock is stopped now: {error}."
                ));
                false
            }
        }
    }

    /// Writes the database anew whose file is not in its place any more, unless that was tried a moment ago. Where it cannot
    /// be done, what is open is written on.
    fn rescue(&mut self) {
        if self.rescued.is_some_and(|at| at.elapsed() < RESCUE_AGAIN) {
            return;
        }
        self.rescued = Some(Instant::now());
        let path = &self.home.path;
        let rescued = rescue::save(&self.database.connection, path).map_err(|error| error.to_string());
        let rescued = rescued.and_then(|copy| {
            self.checkpointer.stop();
            let Self { database, home, .. } = &mut *self;
            home.readers.while_closed(|| {
                let found = copy
                    .put(&home.path, Timestamp::now())
                    .map_err(|error| error.to_string())?;
                let opened = home
                    .resume()
                    .and_then(|opened| Ok((opened, Checkpointer::start(&home.path)?)));
                let (opened, checkpointer) = opened.map_err(|error| error.to_string())?;
                *database = opened;
                Ok((found, checkpointer))
            })
        });
        match rescued {
            Ok((found, checkpointer)) => {
                self.checkpointer = checkpointer;
                self.place = Place::of(&self.home.path);
                let news = rescue::news(&self.home.path, found.as_deref());
                tracing::error!("{news}");
                self.health.rescued(news);
            }
            Err(error) => {
                tracing::error!(
                    error,
                    "the database was deleted or moved, and cannot be written anew"
                );
                self.health.tell(format!(
                    "The database {} was deleted, moved or replaced while Moonlock uses it, and cannot be written anew \
                     ({error}). All of it is lost if Moonlock is stopped before that is mended.",
                    self.home.path.display()
                ));
            }
        }
    }

    fn refuse(&mut self, error: &ReadError) {
        tracing::error!(%error, "a write was refused by the database and is lost");
        let message = error.to_string();
        self.health.dropped(&message, 1);
        if let Some(job) = self.pending.pop_front() {
            job.answer(Err(WriteFailed::Refused(message.into())));
        }
    }

    fn checkpoint_if_due(&mut self) {
        let step = self.tuning.checkpoint_pages;
        let pages = connection::pages_in_log();
        if pages < step {
            // It has begun anew.
            self.next_checkpoint = step;
            self.next_stop = 4 * step;
        } else if pages >= self.next_stop {
            self.next_stop = pages + step;
            self.checkpoint("PRAGMA wal_checkpoint(PASSIVE)");
        } else if pages >= self.next_checkpoint {
            self.next_checkpoint = pages + step / 2;
            self.checkpointer.ask();
        }
    }

    fn checkpoint(&self, pragma: &str) {
        if let Err(error) = checkpoint(&self.database.connection, pragma) {
            tracing::warn!(%error, "the write-ahead log could not be moved to the database");
        }
    }

    /// Writes what is left. What the disk does not take now is lost.
    fn finish(mut self) {
        // Its connection would keep the log from being truncated.
        self.checkpointer.stop();
        self.take_waiting(usize::MAX);
        self.retry = None;
        while !self.pending.is_empty() && self.retry.is_none() {
            self.write(self.tuning.batch_size);
        }
        if !self.place.is_still(&self.home.path) {
            self.rescued = None;
            self.rescue();
        }
        if !self.pending.is_empty() {
            let lost = self.pending.len();
            tracing::error!(
                store.lost = lost,
                "the store was closed while the database took no writes"
            );
            self.health.dropped("the store was closed", lost);
        }
        self.checkpointer.stop();
        self.checkpoint("PRAGMA wal_checkpoint(TRUNCATE)");
    }
}
