//! Estimates what calls used whose providers do not say it, behind the calls' ends and beside everything else.
//!
//! Where nothing else waits, calls whose providers do say it are counted as well, a few of them: by those it learns how
//! far it is off.
//!
//! One thread counts; what waits for it is bounded. A call that finds no place stays as it is.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::keep::{Keep, Memory, Text};
use super::progress::Progress;
use super::tokens::Tokenizers;
use crate::domain::call::{CallEnd, Outcome, Promise};
use crate::domain::estimate::calibration::{Calibration, Learnt};
use crate::domain::estimate::{CallBody, Ending, Estimated, Kept, can_teach, estimate, is_needed, pairs};
use crate::domain::ids::CallId;

/// So many calls wait to be counted at most; more come at once only where something is badly wrong.
const MOST_WAITING: usize = 256;

/// How long a vocabulary stays in memory after its last use, at least; at most twice as long.
const IDLE: Duration = Duration::from_secs(60);

/// How many milliseconds are between two lessons at least …
const BETWEEN_LESSONS: u64 = 250;

/// … and how many times as long as the one took: lessons have one part in fifty of one processor at most.
const REST: u64 = 49;

/// So many lessons of one model are worth loading a vocabulary for. Later ones are taken while one is there anyway.
const WORTH_LOADING: u32 = 16;

/// So many models are told apart for that.
const MODELS: usize = 256;

/// How long calls that wait may still take when the program stops.
const LAST_CALLS: Duration = Duration::from_secs(2);

/// What the estimator finds out.
#[derive(Debug)]
pub enum Finding {
    /// What a call is thought to have used; `None` where nothing can be said.
    Estimated(CallId, Option<Box<Estimated>>),
    /// How far the estimates of a model's calls are off, as far as is known now.
    Learnt(Vec<Learnt>),
}

/// Takes what is found out. Called on the thread that counts.
pub type Outlet = Box<dyn Fn(Finding) + Send>;

/// Hands calls over to be counted. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Estimator(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    memory: Arc<Memory>,
    progress: Progress,
    jobs: Sender<Message>,
    waiting: AtomicUsize,
    began: Instant,
    /// When the next call may be counted to learn from it, in milliseconds since `began`.
    next_lesson: AtomicU64,
    /// When those that wait have to be done.
    last: OnceLock<Instant>,
}

#[derive(Debug)]
enum Message {
    Count(CallId, Box<Job>, Place),
    Stop,
}

/// A call to be counted.
#[derive(Debug)]
struct Job {
    text: Text,
    end: CallEnd,
    purpose: Purpose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// To estimate what it used.
    Estimate,
    /// To learn from what its provider said.
    Lesson,
}

impl Shared {
    /// Whether nothing waits and the last lesson is long enough ago; if so, the next one is put off.
    fn is_time_for_a_lesson(&self) -> bool {
        if self.waiting.load(Ordering::Relaxed) > 0 {
            return false;
        }
        let now = self.now();
        let next = self.next_lesson.load(Ordering::Relaxed);
        // Two that ask at the same time are told different things.
        next <= now
            && self
                .next_lesson
                .compare_exchange(
                    next,
                    now.saturating_add(BETWEEN_LESSONS),
                    Ordering::Relaxed,
                    Ordering::Relaxed,
                )
                .is_ok()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A place among those that wait; given back when it is dropped.
#[derive(Debug)]
struct Place(Arc<Shared>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A call that has its place and waits to be handed over.
#[derive(Debug)]
pub struct Admitted(Box<Job>, Place);

impl Admitted {
    /// Hands it over, once its end has been told of.
    pub fn count(self, id: CallId) {
        let Self(job, place) = self;
        let shared = Arc::clone(&place.0);
        if shared.jobs.send(Message::Count(id, job, place)).is_err() {
            tracing::debug!(call.id = %id, "no more calls are counted: the program stops");
        }
    }
}

/// The thread that counts. Dropped, it lets those that wait end, within a bound.
#[derive(Debug)]
pub struct Counting {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.shared.last.get_or_init(|| Instant::now() + LAST_CALLS);
        // The thread has ended only if it panicked.
        drop(self.shared.jobs.send(Message::Stop));
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that counts panicked");
        }
    }
}

impl Estimator {
    /// Starts the thread. The text of all calls may take `memory` bytes together.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        memory: usize,
        calibration: Calibration,
        outlet: Outlet,
    ) -> std::io::Result<(Self, Counting)> {
        let (sender, jobs) = channel();
        let shared = Arc::new(Shared {
            memory: Memory::new(memory),
            progress: Progress::default(),
            jobs: sender,
            waiting: AtomicUsize::new(0),
            began: Instant::now(),
            next_lesson: AtomicU64::new(0),
            last: OnceLock::new(),
        });
        let worker = Worker {
            shared: Arc::clone(&shared),
            tokenizers: Tokenizers::default(),
            calibration,
            outlet,
            released: Instant::now(),
            lessons: HashMap::new(),
        };
        let thread = std::thread::Builder::new()
            .name("estimates".to_owned())
            .spawn(move || worker.run(&jobs))?;
        let counting = Counting {
            shared: Arc::clone(&shared),
            thread: Some(thread),
        };
        Ok((Self(shared), counting))
    }

    /// Where the text of running calls is kept.
    #[must_use]
    pub fn memory(&self) -> &Arc<Memory> {
        &self.0.memory
    }

    /// How far the streams under way have come.
    #[must_use]
    pub fn progress(&self) -> &Progress {
        &self.0.progress
    }

    /// Finds a call that has ended a place, where its provider left something unsaid.
    #[must_use]
    pub fn admit(&self, end: &CallEnd, text: Text) -> (Promise, Option<Admitted>) {
        let admitted = |text, purpose, place| {
            let end = end.clone();
            Admitted(Box::new(Job { text, end, purpose }), place)
        };
        if is_needed(text.operation, end) {
            let Some(place) = self.place() else {
                return (Promise::Refused, None);
            };
            let admitted = admitted(text, Purpose::Estimate, place);
            return (Promise::Coming, Some(admitted));
        }
        if can_teach(text.operation, end) && self.0.is_time_for_a_lesson() {
            let place = self.place();
            let lesson = place.map(|place| admitted(text, Purpose::Lesson, place));
            return (Promise::None, lesson);
        }
        (Promise::None, None)
    }

    fn place(&self) -> Option<Place> {
        let waiting = &self.0.waiting;
        let more = |waiting: usize| (waiting < MOST_WAITING).then_some(waiting + 1);
        waiting
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .ok()
            .map(|_| Place(Arc::clone(&self.0)))
    }
}

struct Worker {
    shared: Arc<Shared>,
    tokenizers: Tokenizers,
    calibration: Calibration,
    outlet: Outlet,
    /// When vocabularies that nobody used were last dropped.
    released: Instant,
    /// How many lessons of each model there were.
    lessons: HashMap<Box<str>, u32>,
}

impl Worker {
    fn run(mut self, jobs: &Receiver<Message>) {
        loop {
            match jobs.recv_timeout(IDLE) {
                Ok(Message::Count(id, job, place)) => {
                    let is_late = self.shared.last.get().is_some_and(|last| *last < Instant::now());
                    match job.purpose {
                        Purpose::Estimate => {
                            let estimated = if is_late { None } else { self.estimate(id, &job) };
                            (self.outlet)(Finding::Estimated(id, estimated.map(Box::new)));
                        }
                        Purpose::Lesson if is_late || !self.is_worth_it(&job) => {}
                        Purpose::Lesson => self.learn(id, &job),
                    }
                    drop((job, place));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
            if self.released.elapsed() >= IDLE {
                self.tokenizers.release_idle();
                self.released = Instant::now();
            }
        }
    }

    fn estimate(&self, id: CallId, job: &Job) -> Option<Estimated> {
        // Nothing that is shared is half done after a panic: what is read is dropped, what is kept is only read.
        let counted = catch_unwind(AssertUnwindSafe(|| {
            with_body(job, |body| estimate(body, &self.tokenizers, &self.calibration))
        }));
        match counted {
            Ok(estimate) => estimate.for_call(&job.end),
            Err(_) => {
                tracing::error!(call.id = %id, "a call cannot be counted: it stays as it is");
                None
            }
        }
    }
}

impl Worker {
    /// Whether a lesson needs no vocabulary loaded, or is one of the first of its model.
    fn is_worth_it(&mut self, job: &Job) -> bool {
        let model = job.end.model.as_ref().or(job.text.request_model.as_ref());
        let Some(model) = model else { return false };
        if self.lessons.len() >= MODELS {
            self.lessons.clear();
        }
        let lessons = self.lessons.entry(model.clone()).or_default();
        *lessons = lessons.saturating_add(1);
        *lessons <= WORTH_LOADING || self.tokenizers.loaded() > 0
    }

    fn learn(&mut self, id: CallId, job: &Job) {
        let begin = Instant::now();
        let counted = catch_unwind(AssertUnwindSafe(|| {
            with_body(job, |body| pairs(body, &self.tokenizers))
        }));
        let Ok(pairs) = counted else {
            tracing::error!(call.id = %id, "nothing can be learnt from a call");
            return;
        };
        let calibration = &mut self.calibration;
        let learnt: Vec<_> = pairs
            .into_iter()
            .filter_map(|(key, pair)| calibration.learn(key, pair).cloned())
            .collect();
        let took = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        let next = self.shared.now().saturating_add(took.saturating_mul(REST));
        self.shared.next_lesson.fetch_max(next, Ordering::Relaxed);
        if !learnt.is_empty() {
            (self.outlet)(Finding::Learnt(learnt));
        }
    }
}

/// A call's text in one piece.
fn with_body<T>(job: &Job, see: impl FnOnce(&CallBody<'_>) -> T) -> T {
    let Job { text, end, .. } = job;
    let gathered = |keep: &Option<Keep>| keep.as_ref().map(Keep::gathered).unwrap_or_default();
    let length = |keep: &Option<Keep>| keep.as_ref().map_or(0, Keep::length);
    let (request, reply) = (gathered(&text.request), gathered(&text.reply));
    see(&CallBody {
        operation: text.operation,
        request: Kept {
            bytes: &request,
            length: length(&text.request),
        },
        reply: Kept {
            bytes: &reply,
            length: length(&text.reply),
        },
        ending: if end.outcome == Outcome::Complete {
            Ending::Whole
        } else {
            Ending::Cut
        },
        request_model: text.request_model.as_deref(),
        reply_model: end.model.as_deref(),
        said: &end.parts,
    })
}
